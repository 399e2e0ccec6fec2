/**
 * What a handler may say about its own rounds. Where a server cannot ask its client and wait (MCP 2026-07-28), a handler
 * runs in rounds: a run ends with a result or with the asks that are open; the client answers them and calls again; the
 * next run finds the recorded answers and goes on.
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
 * How often a call may end with open asks. Default: 8, because official clients stop after 8 to 10.
 *
 * @category references
 * @since 0.1.0
 */
export const MaxRounds = Context.Reference<number>("@effect-sampling/core/Rounds/MaxRounds", {
  defaultValue: () => 8
})

/**
 * How long work in flight may take to get to its next ask, when everything else of the handler waits for answers. Default:
 * 100 milliseconds, of real time also on a test clock. Steps of `once` are waited for, however long they take. So is
 * everything with an infinite time, also the clocks of time-outs.
 *
 * @category references
 * @since 0.1.0
 */
export const SettleTime = Context.Reference<Duration.Duration>("@effect-sampling/core/Rounds/SettleTime", {
  defaultValue: () => Duration.millis(100)
})

/**
 * Runs an effect at most once per call to success, however many rounds the call takes: its result is recorded, sealed, and
 * given again in later rounds, on any server. Outside of rounds it is just the effect.
 *
 * **Details**
 *
 * Wrap what must not happen twice (a payment, a mail) and what may differ between runs and decides what is asked (the
 * time, a query). A failure is not recorded. The result must be what `schema` describes, and should be small, because it
 * travels with the state.
 *
 * A step is found again by its name and by its place in the handler's fibers. Steps that run at the same time, or
 * one after the other in a loop that goes on when one has failed, should have names of their own: put what tells them apart
 * into the name. A record that belongs to a fiber that has not come to it is a `ReplayMismatch`, and so is one that does not
 * fit the schema. Attempts of a step that failed before it succeeded count for nothing, so `Effect.retry` around a step is safe.
 * Around several steps it is only where they do not depend on each other: later rounds put the attempts together.
 *
 * **Gotchas**
 *
 * - A round ends only when no step is at work. A step that waits for what another fiber holds while that one waits for an
 *   answer, a semaphore for example, keeps the round open until the client cancels the call. Take such things outside of
 *   steps, and of tools that the model calls, or do not hold them while asking.
 * - Where nothing can be interrupted, and in fibers that are started there, an ask inside of a step ends in an interruption
 *   when the round ends, and `Effect.exit` or `Effect.catchCause` around it go on to what comes next. `Effect.catch` does not.
 * - A result that its own schema does not take is a defect, after the effect has happened.
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
 * When the call was first run: the same in all its rounds. Outside of rounds it is the current time.
 *
 * @category steps
 * @since 0.1.0
 */
export const startedAt: Effect.Effect<DateTime.Utc> = Effect.flatMap(
  CurrentRun,
  (current) => current === undefined ? DateTime.now : Effect.sync(() => DateTime.makeUnsafe(current.startedAt))
)
