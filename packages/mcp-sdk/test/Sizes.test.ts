/* oxlint-disable typescript/no-unsafe-type-assertion -- assertions look into what came over the wire */
import * as OversizedMessage from "@effect-sampling/mcp-kit/internal/oversizedMessage"
import { StdioTransport, StreamableHttpServer } from "@effect-sampling/mcp-sdk"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { Buffer } from "node:buffer"
import { PassThrough, Writable } from "node:stream"
import { answer, isAsk, outcomeOf, textOf } from "./fixtures/RawClient.ts"
import { httpClient, pipeClient } from "./fixtures/scoped.ts"
import { makeTools } from "./fixtures/tools.ts"

const http = (maxBodyBytes?: number) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(StreamableHttpServer.layer({
      name: "fixture",
      version: "1.0.0",
      port: 0,
      maxBodyBytes,
      shutdownGrace: 100,
      features: [makeTools(() => {})]
    }))
    return yield* httpClient(Context.get(context, StreamableHttpServer.Address).url)
  })

describe("Sizes over stdio", { timeout: 30_000 }, () => {
  it.live("an answer over the limit fails its ask, and the session and its other asks go on", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({ maxMessageBytes: 10_000 })
      for (const idFirst of [true, false]) {
        const call = client.startTool("askMany", { prompts: [`big ${idFirst}`, `small ${idFirst}`] })
        const big = yield* Effect.promise(() => client.ask(`big ${idFirst}`))
        const small = yield* Effect.promise(() => client.ask(`small ${idFirst}`))
        const { result } = answer(0, `"method": ${"x".repeat(20_000)} "id":`) as { readonly result: object }
        yield* Effect.promise(() =>
          client.send(
            idFirst ? { jsonrpc: "2.0", id: big.id, result } : { result, jsonrpc: "2.0", id: big.id }
          )
        )
        yield* Effect.promise(() => client.send(answer(small.id)))
        const response = yield* Effect.promise(() => client.response(call))
        const outcomes = JSON.parse(textOf(response))
        assert.strictEqual(outcomes[0].failed, "InvalidResponse")
        assert.include(outcomes[0].message, "10000 bytes")
        assert.strictEqual(outcomes[1].ok, "hello")
      }
    }))

  it.live("a request over the limit gets an error", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({ maxMessageBytes: 10_000 })
      const parameters = { name: "ask", arguments: { prompt: "x".repeat(20_000) } }
      const sent = [
        { jsonrpc: "2.0", id: "first", method: "tools/call", params: parameters },
        { method: "tools/call", params: parameters, jsonrpc: "2.0", id: 1001 },
        { params: parameters, jsonrpc: "2.0", id: 1002, method: "tools/call" }
      ]
      for (const request of sent) {
        yield* Effect.promise(() => client.send(request))
        const response = yield* Effect.promise(() => client.received.find(({ id }) => id === request.id))
        assert.include(response.error!.message, "10000 bytes")
      }
    }))

  it.live("an ask over the limit is not sent and fails as an invalid request", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({ maxMessageBytes: 10_000 })
      const response = yield* Effect.promise(() =>
        client.request("tools/call", { name: "askLarge", arguments: { size: 20_000 } })
      )
      const outcome = outcomeOf(response)
      assert.strictEqual(outcome.failed, "InvalidRequest")
      assert.include(outcome.message!, "10000 bytes")
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  it.live("a tool result over the limit becomes an error that says so", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({ maxMessageBytes: 10_000 })
      const response = yield* Effect.promise(() =>
        client.request("tools/call", { name: "large", arguments: { size: 20_000 } })
      )
      assert.include(response.error!.message, "10000 bytes")
      assert.isUndefined(response.error!.data)
    }))

  it.live("an error response over the limit becomes a shorter one", () =>
    Effect.gen(function*() {
      const stdout = new PassThrough()
      const transport = StdioTransport.make({ stdin: new PassThrough(), stdout, maxMessageBytes: 1000 })
      yield* Effect.promise(() =>
        transport.send({ jsonrpc: "2.0", id: 7, error: { code: -1, message: "x".repeat(2000) } })
      )
      const written = JSON.parse(String(stdout.read()))
      assert.strictEqual(written.id, 7)
      assert.include(written.error.message, "1000 bytes")
    }))

  it.live("ten megabytes go both ways", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({ maxMessageBytes: 12_000_000 })
      const call = client.startTool("askLarge", { size: 10_000_000 })
      const asked = yield* Effect.promise(() => client.received.find(isAsk))
      assert.strictEqual(asked.params.messages[0].content.text.length, 10_000_000)
      yield* Effect.promise(() => client.send(answer(asked.id, "y".repeat(10_000_000))))
      const response = yield* Effect.promise(() => client.response(call))
      assert.strictEqual(outcomeOf(response).ok, "10000000 characters")
    }))

  it.live("many writers that wait for a slow reader add one listener", () =>
    Effect.gen(function*() {
      const release: Array<() => void> = []
      const stdout = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void release.push(done) })
      const transport = StdioTransport.make({ stdin: new PassThrough(), stdout })
      const sent = Array.from({ length: 50 }, (_, id) => transport.send({ jsonrpc: "2.0", id, result: {} }))
      assert.isBelow(stdout.listenerCount("drain"), 3)
      const drain = setInterval(() => release.shift()?.(), 0)
      yield* Effect.promise(() => Promise.all(sent))
      clearInterval(drain)
      yield* Effect.promise(() => transport.close())
    }))
})

