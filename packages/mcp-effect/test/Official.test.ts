import { assert, describe, it } from "@effect/vitest"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { Effect } from "effect"
import { serveHttp, tools } from "./fixtures/servers.ts"

const connect = (mode: "auto" | "legacy") =>
  Effect.gen(function*() {
    const url = yield* serveHttp(tools())
    const client = new Client({ name: "official", version: "2.0.0" }, {
      capabilities: { sampling: { tools: {} } },
      versionNegotiation: { mode }
    })
    client.setRequestHandler("sampling/createMessage", ({ params }) => ({
      role: "assistant" as const,
      model: "m",
      content: { type: "text" as const, text: `<${JSON.stringify(params.messages.at(-1)?.content)}>` }
    }))
    return yield* Effect.acquireRelease(
      Effect.as(Effect.promise(() => client.connect(new StreamableHTTPClientTransport(new URL(url)))), client),
      () => Effect.promise(() => client.close())
    )
  })

describe("Official", { timeout: 30_000 }, () => {
  for (const [mode, version] of [["auto", "2026-07-28"], ["legacy", "2025-11-25"]] as const) {
    it.live(`The official client 2.x is asked over MCP ${version}`, () =>
      Effect.gen(function*() {
        const client = yield* connect(mode)
        assert.strictEqual(client.getNegotiatedProtocolVersion(), version)
        const prompts = ["one", "two", "three"]
        const result = yield* Effect.promise(() => client.callTool({ name: "askMany", arguments: { prompts } }))
        assert.deepStrictEqual(result.content, [{
          type: "text",
          text: JSON.stringify(prompts.map((text) => ({ ok: `<${JSON.stringify({ type: "text", text })}>` })))
        }])
      }))
  }
})
