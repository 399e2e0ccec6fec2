import { Sampler } from "@effect-sampling/core"
import type { OpenAiSampler } from "@effect-sampling/openai"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createMessage, key, setup } from "./support.ts"

const { raw } = OpenAiServer

const sampled = (reply: Parameters<typeof setup>[0], options: OpenAiSampler.Options) =>
  Effect.gen(function*() {
    const result = yield* Effect.flip(Sampler.sample("PROMPT"))
    const server = yield* OpenAiServer.OpenAiServer
    return { error: result, server, requests: yield* server.requests }
  }).pipe(Effect.provide(setup(reply, { maxRetries: 2, ...options })))

describe("large answers", () => {
  const filler = `"${"x".repeat(100_000)}",`
  const limit = { maxReplyBytes: 1_000_000 }
  const replies: Record<string, OpenAiServer.Reply> = {
    "a huge answer": raw({ body: `[${filler.repeat(20)}0]` }),
    "a huge gzip answer": raw({ body: `[${filler.repeat(20)}0]`, gzip: true }),
    "a huge answer that is no JSON": raw({ body: "x".repeat(2_000_000), headers: { "content-type": "text/html" } })
  }
  for (const [what, reply] of Object.entries(replies)) {
    it.live(`${what} fails with a ProviderError that names the limit, and is not asked for again`, () =>
      Effect.gen(function*() {
        const { error, requests } = yield* sampled(reply, limit)
        assert.strictEqual(error._tag, "ProviderError")
        assert.include(error.message, "larger than the limit (maxReplyBytes)")
        assert.strictEqual(requests.length, 1)
      }))
  }

  for (const gzip of [false, true]) {
    it.live(`an endless ${gzip ? "gzip " : ""}answer is cut at the limit, and its connection is closed`, () =>
      Effect.gen(function*() {
        const server = yield* OpenAiServer.OpenAiServer
        const error = yield* Effect.flip(Sampler.sample("Hi"))
        assert.propertyVal(error, "reason", "badRequest")
        yield* server.nextAbort
      }).pipe(Effect.provide(setup(raw({ body: filler, end: "endless", gzip }), limit))))
  }

  it.live("an endless answer with an error status keeps the reason of its status, and its connection is closed", () =>
    Effect.gen(function*() {
      const server = yield* OpenAiServer.OpenAiServer
      const error = yield* Effect.flip(Sampler.sample("Hi"))
      assert.propertyVal(error, "reason", "auth")
      yield* server.nextAbort
    }).pipe(Effect.provide(setup(raw({ status: 401, body: filler, end: "endless", gzip: true }), limit))))

  it.live("an endless gzip answer is cut at 32 MiB by default", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Sampler.sample("Hi"))
      assert.include(error.message, "maxReplyBytes")
    }).pipe(Effect.provide(setup(raw({ body: filler, end: "endless", gzip: true })))))

  it.live("a compressed answer below the limit arrives whole", () =>
    Effect.gen(function*() {
      const body = JSON.stringify({ choices: [{ message: { content: "x".repeat(900_000) }, finish_reason: "stop" }] })
      const reply = yield* Sampler.sample("Hi").pipe(Effect.provide(setup(raw({ body, gzip: true }), limit)))
      assert.strictEqual(reply.text.length, 900_000)
    }))
})

describe("redirects", () => {
  for (const status of [301, 302, 303, 307, 308]) {
    it.live(`a redirect (${status}) to another host is not followed, and the prompt does not reach it`, () =>
      Effect.gen(function*() {
        const other = yield* OpenAiServer.make()
        const { error, requests } = yield* sampled(
          raw({ status, headers: { location: `${other.url}/chat/completions` }, body: "" }),
          {}
        )
        assert.strictEqual(error._tag, "ProviderError")
        assert.propertyVal(error, "reason", "notFound")
        assert.include(error.message, "redirected the request away from its baseUrl")
        assert.include(error.message, "baseUrl")
        assert.notInclude(error.message, other.url)
        assert.deepStrictEqual(yield* other.requests, [])
        assert.strictEqual(requests.length, 1)
      }))
  }

  it.live("a redirect within the server is followed with the prompt and the key", () =>
    Effect.gen(function*() {
      const { requests } = yield* OpenAiServer.OpenAiServer
      assert.strictEqual((yield* Sampler.sample("Hi")).text, "Hello")
      const [first, second] = yield* requests
      assert.strictEqual(second?.body, first?.body)
      assert.strictEqual(second?.headers.authorization, `Bearer ${key}`)
    }).pipe(Effect.provide(
      setup([raw({ status: 307, headers: { location: "/v1/chat/completions" }, body: "moved" }), "Hello"])
    )))

  it.live("a redirect from the server to itself ends", () =>
    Effect.gen(function*() {
      const loop = raw({ status: 308, headers: { location: "/v1/chat/completions" }, body: "" })
      const { error, requests } = yield* sampled({ reply: () => loop }, {})
      assert.include(error.message, "redirected")
      assert.strictEqual(requests.length, 6)
    }))

  it.live("a redirect whose target is no URL is not followed", () =>
    Effect.gen(function*() {
      const { error } = yield* sampled(raw({ status: 307, headers: { location: "http://[" }, body: "" }), {})
      assert.include(error.message, "redirected")
    }))
})

describe("Idempotency-Key", () => {
  const keys = Effect.flatMap(
    OpenAiServer.OpenAiServer,
    ({ requests }) => Effect.map(requests, (all) => all.map(({ headers }) => headers["idempotency-key"]))
  )

  it.live("a request that is sent again after its connection broke keeps its Idempotency-Key, and another has its own", () =>
    Effect.gen(function*() {
      yield* Sampler.sample("Hi")
      yield* Sampler.sample("Hi")
      const [first, second, third, fourth] = yield* keys
      assert.match(String(first), /^[\w-]{36,}$/)
      assert.deepStrictEqual([second, third], [first, first])
      assert.notStrictEqual(fourth, first)
    }).pipe(Effect.provide(setup(
      [OpenAiServer.drop, OpenAiServer.failure(503, {}, { "retry-after-ms": "1" }), "Hello", "Hello"],
      { maxRetries: 2 }
    ))))

  it.live("a request that is sent again with another body has another Idempotency-Key", () =>
    Effect.gen(function*() {
      yield* createMessage({ responseFormat: { name: "a", schema: { type: "object" } } })
      const [first, second] = yield* keys
      assert.isDefined(second)
      assert.notStrictEqual(second, first)
    }).pipe(Effect.provide(setup({ responseFormat: "refused" }))))
})
