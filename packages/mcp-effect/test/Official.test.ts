import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { officialClientV2, tools } from "./fixtures/servers.ts"

describe("Official", { timeout: 30_000 }, () => {
  for (const [mode, version] of [["auto", "2026-07-28"], ["legacy", "2025-11-25"]] as const) {
    it.live(`The official client 2.x is asked over MCP ${version}`, () =>
      Effect.gen(function*() {
        const client = yield* officialClientV2(tools(), mode)
        assert.strictEqual(client.getNegotiatedProtocolVersion(), version)
        const prompts = ["one", "two", "three"]
        const result = yield* Effect.promise(() => client.callTool({ name: "askMany", arguments: { prompts } }))
        assert.deepStrictEqual(result.content, [{
          type: "text",
          text: JSON.stringify(prompts.map((text) => ({ ok: `model: ${JSON.stringify({ type: "text", text })}` })))
        }])
      }))
  }
})
