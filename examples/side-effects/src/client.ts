/**
 * An official client of either era whose scripted model books a courier and whose scripted user pays.
 */
import { Content, ProviderSampler } from "@effect-sampling/core"
import { SamplingClient } from "@effect-sampling/mcp-sdk-v2"
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client"
import { Effect, Schema } from "effect"

const model = ProviderSampler.layer({
  name: "scripted-model",
  tools: true,
  createMessage: ({ messages }) => {
    const content = messages.at(-1)!.content
    return Effect.succeed(
      Content.text(content).startsWith("Book")
        ? {
          content: { type: "tool_use", id: "1", name: "book_courier", input: { city: "Genoa" } },
          stopReason: "toolUse"
        }
        : "Done."
    )
  }
})

export const connect = Effect.fnUntraced(function*(url: string, revision: "2025-11-25" | "2026-07-28") {
  const client = new Client({ name: "side-effects-client", version: "1.0.0" }, {
    capabilities: { elicitation: { form: {} } },
    versionNegotiation: { mode: revision === "2026-07-28" ? { pin: revision } : "legacy" }
  })
  yield* Effect.provide(SamplingClient.serve(client), model)
  client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { pay: true } }))
  const transport = new StreamableHTTPClientTransport(new URL(url))
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(transport)),
    () => Effect.promise(() => client.close())
  )
  return { client, states: statesOf(transport) }
})

const hasState = Schema.is(Schema.Struct({ result: Schema.Struct({ requestState: Schema.String }) }))

/** The lengths of the states that the client holds between rounds. */
const statesOf = (transport: Transport): ReadonlyArray<number> => {
  const lengths: Array<number> = []
  const { onmessage } = transport
  transport.onmessage = (message, extra) => {
    if (hasState(message)) lengths.push(message.result.requestState.length)
    onmessage?.(message, extra)
  }
  return lengths
}
