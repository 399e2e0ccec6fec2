import { StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { malformed, payload, stray } from "../../mcp-sdk/test/fixtures/malformed.ts"
import { answer } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import type { RawClient } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { httpClient, pipeClient } from "./fixtures/scoped.ts"
import { makeTools } from "./fixtures/tools.ts"

const http = Effect.gen(function*() {
  const context = yield* Layer.build(StreamableHttpServer.layer({
    name: "fixture",
    version: "1.0.0",
    port: 0,
    shutdownGrace: 100,
    features: [makeTools(() => {})]
  }))
  return yield* httpClient(Context.get(context, StreamableHttpServer.Address).url)
})

/** Each on a session that goes on: the answer must neither hang, nor crash the server, nor show what the client sent. */
const checkAll = (client: RawClient) =>
  Effect.forEach(malformed, ({ body, expected, title }) =>
    Effect.gen(function*() {
      const started = Date.now()
      const outcome = yield* Effect.promise(() =>
        client.askAndRespond(`case: ${title}.`, (id) => body(JSON.stringify(id)), 5000)
      )
      assert.isBelow(Date.now() - started, 2000, title)
      if (expected === "answered") assert.isString(outcome.ok, title)
      else {
        assert.strictEqual(outcome.failed, expected, `${title}: ${JSON.stringify(outcome)}`)
        assert.isBelow(outcome.message!.length, 2500, title)
        assert.notInclude(outcome.message!, payload.slice(0, 250), title)
        assert.notMatch(outcome.message!, /\n\s+at /, title)
      }
    }))

const checkStray = (client: RawClient) =>
  Effect.gen(function*() {
    const call = client.startTool("ask", { prompt: "stray" })
    const asked = yield* Effect.promise(() => client.ask("stray"))
    for (const line of stray) yield* Effect.promise(() => client.post(line))
    yield* Effect.promise(() => client.send(answer(asked.id)))
    const response = yield* Effect.promise(() => client.response(call))
    assert.include(JSON.stringify(response), "hello")
  })

describe("Malformed answers", { timeout: 60_000 }, () => {
  // requirement: sampling/validation
  it.live("fail their ask with a typed error at once (stdio)", () => Effect.flatMap(pipeClient(), checkAll))

  it.live("fail their ask with a typed error at once (HTTP)", () => Effect.flatMap(http, checkAll))

  it.live("of no request are passed over (stdio)", () => Effect.flatMap(pipeClient(), checkStray))

  it.live("of no request are passed over (HTTP)", () => Effect.flatMap(http, checkStray))

  it.live("in a batch reach each their ask (stdio)", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({}, { protocolVersion: "2025-03-26" })
      const call = client.startTool("askMany", { prompts: ["one", "two"] })
      const one = yield* Effect.promise(() => client.ask("one"))
      const two = yield* Effect.promise(() => client.ask("two"))
      yield* Effect.promise(() => client.send([answer(two.id, "2"), { jsonrpc: "2.0", id: one.id, result: null }]))
      const response = yield* Effect.promise(() => client.response(call))
      const outcomes = JSON.parse(response.result.content[0].text)
      assert.strictEqual(outcomes[0].failed, "InvalidResponse")
      assert.strictEqual(outcomes[1].ok, "2")
    }))

  it.live("that are no JSON at all leave the session alive (stdio)", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient()
      for (const line of ["", "{", "garbage", "null", "5", "\"x\"", "[]", "[1]", "\u0000", "{}"]) {
        yield* Effect.promise(() => client.post(line))
      }
      const response = yield* Effect.promise(() => client.request("ping"))
      assert.deepStrictEqual(response.result, {})
    }))
})

const errorAnswer = (code: number, message: string, data?: unknown) => (id: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code, message, ...(data !== undefined && { data }) } })

describe("Errors of clients", { timeout: 30_000 }, () => {
  const cases = [
    ["-1 is a rejection", -1, "User rejected sampling request", "SamplingRejected"],
    [
      "the denial of Visual Studio Code is a rejection",
      -32_603,
      "The user has denied permission to call this method.",
      "SamplingRejected"
    ],
    ["-32601 means that it has no handler, whatever it declared", -32_601, "Method not found", "SamplingUnsupported"],
    ["the Python SDK's -32600 means that it has no handler", -32_600, "Sampling not supported", "SamplingUnsupported"],
    ["-32603 is a failure of the client", -32_603, "boom ".repeat(200_000), "ClientError"],
    ["-32000 is a failure of the client, not a lost connection", -32_000, "Connection closed", "ClientError"]
  ] as const
  for (const [title, code, message, expected] of cases) {
    it.live(title, () =>
      Effect.gen(function*() {
        const client = yield* pipeClient()
        const outcome = yield* Effect.promise(() => client.askAndRespond("x", errorAnswer(code, message)))
        assert.strictEqual(outcome.failed, expected)
        assert.isBelow(outcome.message!.length, 500)
        if (expected === "ClientError") assert.strictEqual(outcome.code, code)
      }))
  }

  it.live("a time-out of its own is a failure of the client, not our time-out", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient()
      const outcome = yield* Effect.promise(() =>
        client.askAndRespond("x", errorAnswer(-32_001, "Request timed out", { timeout: 60_000 }))
      )
      assert.strictEqual(outcome.failed, "ClientError")
    }))
})
