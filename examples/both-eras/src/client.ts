/**
 * An official client of either era with a scripted model and a scripted user. It records the messages on the wire.
 */
import { Content, ProviderSampler } from "@effect-sampling/core"
import { SamplingClient } from "@effect-sampling/mcp-sdk-v2"
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client"
import { Effect } from "effect"
import type { Message } from "./transcript.ts"

export type Revision = "2025-11-25" | "2026-07-28"

const replies: ReadonlyArray<readonly [words: string, reply: string]> = [
  ["Name a dish", "pumpkin risotto"],
  ["Name a wine", "Soave"],
  ["Name a dessert", "baked apple"],
  ["Invite 6 guests", "Come for risotto, all six of you!"]
]

const model = ProviderSampler.layer({
  name: "scripted-model",
  createMessage: ({ messages }) => {
    const prompt = Content.text(messages.at(-1)!.content)
    return Effect.succeed(replies.find(([words]) => prompt.includes(words))?.[1] ?? `What is "${prompt}"?`)
  }
})

/** The only difference between the eras is `versionNegotiation`. */
export const connect = Effect.fnUntraced(function*(url: string, revision: Revision) {
  const client = new Client({ name: "both-eras-client", version: "1.0.0" }, {
    capabilities: { elicitation: { form: {} } },
    versionNegotiation: { mode: revision === "2026-07-28" ? { pin: revision } : "legacy" }
  })
  yield* Effect.provide(SamplingClient.serve(client), model)
  client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { guests: 6 } }))

  const transport = new StreamableHTTPClientTransport(new URL(url))
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(transport)),
    () => Effect.promise(() => client.close())
  )
  return { client, messages: record(transport) }
})

const record = (transport: Transport): ReadonlyArray<Message> => {
  const messages: Array<Message> = []
  const { onmessage } = transport
  const send = transport.send.bind(transport)
  transport.send = (message, options) => {
    messages.push({ from: "client", message })
    return send(message, options)
  }
  transport.onmessage = (message, extra) => {
    messages.push({ from: "server", message })
    onmessage?.(message, extra)
  }
  return messages
}
