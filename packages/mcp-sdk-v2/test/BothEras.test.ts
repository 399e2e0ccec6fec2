import { serveTools } from "@effect-sampling/mcp-suite/connect"
import { repeatLast } from "@effect-sampling/mcp-suite/outcomes"
import { overHttp, tool } from "@effect-sampling/mcp-suite/RoundsClient"
import { assert, describe, it } from "@effect/vitest"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { Effect } from "effect"
import { adapter, newClient } from "./fixtures/adapter.ts"

describe("StreamableHttpServer for both eras", { timeout: 30_000 }, () => {
  it.live("Clients of both eras are served at one address at the same time", () =>
    Effect.gen(function*() {
      const { url } = yield* serveTools(adapter)
      yield* Effect.forEach(
        Array.from({ length: 20 }, (_, index) => adapter.eras[index % 2]!),
        Effect.fnUntraced(function*(era, index) {
          const client = yield* Effect.acquireRelease(
            Effect.promise(async () => {
              const it = newClient({ era, sample: repeatLast })
              await it.connect(new StreamableHTTPClientTransport(new URL(url)))
              return it
            }),
            (it) => Effect.promise(() => it.close())
          )
          assert.strictEqual(client.getNegotiatedProtocolVersion(), era)
          const result = yield* Effect.promise(() =>
            client.callTool({ name: "ask", arguments: { prompt: `prompt ${index}.` } })
          )
          assert.include(JSON.stringify(result.content), `prompt ${index}.`)
        }),
        { concurrency: "unbounded", discard: true }
      )
    }))

  it.live("A client without a preference gets the newer era", () =>
    Effect.gen(function*() {
      const { url } = yield* serveTools(adapter)
      const client = new Client({ name: "c", version: "1" }, { versionNegotiation: { mode: "auto" } })
      yield* Effect.acquireRelease(
        Effect.promise(() => client.connect(new StreamableHTTPClientTransport(new URL(url)))),
        () => Effect.promise(() => client.close())
      )
      assert.strictEqual(client.getNegotiatedProtocolVersion(), "2026-07-28")
      assert.deepInclude(client.getServerVersion(), { name: "fixture", version: "1.0.0" })
    }))

  it.live("Requests of 2026-07-28 that are malformed, or of an unknown revision, are refused", () =>
    Effect.gen(function*() {
      const { url } = yield* serveTools(adapter)
      const send = overHttp(url)
      const call = tool("ask", { prompt: "x" })
      const reply = (headers: Record<string, string>) => Effect.promise(() => send({ ...call, headers }))
      assert.strictEqual((yield* reply({ "mcp-protocol-version": "2099-01-01" })).status, 400)
      assert.strictEqual((yield* reply({ "mcp-name": "another" })).status, 400)
      assert.strictEqual((yield* reply({ "mcp-method": "prompts/get" })).status, 400)
      assert.strictEqual((yield* reply({ "content-type": "text/plain" })).status, 415)
      assert.strictEqual((yield* reply({ origin: "https://evil.example" })).status, 403)
      assert.strictEqual((yield* reply({})).status, 200)
    }))
})
