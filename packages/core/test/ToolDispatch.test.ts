import { Content, ToolDispatch } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Latch, Layer, Ref, Schema, Stream } from "effect"
import { AiError, Prompt, Tool, Toolkit } from "effect/ai"

class Refused extends Schema.TaggedError<Refused>("test/Refused")("Refused", { why: Schema.String }) {}

class Tenant extends Context.Service<Tenant, string>()("test/Tenant") {}

const DateText = Schema.DateFromString

const parameters = Schema.Struct({ mode: Schema.String, at: Schema.optionalKey(DateText) })

const Strict = Tool.make("strict", { parameters, success: Schema.Struct({ at: DateText }), failure: Refused })

const Lenient = Tool.make("lenient", {
  parameters,
  success: Schema.Struct({ at: DateText }),
  failure: Refused,
  failureMode: "return"
})

const Shown = Tool.make("shown", {
  success: Schema.Array(Content.Content),
  toModelOutput: Content.toModelOutput
})

const Scoped = Tool.make("scoped", { success: Schema.String, dependencies: [Tenant] })

const Raw = Tool.dynamic("raw", {
  parameters: { type: "object", properties: { anything: {} } },
  success: Schema.Unknown
})

const Tools = Toolkit.make(Strict, Lenient, Shown, Scoped, Raw)

const at = Schema.decodeSync(DateText)("2026-01-02T03:04:05.000Z")

const act = ({ at: given, mode }: typeof parameters.Type): Effect.Effect<
  { at: Date },
  Refused | AiError.AiError | AiError.AiErrorReason
> => {
  switch (mode) {
    case "ok":
      return Effect.succeed({ at: given ?? at })
    case "refuse":
      return Effect.fail(new Refused({ why: "because" }))
    case "ai":
      return Effect.fail(new AiError.UnknownError({ description: "the model is away" }))
    case "invalid":
      // A handler written without types may return any value.
      return Effect.succeed(JSON.parse(`{"at":"tomorrow"}`))
    case "interrupt":
      return Effect.interrupt
    default:
      return Effect.die(new Error("broken"))
  }
}

const handlers = Tools.toLayer({
  strict: act,
  lenient: act,
  shown: () => Effect.succeed([{ type: "image" as const, data: "AAAA", mimeType: "image/png" }]),
  scoped: () => Effect.service(Tenant),
  raw: (given) => Effect.succeed(given)
})

/** The final result of `Toolkit.handle`, in the form of a dispatch outcome. */
const handle = Effect.fnUntraced(function*(name: keyof typeof Tools.tools, given: unknown) {
  const toolkit = yield* Tools
  // The parameters are those of a model, which need not fit the tool: the tests are about both cases.
  const stream = yield* toolkit.handle(name, given)
  const { preliminary: _, ...outcome } = (yield* Stream.runCollect(stream)).at(-1)!
  return outcome
})

const call = Effect.fnUntraced(function*(name: string, given: unknown) {
  const dispatch = yield* ToolDispatch.make(Tools)
  return yield* dispatch.call(name, given)
})

const callWithHandlers = Effect.fnUntraced(function*(name: string, given: unknown) {
  const dispatch = yield* ToolDispatch.make(yield* Tools)
  return yield* dispatch.call(name, given)
})

/** The dispatch of a toolkit that an effect returns with its handlers. */
const handlersOf = <All extends Record<string, Tool.Any>, E, R>(
  toolkit: Toolkit.Toolkit<All>,
  layer: Layer.Layer<Tool.HandlersFor<All>, E, R>
) => ToolDispatch.make(Effect.provide(toolkit, layer))

/** An exit in a comparable form: errors by tag and message, each with the phase that failed. */
const summary = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.isSuccess(exit) ? simplify(exit.value) : exit.cause.reasons.map((reason) =>
    Cause.isFailReason(reason)
      ? [simplify(reason.error), Context.get(Cause.reasonAnnotations(reason), Toolkit.FailureOrigin)]
      : Cause.isDieReason(reason)
      ? String(reason.defect)
      : "interrupted"
  )

const simplify = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, inner: unknown) => inner instanceof Error ? String(inner) : inner) ?? "null")

const cases: ReadonlyArray<[name: keyof typeof Tools.tools, given: unknown]> = [
  ["strict", { mode: "ok" }],
  ["strict", { mode: "ok", at: "2025-05-05T00:00:00.000Z", excess: 1 }],
  ["strict", { mode: 5 }],
  ["strict", null],
  ["strict", { mode: "refuse" }],
  ["strict", { mode: "ai" }],
  ["strict", { mode: "invalid" }],
  ["strict", { mode: "die" }],
  ["lenient", { mode: "ok" }],
  ["lenient", { at: 1 }],
  ["lenient", { mode: "refuse" }],
  ["lenient", { mode: "ai" }],
  ["lenient", { mode: "invalid" }],
  ["lenient", { mode: "die" }],
  ["shown", {}],
  ["scoped", {}],
  ["raw", { anything: [1] }]
]

