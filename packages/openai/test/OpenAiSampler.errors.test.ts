import { Sampler } from "@effect-sampling/core"
import * as Advice from "@effect-sampling/core/wire/Advice"
import type { OpenAiSampler } from "@effect-sampling/openai"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import { key, setup } from "./support.ts"

const { failure } = OpenAiServer

const failed = (reply: Parameters<typeof setup>[0], options?: OpenAiSampler.Options) =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Sampler.sample("PROMPT"))
    if (error._tag !== "ProviderError") return assert.fail(`${error._tag}: ${error.message}`)
    for (const text of [error.message, JSON.stringify(error), inspect(error, { depth: 20, showHidden: true })]) {
      for (const secret of [key, "BODY", "PROMPT", "HEADER", "PASSWORD"]) assert.notInclude(text, secret)
    }
    return error
  }).pipe(Effect.provide(setup(reply, options)))

const json = (body: unknown, status?: number) => OpenAiServer.raw({ status, body: JSON.stringify(body) })

const message = "BODY"

describe("reasons", () => {
  const cases: ReadonlyArray<[what: string, reply: OpenAiServer.Reply, reason: string, advice: string]> = [
    ["401", failure(401, { message, code: "invalid_api_key" }), "auth", "Check the option apiKey"],
    ["403", failure(403, { message }), "auth", "apiKey"],
    ["429", failure(429, { message, code: "rate_limit_exceeded" }), "rateLimit", "fewer requests"],
    ["429 without a code", failure(429, { message }), "rateLimit", "fewer requests"],
    ["429 insufficient_quota", failure(429, { message, code: "insufficient_quota" }), "quota", "billing"],
    ["429 with the type insufficient_quota", failure(429, { message, type: "insufficient_quota" }), "quota", "billing"],
    ["402", failure(402, { message }), "quota", "billing"],
    ["404", failure(404, { message, code: "model_not_found" }), "notFound", "gpt-4.1-mini"],
    ["404 as HTML", OpenAiServer.raw({ status: 404, body: "<h1>BODY</h1>" }), "notFound", "/v1"],
    [
      "400 context_length_exceeded",
      failure(400, { message, code: "context_length_exceeded" }),
      "contextLength",
      "Shorten"
    ],
    [
      "400 of vLLM",
      json(
        { object: "error", message: "BODY", error: { message: "This model's maximum context length is 8 BODY" } },
        400
      ),
      "contextLength",
      "Shorten"
    ],
    ["413", failure(413, { message }), "contextLength", "Shorten"],
    [
      "400 content_policy_violation",
      failure(400, { message, code: "content_policy_violation" }),
      "contentFilter",
      "Change"
    ],
    ["400 content_filter", failure(400, { message, code: "content_filter" }), "contentFilter", "Change"],
    ["400", failure(400, { message }), "badRequest", "Check that the model supports"],
    [
      "400 that names a known parameter",
      failure(400, { message, param: "messages[0].content" }),
      "badRequest",
      "the messages"
    ],
    [
      "400 that names an unknown parameter",
      failure(400, { message, param: "BODY" }),
      "badRequest",
      "Check that the model supports"
    ],
    ["422", failure(422, { message }), "badRequest", "Check that the model supports"],
    ["409", failure(409, { message }), "badRequest", "Check that the model supports"],
    ["408", failure(408, { message }), "timeout", "timeout"],
    ["500", failure(500, { message }), "unavailable", "later"],
    ["503 as HTML", OpenAiServer.raw({ status: 503, body: "<h1>BODY</h1>" }), "unavailable", "later"],
    ["304", OpenAiServer.raw({ status: 304, body: "" }), "unavailable", "later"],
    ["529", failure(529, { message }), "unavailable", "later"],
    [
      "500 with a body that breaks off",
      OpenAiServer.raw({ status: 500, body: "BODY", end: "cut" }),
      "unavailable",
      "later"
    ],
    ["a body that breaks off", OpenAiServer.raw({ body: `{"BODY":`, end: "cut" }), "unavailable", "broke"],
    ["a connection that is closed", OpenAiServer.drop, "unavailable", "cannot be reached"],
    ["200 with an error", json({ error: { message, code: 429 } }), "rateLimit", "fewer requests"],
    ["200 with an error code", json({ error: { message, code: "insufficient_quota" } }), "quota", "billing"],
    ["200 with an error and empty choices", json({ error: { message }, choices: [] }), "unavailable", "later"],
    ["200 with an error that is a string", json({ error: "BODY" }), "unavailable", "later"],
    ["400 with an error that is a string", json({ error: "BODY context window BODY" }, 400), "contextLength", "Shorten"]
  ]
  for (const [what, reply, reason, advice] of cases) {
    it.live(`a failed request (${what}) becomes a ProviderError with the reason ${reason}`, () =>
      Effect.gen(function*() {
        const error = yield* failed(reply)
        assert.strictEqual(error.reason, reason)
        assert.strictEqual(error.provider, "openai")
        assert.include(`${error.message} ${Advice.of(error)}`, advice)
        assert.notMatch(error.message, /OPENAI_|[Cc]heck|billing|Raise/)
        const status = /^\d{3}/.exec(what)?.[0]
        if (status !== undefined && status !== "200") {
          assert.strictEqual(error.status, Number(status))
          assert.include(error.message, `HTTP ${status}`)
        }
      }))
  }

  it.live("a wrong key fails with the reason auth", () =>
    Effect.gen(function*() {
      const error = yield* failed({ apiKey: "another" })
      assert.strictEqual(error.reason, "auth")
      assert.isFalse(error.isRetryable)
    }))
})

