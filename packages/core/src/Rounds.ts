/**
 * The control that a handler has over its own rounds. Where a server cannot ask its client and wait (MCP 2026-07-28), a
 * handler runs in rounds. A run ends with a result, or with the asks that are still open; the client answers those and
 * calls again. The next run finds the recorded answers and continues.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { recorded } from "./internal/rounds/recorded.ts"
import { CurrentRun } from "./internal/rounds/RoundRun.ts"
import type { ReplayMismatch } from "./SamplingError.ts"

/**
 * The number of rounds of a call that may end with open asks. Default: 8, because official clients stop after 8 to 10
 * rounds.
 *
 * @category references
 * @since 0.1.0
 */
export const MaxRounds = Context.Reference<number>("@effect-sampling/core/Rounds/MaxRounds", {
  defaultValue: () => 8
})

/**
 * The time that work in flight has to reach its next ask, once everything else in the handler waits for answers.
 * Default: 100 milliseconds, measured in real time even under a test clock. A round always waits for a
 * once-step at work, however long that takes. With `Duration.infinity` it waits for all other work as well, including the
 * timers of timeouts.
 *
 * @category references
 * @since 0.1.0
 */
export const SettleTime = Context.Reference<Duration.Duration>("@effect-sampling/core/Rounds/SettleTime", {
  defaultValue: () => Duration.millis(100)
})

/**
 * Runs an effect so that it succeeds at most once per call, however many rounds the call takes. Its result is recorded
 * in the sealed state, and later rounds return the recorded result, on any server. Outside of rounds it is just the
 * effect.
 *
 * **Details**
 *
 * An effect wrapped in `once` is a once-step. Wrap effects that must not happen twice (a payment, a mail), and effects
 * that may differ between runs and decide what is asked (the time, a query). A failure is not recorded. The result must
 * fit `schema`, and it should be small because it travels with the state.
 *
 * A later run finds a recorded once-step by its name and by its place among the handler's fibers. Give once-steps
 * different names when they run at the same time, or one after the other in a loop that continues after a failure: put
 * what distinguishes them into the name. The once-step fails with a `ReplayMismatch` if its record belongs to another
 * fiber that has not reached it in this run, or if the record does not fit the schema.
 *
 * Failed attempts before the success are forgotten, so `Effect.retry` around one once-step is safe. Around several
 * once-steps it is safe only if they do not depend on each other, because later rounds replay the successes of all
 * attempts as if they were one attempt.
 *
 * **Gotchas**
 *
 * - A round does not end while a once-step is at work; a once-step that waits for an answer is not at work. If a
 *   once-step waits for something that another fiber holds, such as a semaphore, and that fiber waits for an answer, the
 *   round stays open until the client cancels the call. Acquire such resources outside of once-steps and of tools that
 *   the model calls, or do not hold them while asking.
 * - When the round ends, an ask inside a once-step ends in an interruption. In an uninterruptible region, and in fibers
 *   started there, `Effect.exit` and `Effect.catchCause` around the ask observe that interruption and continue.
 *   `Effect.catch` does not.
 * - A result that does not fit its own schema is a defect, and by then the effect has already happened.
 *
 * **Example** (Paying once)
 *
 * ```ts
 * import { Rounds } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 *
 * const pay = (invoice: string) => Effect.succeed(`receipt for ${invoice}`)
 *
 * const receipt = await Effect.runPromise(
 *   Rounds.once("pay 42", pay("42"), { schema: Schema.String })
 * )
 * receipt // => "receipt for 42"
 * ```
 *
 * @category steps
 * @since 0.1.0
 */
export const once = <S extends Schema.Constraint, E, R>(
  name: string,
  effect: Effect.Effect<S["Type"], E, R>,
  options: { readonly schema: S }
): Effect.Effect<S["Type"], E | ReplayMismatch, R | S["DecodingServices"] | S["EncodingServices"]> =>
  recorded(effect, { name: `once ${name}`, schema: options.schema, canMove: false })

/**
 * The time at which the first round of the call started; it is the same in all rounds. Outside of rounds it is the
 * current time.
 *
 * @category steps
 * @since 0.1.0
 */
export const startedAt: Effect.Effect<DateTime.Utc> = Effect.flatMap(
  CurrentRun,
  (current) => current === undefined ? DateTime.now : Effect.sync(() => DateTime.makeUnsafe(current.startedAt))
)