describe("ToolDispatch", () => {
  for (const [name, given] of cases) {
    it.effect(`a dispatched call of ${name} with ${JSON.stringify(given)} ends as with Toolkit.handle`, () =>
      Effect.gen(function*() {
        const expected = yield* Effect.exit(handle(name, given))
        const actual = yield* Effect.exit(call(name, given))
        assert.deepStrictEqual(summary(actual), summary(expected))
        const ofHandlers = yield* Effect.exit(callWithHandlers(name, given))
        assert.deepStrictEqual(summary(ofHandlers), summary(expected))
      }).pipe(Effect.provide(handlers), Effect.provideService(Tenant, "acme")))
  }

  it.effect("a dispatched call of an unknown tool fails with an AiError that lists the tools", () =>
    Effect.gen(function*() {
      for (const dispatched of [call, callWithHandlers]) {
        for (const name of ["missing", "toString", "__proto__"]) {
          const error = yield* Effect.flip(dispatched(name, {}))
          assert.isTrue(AiError.isAiError(error))
          assert.include(String(error), "strict")
        }
      }
    }).pipe(Effect.provide(handlers), Effect.provideService(Tenant, "acme")))

  it.effect("a dispatched call prefers the caller's services to those of the handlers' layer", () =>
    Effect.gen(function*() {
      const built = yield* ToolDispatch.make(Tools).pipe(
        Effect.provide(Layer.provide(handlers, Layer.succeed(Tenant, "layer")))
      )
      const outcome = yield* built.call("scoped", {}).pipe(Effect.provideService(Tenant, "caller"))
      assert.strictEqual(outcome.result, "caller")
    }))

  it.effect("a dispatched call adds services of the handlers' layer, and keeps a caller's service that is undefined", () =>
    Effect.gen(function*() {
      const Locale = Context.Reference<string | undefined>("test/Locale", { defaultValue: () => "default" })
      const Read = Toolkit.make(Tool.make("read", { success: Schema.Unknown }))
      const dispatch = yield* ToolDispatch.make(Read).pipe(
        Effect.provide(
          Layer.provide(Read.toLayer({ read: () => Effect.service(Locale) }), Layer.succeed(Locale, "layer"))
        )
      )
      assert.strictEqual((yield* dispatch.call("read", {})).result, "layer")
      const overridden = yield* dispatch.call("read", {}).pipe(Effect.provideService(Locale, undefined))
      assert.strictEqual(overridden.result, undefined)
    }))

  it.effect("preliminary results reach the caller encoded, before the handler ends", () =>
    Effect.gen(function*() {
      const Progress = Toolkit.make(Tool.make("progress", { success: DateText }))
      const progress = Progress.toLayer({
        progress: (_, { preliminary, toolCallId }) =>
          Effect.as(Effect.andThen(preliminary(at), Effect.sync(() => assert.strictEqual(toolCallId, "call-1"))), at)
      })
      for (const toolkit of [Effect.provide(ToolDispatch.make(Progress), progress), handlersOf(Progress, progress)]) {
        const seen = yield* Ref.make<ReadonlyArray<unknown>>([])
        const dispatch = yield* toolkit
        yield* dispatch.call("progress", {}, {
          toolCallId: "call-1",
          onPreliminary: (encoded) => Ref.update(seen, (all) => [...all, encoded])
        })
        assert.deepStrictEqual(yield* Ref.get(seen), [at.toISOString()])
        const unheard = yield* dispatch.call("progress", {}, { toolCallId: "call-1" })
        assert.strictEqual(unheard.encodedResult, at.toISOString())
      }
    }))

  it.effect("an effect that fails to return a toolkit fails with its own error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ToolDispatch.make(Effect.andThen(new Refused({ why: "closed" }), Tools)))
      assert.deepStrictEqual(error, new Refused({ why: "closed" }))
    }).pipe(Effect.provide(handlers)))

  it.effect("a dispatched call refuses excess parameters with onExcessProperty error", () =>
    Effect.gen(function*() {
      const dispatch = yield* ToolDispatch.make(Tools)
      const error = yield* Effect.flip(
        dispatch.call("strict", { mode: "ok", excess: 1 }, { parse: { onExcessProperty: "error" } })
      )
      assert.isTrue(AiError.isAiError(error) && error.reason._tag === "ToolParameterValidationError")
    }).pipe(Effect.provide(handlers), Effect.provideService(Tenant, "acme")))

  it.effect("an interrupted call interrupts the tool handler", () =>
    Effect.gen(function*() {
      const started = yield* Latch.make()
      const finalized = yield* Ref.make(false)
      const Waiting = Toolkit.make(Tool.make("wait", { success: Schema.Void }))
      const dispatch = yield* ToolDispatch.make(Waiting).pipe(Effect.provide(Waiting.toLayer({
        wait: () =>
          Effect.andThen(Latch.open(started), Effect.never).pipe(Effect.onInterrupt(() => Ref.set(finalized, true)))
      })))
      const fiber = yield* Effect.forkChild(dispatch.call("wait", {}))
      yield* Latch.await(started)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(yield* Ref.get(finalized))
    }))

  it.effect("a tool's images are files in its model output", () =>
    Effect.gen(function*() {
      const outcome = yield* call("shown", {})
      assert.deepStrictEqual(outcome.modelOutput, [Prompt.filePart({ mediaType: "image/png", data: "AAAA" })])
    }).pipe(Effect.provide(handlers), Effect.provideService(Tenant, "acme")))
})
