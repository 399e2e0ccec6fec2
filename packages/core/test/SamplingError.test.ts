import { ClientSampler, Sampler, SamplingError, SamplingMessage } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import { Tool, Toolkit } from "effect/ai"

const errors: ReadonlyArray<SamplingError.SamplingError> = [
  new SamplingError.SamplingUnsupported({ missing: "backChannel", message: "m" }),
  new SamplingError.SamplingRejected({ message: "m" }),
  new SamplingError.SamplingTimeout({ afterMillis: 1000, message: "m" }),
  new SamplingError.ConnectionLost({ message: "m" }),
  new SamplingError.ClientError({ code: -32603, message: "m" }),
  new SamplingError.InvalidRequest({ message: "m" }),
  new SamplingError.InvalidResponse({ message: "m" }),
  new SamplingError.ProviderError({ provider: "p", reason: "auth", message: "m" }),
  new SamplingError.TurnLimitExceeded({ maxTurns: 2, history: [SamplingMessage.user("hi")], message: "m" }),
  new SamplingError.StructuredOutputError({ attempts: [{ answer: "a", problem: "p" }], message: "m" }),
  new SamplingError.RoundsExceeded({ rounds: 8, message: "m" })
]

describe("SamplingError", () => {
  it("the errors of these tests cover every class of SamplingError", () => {
    const classes = Object.values(SamplingError).filter((value) =>
      typeof value === "function" && value.prototype instanceof Error
    )
    // `ReplayMismatch` ends a call, and no sampler fails with it.
    assert.strictEqual(classes.length, errors.length + 1)
  })

  it.each(errors.map((error) => [error._tag, error] as const))("a %s survives JSON as the same class", (tag, error) => {
    const codec = Schema.fromJsonString(SamplingError.SamplingError)
    const json = Schema.encodeSync(codec)(error)
    const back = Schema.decodeSync(codec)(json)
    assert.deepStrictEqual(back, error)
    assert.strictEqual(back.constructor, error.constructor)
    assert.strictEqual(back.message, "m")
    assert.strictEqual(back.name, `@effect-sampling/core/SamplingError/${tag}`)
    assert.notInclude(json, "stack")
  })

  it("isSamplingError accepts every SamplingError and nothing else", () => {
    for (const error of errors) assert.isTrue(SamplingError.isSamplingError(error))
    for (const other of [undefined, null, "no", new Error("no"), { _tag: "SamplingRejected", message: "no" }]) {
      assert.isFalse(SamplingError.isSamplingError(other))
    }
  })

  it.effect("a SamplingError is caught by its tag", () =>
    Effect.gen(function*() {
      const tag = yield* Effect.fail(errors[1]!).pipe(
        Effect.catchTag("SamplingRejected", (error) => Effect.succeed(error._tag))
      )
      assert.strictEqual(tag, "SamplingRejected")
    }))

  it.effect("a SamplingError that is a tool's declared failure reaches the caller as JSON", () =>
    Effect.gen(function*() {
      const Summarise = Tool.make("Summarise", {
        success: Schema.String,
        failure: SamplingError.SamplingError,
        failureMode: "return"
      })
      const toolkit = Toolkit.make(Summarise)
      const handlers = toolkit.toLayer(
        Effect.map(Sampler.Sampler, (sampler) => ({
          Summarise: () => Effect.map(sampler.sample("hi"), (reply) => reply.text)
        }))
      )
      const results = yield* Effect.flatMap(toolkit, (tools) => tools.handle("Summarise", {})).pipe(
        Effect.flatMap(Stream.runCollect),
        Effect.provide(Layer.provide(handlers, ClientSampler.layer))
      )
      assert.deepStrictEqual(results.map((result) => result.isFailure), [true])
      const { message, ...encoded } = yield* Schema.encodeUnknownEffect(SamplingError.SamplingError)(results[0]!.result)
      assert.deepStrictEqual<unknown>(results[0]!.encodedResult, { message, ...encoded })
      assert.deepStrictEqual<unknown>(encoded, { _tag: "SamplingUnsupported", missing: "client" })
    }))

  it.each<[SamplingError.ProviderErrorReason, boolean]>([
    ["auth", false],
    ["rateLimit", true],
    ["quota", false],
    ["contextLength", false],
    ["contentFilter", false],
    ["notFound", false],
    ["badRequest", false],
    ["unavailable", true],
    ["timeout", true]
  ])("isRetryable of a ProviderError with the reason %s is %s", (reason, expected) => {
    const error = new SamplingError.ProviderError({ provider: "p", reason, message: "m" })
    assert.strictEqual(error.isRetryable, expected)
  })

  it("the table of retryable reasons covers every reason of a ProviderError", () => {
    assert.strictEqual(SamplingError.ProviderErrorReason.literals.length, 9)
  })
})
