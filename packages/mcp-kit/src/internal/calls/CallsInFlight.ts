/** The calls that a server is handling. A server that shuts down lets them finish. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { setTimeout } from "../platform.ts"

/** The fibers of the calls that have not ended. */
export const CallsInFlight = Context.Reference<Set<Fiber.Fiber<unknown, unknown>>>(
  "@effect-sampling/mcp-kit/internal/calls/CallsInFlight",
  { defaultValue: () => new Set() }
)

/** The time that calls in flight may continue when a server shuts down. */
export const defaultShutdownGrace = "10 seconds"

/**
 * Waits until all calls have ended, but no longer than `grace`. Then interrupts the remaining calls and waits for their
 * finalizers, again no longer than `grace`. Finally yields one turn of the event loop, in which the SDK sends the
 * responses: the SDK drops responses that it has not sent when the connection closes.
 */
export const end = (
  calls: ReadonlySet<Fiber.Fiber<unknown, unknown>>,
  grace: Duration.Input
): Effect.Effect<void> =>
  Effect.suspend(() => Fiber.awaitAll([...calls])).pipe(
    Effect.andThen(nextTurn),
    Effect.repeat({ until: () => calls.size === 0 }),
    Effect.timeoutOption(grace),
    Effect.andThen(Effect.suspend(() => Effect.timeoutOption(Fiber.interruptAll([...calls]), grace))),
    Effect.andThen(nextTurn)
  )

/** Resumes after the callbacks of all promises that are already settled. */
const nextTurn = Effect.callback<void>((resume) => {
  setTimeout(() => resume(Effect.void), 0, undefined)
})
