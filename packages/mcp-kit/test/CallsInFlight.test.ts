import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as CallsInFlight from "../src/internal/calls/CallsInFlight.ts"

/** A call that never ends by itself and takes 500 milliseconds to clean up; `events` records what it does. */
const startCall = Effect.fnUntraced(function*(events: Array<string>) {
  const calls = new Set<Fiber.Fiber<unknown, unknown>>()
  const call: Fiber.Fiber<never> = yield* Effect.never.pipe(
    Effect.onInterrupt(() =>
      Effect.delay(
        Effect.sync(() => {
          events.push("cleaned up")
        }),
        500
      )
    ),
    Effect.onExit(() => Effect.sync(() => calls.clear())),
    Effect.forkDetach({ startImmediately: true })
  )
  calls.add(call)
  return calls
})

describe("CallsInFlight", () => {
  it.effect("gives the finalizers of calls that outlast the grace period another grace period", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const calls = yield* startCall(events)
      const ended = yield* CallsInFlight.end(calls, "1 second").pipe(
        Effect.andThen(Effect.sync(() => events.push("ended"))),
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(events, [])
      yield* TestClock.adjust("500 millis")
      yield* Fiber.join(ended)
      assert.deepStrictEqual(events, ["cleaned up", "ended"])
    }))

  it.effect("leaves behind a call whose finalizers outlast the second grace period", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const calls = yield* startCall(events)
      const ended = yield* Effect.forkChild(CallsInFlight.end(calls, "100 millis"), { startImmediately: true })
      yield* TestClock.adjust("100 millis")
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(ended)
      assert.deepStrictEqual(events, [])
    }))
})
