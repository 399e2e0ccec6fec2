/**
 * The calls that a server handles, so that it can let them end: for adapters.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { setTimeout } from "../platform.ts"

/**
 * The calls that have not ended: a server that shuts down waits for them.
 *
 * @category references
 * @since 0.1.0
 */
export const CallsInFlight = Context.Reference<Set<Fiber.Fiber<unknown, unknown>>>(
  "@effect-sampling/mcp-kit/internal/calls/CallsInFlight",
  { defaultValue: () => new Set() }
)

/**
 * Waits until all calls have ended, at most for `grace`; then interrupts the rest and gives their finalizers as long
 * again. Then the SDK gets a turn to send the responses: it drops those that it has not sent when the connection closes.
 *
 * @category ending
 * @since 0.1.0
 */
export const end = (
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
  setTimeout(() => resume(Effect.void), 0, undefined)
})
