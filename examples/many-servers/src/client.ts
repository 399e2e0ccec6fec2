/**
 * An official client of MCP 2026-07-28. `between` runs while its model thinks, when no request is on the wire.
 */
import { Content, ProviderSampler } from "@effect-sampling/core"
import { SamplingClient } from "@effect-sampling/mcp-sdk-v2"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { Effect, Schema } from "effect"

export class CallFailed extends Schema.TaggedError<CallFailed>("many-servers/CallFailed")("CallFailed", {
  message: Schema.String
}) {}

export const writeStory = Effect.fnUntraced(
  function*(url: string, title: string, between: (prompt: string) => Effect.Effect<void>) {
    const client = new Client({ name: "many-servers-client", version: "1.0.0" }, {
      versionNegotiation: { mode: { pin: "2026-07-28" } }
    })
    const model = ProviderSampler.layer({
      name: "scripted-model",
      createMessage: ({ messages }) => {
        const prompt = Content.text(messages.at(-1)!.content)
        return Effect.as(between(prompt), `[${prompt.replace(/^.* of /, "")}]`)
      }
    })
    yield* Effect.provide(SamplingClient.serve(client), model)
    yield* Effect.acquireRelease(
      Effect.promise(() => client.connect(new StreamableHTTPClientTransport(new URL(url)))),
      () => Effect.promise(() => client.close())
    )
    const result = yield* Effect.tryPromise({
      try: (signal) => client.callTool({ name: "write_story", arguments: { title } }, { signal }),
      catch: (cause) => new CallFailed({ message: cause instanceof Error ? cause.message : String(cause) })
    })
    const [block] = result.content
    const text = block?.type === "text" ? block.text : ""
    return result.isError === true ? yield* new CallFailed({ message: text }) : text
  },
  Effect.scoped
)