describe("oversizedMessage", () => {
  const ends = (text: string): [string, string] => [text.slice(0, 512), text.slice(-512)]
  const large = "x".repeat(2000)
  const cases: ReadonlyArray<[string, unknown]> = [
    [`{"jsonrpc":"2.0","id":5,"result":{"x":"${large}"}}`, { kind: "answer", id: 5 }],
    [`{"id":"5","jsonrpc":"2.0","result":{"x":"${large}"}}`, { kind: "answer", id: "5" }],
    [`{ "result": {"x":"${large}"},\n "jsonrpc": "2.0", "id": 5 }`, { kind: "answer", id: 5 }],
    [`{"result":{"x":"${large}"},"id":5,"jsonrpc":"2.0"}`, { kind: "answer", id: 5 }],
    [`{"error":{"code":1,"message":"${large}"},"id":5,"jsonrpc":"2.0"}`, { kind: "answer", id: 5 }],
    [`{"jsonrpc":"2.0","id":5,"method":"x","params":{"x":"${large}"}}`, { kind: "request", id: 5 }],
    [`{"method":"x","params":{"x":"${large}"},"jsonrpc":"2.0","id":5}`, { kind: "request", id: 5 }],
    [`{"params":{"x":"${large}"},"method":"x","id":5}`, { kind: "request", id: 5 }],
    [`{"id":5,"params":{"x":"${large}"},"method":"x"}`, { kind: "request", id: 5 }],
    [`{"result":{"x":"${large}","id":9},"id":5}`, { kind: "answer", id: 5 }],
    [`{"result":{"id":9,"x":"${large}","id":9}}`, undefined],
    [`{"method":"notifications/x","params":{"x":"${large}"}}`, undefined],
    [`{"result":{"id":"${large}`, undefined],
    [large, undefined]
  ]
  it.each(cases)("tells what %s is", (text, expected) => {
    assert.deepStrictEqual(OversizedMessage.make(...ends(text)), expected)
  })
})

describe("Sizes over HTTP", { timeout: 30_000 }, () => {
  it.live("an answer over the limit gets 413 and fails its ask; other asks and the session go on", () =>
    Effect.gen(function*() {
      const client = yield* http(10_000)
      const call = client.startTool("askMany", { prompts: ["big", "small"] })
      const big = yield* Effect.promise(() => client.ask("big"))
      const small = yield* Effect.promise(() => client.ask("small"))
      const refused = yield* Effect.promise(() => client.send(answer(big.id, "x".repeat(20_000))) as Promise<Response>)
      assert.strictEqual(refused.status, 413)
      yield* Effect.promise(() => client.send(answer(small.id)))
      const outcomes = JSON.parse(textOf(yield* Effect.promise(() => client.response(call))))
      assert.strictEqual(outcomes[0].failed, "InvalidResponse")
      assert.include(outcomes[0].message, "10000 bytes")
      assert.strictEqual(outcomes[1].ok, "hello")
      assert.deepStrictEqual((yield* Effect.promise(() => client.request("ping"))).result, {})
    }))

  it.live("a body far over the limit is cut off, and the server goes on", () =>
    Effect.gen(function*() {
      const client = yield* http(10_000)
      const status = yield* Effect.promise(() =>
        fetch(client.url, { method: "POST", headers: client.headers(), body: Buffer.alloc(50_000_000, "x") }).then(
          (response) => response.status,
          () => 413
        )
      )
      assert.strictEqual(status, 413)
      assert.deepStrictEqual((yield* Effect.promise(() => client.request("ping"))).result, {})
    }))

  it.live("ten megabytes go both ways", () =>
    Effect.gen(function*() {
      const client = yield* http(12_000_000)
      const call = client.startTool("askLarge", { size: 10_000_000 })
      const asked = yield* Effect.promise(() => client.received.find(isAsk))
      yield* Effect.promise(() => client.send(answer(asked.id, "y".repeat(10_000_000))))
      const response = yield* Effect.promise(() => client.response(call))
      assert.strictEqual(outcomeOf(response).ok, "10000000 characters")
    }))
})
