import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * Waits until all calls have ended, at most for `grace`; then interrupts the rest and gives their finalizers as long
 * again.
 */
export const endCalls = (
  calls: ReadonlySet<Fiber.Fiber<unknown, unknown>>,
  grace: Duration.Input
): Effect.Effect<void> =>
  Effect.suspend(() => Fiber.awaitAll([...calls])).pipe(
    Effect.repeat({ until: () => calls.size === 0 }),
    Effect.timeoutOption(grace),
    Effect.andThen(Effect.suspend(() => Fiber.interruptAll([...calls]))),
    Effect.timeoutOption(grace),
    Effect.asVoid
  )
