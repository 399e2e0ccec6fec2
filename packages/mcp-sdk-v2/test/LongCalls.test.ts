import { Feature, StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { readUntil } from "@effect-sampling/mcp-suite/RawClient"
import { tool, withEnvelope } from "@effect-sampling/mcp-suite/RoundsClient"
import { assert, describe, it } from "@effect/vitest"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import { Tool } from "effect/ai"

/** A server whose tool ends when the test says so. */
const serve = Effect.gen(function*() {
  const done = yield* Deferred.make<string>()
  const wait = Feature.tool(Tool.make("wait", { success: Schema.String }), () => Deferred.await(done))
  const context = yield* Layer.build(StreamableHttpServer.layer({
    name: "fixture",
    version: "1.0.0",
    features: [wait],
    port: 0,
    keepAlive: "20 millis",
    shutdownGrace: 10
  }))
  return { done, url: Context.get(context, StreamableHttpServer.Address).url }
})

const post = (url: string): Promise<Response> =>
  fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "wait"
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: withEnvelope(tool("wait").params)
    })
  })

describe("Long calls of MCP 2026-07-28 over HTTP", () => {
  it.live("A call that takes long has a stream, which gets comments and then the result", () =>
    Effect.gen(function*() {
      const { done, url } = yield* serve
      const { body, headers } = yield* Effect.promise(() => post(url))
      assert.strictEqual(headers.get("content-type"), "text/event-stream")
      const text = yield* readUntil(body!, (text) => {
        if (text.includes(": keep-alive\n\n")) Deferred.doneUnsafe(done, Effect.succeed("done"))
        return text.includes("data: ")
      })
      assert.match(text, /^(: keep-alive\n\n)+event: message\ndata: \{.*"done".*\}\n\n$/)
    }))

  it.live("A call that ends soon is answered with a single JSON body", () =>
    Effect.gen(function*() {
      const { done, url } = yield* serve
      yield* Deferred.succeed(done, "done")
      const response = yield* Effect.promise(() => post(url))
      assert.strictEqual(response.headers.get("content-type"), "application/json")
      assert.include(yield* Effect.promise(() => response.text()), "done")
    }))

  it.live("The official client receives the result of a long call", () =>
    Effect.gen(function*() {
      const { done, url } = yield* serve
      const client = new Client({ name: "test", version: "1.0.0" }, {
        versionNegotiation: { mode: { pin: "2026-07-28" } }
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => client.connect(new StreamableHTTPClientTransport(new URL(url)))),
        () => Effect.promise(() => client.close())
      )
      yield* Effect.forkScoped(Effect.delay(Deferred.succeed(done, "done"), "1200 millis"))
      const result = yield* Effect.promise(() => client.callTool({ name: "wait", arguments: {} }))
      assert.include(JSON.stringify(result.content), "done")
    }))
})