describe("unusable servers and settings", () => {
  const fails = (options: OpenAiSampler.Options) =>
    failed({}, { maxRetries: 0, apiKey: Redacted.make(key), ...options })

  it.live("a refused connection fails with the reason unavailable", () =>
    Effect.gen(function*() {
      const error = yield* fails({ baseUrl: "http://127.0.0.1:1/v1" })
      assert.strictEqual(error.reason, "unavailable")
      assert.include(error.message, "baseUrl")
      assert.include(Advice.of(error), "the option baseUrl points to it")
    }))

  it.live("a host that does not exist fails with the reason unavailable", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* fails({ baseUrl: "http://does-not-exist.invalid/v1" })).reason, "unavailable")
    }))

  for (const baseUrl of ["localhost:11434/v1", "/v1", "ftp://localhost/v1", "not a URL"]) {
    it.live(`the invalid base URL "${baseUrl}" fails with the reason badRequest and names baseUrl`, () =>
      Effect.gen(function*() {
        const error = yield* fails({ baseUrl })
        assert.strictEqual(error.reason, "badRequest")
        assert.include(error.message, "baseUrl is not an http or https URL")
      }))
  }

  it.live("credentials in the base URL are refused, and the error does not show them", () =>
    Effect.gen(function*() {
      const error = yield* fails({ baseUrl: "http://me:PASSWORD@127.0.0.1:1/v1" })
      assert.include(error.message, "user name or password")
      assert.strictEqual(error.reason, "badRequest")
    }))

  it.live("a key with characters that a header does not allow is refused, and the error does not show it", () =>
    Effect.gen(function*() {
      const error = yield* fails({ apiKey: Redacted.make(`${key}\nX-HEADER: 1`) })
      assert.include(error.message, "apiKey")
    }))
})

describe("retryAfterMillis", () => {
  const cases: ReadonlyArray<[headers: Record<string, string>, millis: number | undefined]> = [
    [{ "retry-after-ms": "1500", "retry-after": "7" }, 1500],
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "9".repeat(310) }, undefined],
    [{ "retry-after-ms": "9".repeat(310), "retry-after": "7" }, 7000],
    [{ "retry-after": "-1" }, undefined],
    [{}, undefined]
  ]
  for (const [headers, millis] of cases) {
    it.live(`retryAfterMillis is ${millis} for the headers ${JSON.stringify(headers).slice(0, 60)}`, () =>
      Effect.gen(function*() {
        const error = yield* failed(failure(429, {}, { ...headers, "x-secret": "HEADER" }))
        assert.strictEqual(error.retryAfterMillis, millis)
      }))
  }

  it.live("retryAfterMillis counts from now to the date in the header", () =>
    Effect.gen(function*() {
      const date = new Date(Date.now() + 3_600_000).toUTCString()
      const error = yield* failed(failure(503, {}, { "retry-after": date }))
      assert.isAbove(error.retryAfterMillis ?? 0, 3_500_000)
      assert.isAtMost(error.retryAfterMillis ?? 0, 3_600_000)
    }))
})

describe("retries", () => {
  const soon = { "retry-after-ms": "1" }

  const attempts = (
    replies: ReadonlyArray<OpenAiServer.Reply>,
    options: OpenAiSampler.Options = { maxRetries: 2 }
  ) =>
    Effect.gen(function*() {
      const outcome = yield* Effect.result(Sampler.sample("Hi"))
      const { requests } = yield* OpenAiServer.OpenAiServer
      return [outcome._tag, (yield* requests).length]
    }).pipe(Effect.provide(setup(replies, options)))

  it.live("a rate-limited or failed request is sent again after the wait that the server asks for", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* attempts([failure(429, {}, soon), failure(503, {}, soon), "Hello"]), ["Success", 3])
    }))

  it.live("a failed request is sent again after a short wait when the server names none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* attempts([OpenAiServer.drop, "Hello"]), ["Success", 2])
    }))

  it.live("the last error is reported when every retry fails", () =>
    Effect.gen(function*() {
      const reply = failure(429, {}, soon)
      assert.deepStrictEqual(yield* attempts([reply, reply, reply, "Hello"]), ["Failure", 3])
      assert.deepStrictEqual(yield* attempts([reply, "Hello"], { maxRetries: 0 }), ["Failure", 1])
    }))

  it.live("a wrong request, an exhausted quota, a malformed answer or a wait of over a minute is not retried", () =>
    Effect.gen(function*() {
      for (
        const reply of [
          failure(400, {}, soon),
          failure(429, { code: "insufficient_quota" }, soon),
          OpenAiServer.raw({ body: "{" }),
          failure(429, {}, { "retry-after": "61" })
        ]
      ) assert.deepStrictEqual(yield* attempts([reply, "Hello"]), ["Failure", 1])
    }))
})

describe("timeout", () => {
  const hanging: Record<string, OpenAiServer.Reply> = {
    "no answer": OpenAiServer.hang,
    "half a body": OpenAiServer.raw({ body: `{"choices":`, end: "hang" }),
    "half an error body": OpenAiServer.raw({ status: 500, body: `{"error":`, end: "hang" })
  }
  for (const [what, reply] of Object.entries(hanging)) {
    it.effect(`a time-out with ${what} aborts the HTTP request, which is not sent again`, () =>
      Effect.gen(function*() {
        const server = yield* OpenAiServer.OpenAiServer
        const fiber = yield* Effect.forkChild(Effect.flip(Sampler.sample("Hi")))
        yield* server.nextRequest
        yield* TestClock.adjust("30 seconds")
        const error = yield* Fiber.join(fiber)
        assert.propertyVal(error, "reason", "timeout")
        assert.include(error.message, "30000 ms")
        yield* server.nextAbort
        assert.strictEqual((yield* server.requests).length, 1)
      }).pipe(Effect.provide(setup(reply, { timeout: "30 seconds", maxRetries: 2 }))))
  }
})
