import { Development, SamplingError } from "@effect-sampling/core"
import * as HandlerFailure from "@effect-sampling/core/wire/HandlerFailure"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Logger, Schema } from "effect"
import { Tool } from "effect/ai"

class Odd extends Schema.Class<Odd>("Odd")({ id: Schema.Int }) {}

const tool = Tool.make("greet", { success: Schema.String, failure: Odd })
const { onFailure } = ToolResult.make(tool, ToolResult.definition(tool))

const defect = Cause.die(new Error("the password is secret"))
const texts = (cause: Cause.Cause<unknown>) =>
  Effect.all([
    HandlerFailure.text(cause, "The prompt"),
    Effect.map(
      onFailure(cause),
      ({ content }) => content.map((block) => block.type === "text" ? block.text : "").join()
    )
  ])

/** Counts what is logged. */
const logged = <A>(effect: Effect.Effect<A>): Effect.Effect<readonly [A, number]> =>
  Effect.suspend(() => {
    let entries = 0
    const counter = Logger.layer([Logger.make(() => void entries++)])
    return Effect.map(Effect.provide(effect, counter), (value) => [value, entries] as const)
  })

describe("Development", () => {
  it.effect("a defect is masked by default, and logged", () =>
    Effect.gen(function*() {
      const masked = "Internal error: see the server's log"
      assert.deepStrictEqual(yield* logged(texts(defect)), [[masked, masked], 2])
    }))

  it.effect("ShowDefects shows the message, the stack and the cause of a defect, and logs it all the same", () =>
    Effect.gen(function*() {
      const outer = Cause.die(new Error("outer", { cause: new Error("inner") }))
      const [shown, entries] = yield* logged(texts(outer))
      assert.strictEqual(entries, 2)
      for (const text of shown) {
        assert.match(text, /^Error: outer\n +at .+Development\.test\.ts:\d+/)
        assert.include(text, "Error: inner")
      }
    }).pipe(Effect.provideService(Development.ShowDefects, true)))

  it.effect("ShowDefects shows a failure that a tool did not declare", () =>
    Effect.gen(function*() {
      const [text] = (yield* onFailure(Cause.fail(new SamplingError.SamplingRejected({ message: "No" })))).content
      assert.match(JSON.stringify(text), /SamplingRejected: No/)
    }).pipe(Effect.provideService(Development.ShowDefects, true)))

  it.effect("a declared failure that its schema cannot encode is logged and masked like a defect", () =>
    Effect.gen(function*() {
      const broken = Object.assign(Object.create(Odd.prototype), { id: "one" })
      const [result, entries] = yield* logged(onFailure(Cause.fail(broken)))
      assert.deepStrictEqual(result, ToolResult.ofError(HandlerFailure.internalErrorText))
      assert.strictEqual(entries, 1)
    }))

  it.effect("ShowDefects changes neither typed errors nor interruptions", () =>
    Effect.gen(function*() {
      const rejected = Cause.fail(new SamplingError.SamplingRejected({ message: "No" }))
      assert.strictEqual(yield* HandlerFailure.text(rejected, "The prompt"), "No")
      assert.strictEqual(yield* HandlerFailure.text(Cause.interrupt(), "The prompt"), "The call was interrupted")
    }).pipe(Effect.provideService(Development.ShowDefects, true)))
})
