import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * Waits until all calls have ended, at most for `grace`; then interrupts the rest and gives their finalizers as long
 * again. Then the SDK gets a turn to send the responses: it drops those that it has not sent when the connection closes.
 */
export const endCalls = (
  calls: ReadonlySet<Fiber.Fiber<unknown, unknown>>,
  grace: Duration.Input
): Effect.Effect<void> =>
  Effect.suspend(() => Fiber.awaitAll([...calls])).pipe(
    Effect.andThen(nextTurn),
    Effect.repeat({ until: () => calls.size === 0 }),
    Effect.timeoutOption(grace),
    Effect.andThen(Effect.suspend(() => Fiber.interruptAll([...calls]))),
    Effect.timeoutOption(grace),
    Effect.andThen(nextTurn)
  )

/** Continues after the promises that are settled by now ran their callbacks. */
const nextTurn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})
