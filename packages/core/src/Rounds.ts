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
import * as Schema from "effect/Schema"
import { recorded } from "./internal/rounds/recorded.ts"
import type { RecordingServices } from "./internal/rounds/recorded.ts"
import { CurrentRun } from "./internal/rounds/RoundRun.ts"
import { CurrentScope, escapeName } from "./internal/rounds/Scope.ts"

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
export const SettleTime = Context.Reference<Duration.Input>("@effect-sampling/core/Rounds/SettleTime", {
  defaultValue: () => Duration.millis(100)
})

/**
 * Options of {@link once}: the Schemas of the outcomes.
 *
 * @category models
 * @since 0.1.0
 */
export interface OnceOptions<Success extends Schema.Constraint, Failure extends Schema.Constraint> {
  /**
   * The Schema of the result, which should be small because it travels with the state. Default: `Schema.Void`.
   */
  readonly success?: Success
  /**
   * The Schema of the failure. An effect that can fail needs it. Default: `Schema.Never`.
   */
  readonly failure?: Failure
}

/**
 * Runs an effect at most once per call, however many rounds the call takes. Its outcome is recorded in the sealed state,
 * a failure as well, and later rounds return the recorded outcome, on any server. Outside of rounds it is just the
 * effect.
 *
 * **Details**
 *
 * An effect wrapped in `once` is a once-step. Wrap effects that must not happen twice (a payment, a mail), and effects
 * that may differ between runs and decide what is asked (the time, a query).
 *
 * A once-step is its name, like an `Activity` of `effect/workflow`. The n-th use of a name finds what the n-th use in an
 * earlier round recorded, whichever fiber it is. An attempt of `Effect.retry` is the next use. Interruptions and defects
 * are not recorded: the next attempt is the same use. Two fibers that are alive at the same time must not use one name,
 * unless one of them started the other; if they do, the call ends with a `ReplayMismatch`. Put what distinguishes them
 * into the name, or run each in a {@link scope}.
 *
 * A recorded outcome that does not fit the Schemas ends the call with a `ReplayMismatch` as well.
 *
 * **Gotchas**
 *
 * - A round does not end while a once-step is at work; a once-step that waits for an answer is not at work. One that
 *   waits for a semaphore or for an item of a pool gets {@link SettleTime}, unless a fiber of the handler works. If it
 *   waits for a fiber in another way, at a queue for example, and that fiber waits for an answer, then any busy fiber
 *   keeps the round open, the timer of a time-out too. Do not wait for a fiber that asks inside of a once-step or of a
 *   tool that the model calls.
 * - If a fiber outside of the handler, such as a shared worker, does the work of a once-step, and the once-step waits for
 *   it at a queue or a deferred, nobody sees that work: it gets {@link SettleTime}, and then it may happen again.
 * - When the round ends, an ask inside a once-step ends in an interruption. In an uninterruptible region, and in fibers
 *   started there, `Effect.exit` and `Effect.catchCause` around the ask observe that interruption and continue.
 *   `Effect.catch` does not.
 * - An outcome that does not fit its own Schema is a defect, and by then the effect has already happened.
 *
 * **Example** (Paying once)
 *
 * ```ts
 * import { Rounds } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 *
 * class Declined extends Schema.TaggedError<Declined>("Declined")("Declined", {}) {}
 * const pay = (invoice: string): Effect.Effect<string, Declined> => Effect.succeed(`receipt for ${invoice}`)
 *
 * const receipt = await Effect.runPromise(
 *   Rounds.once("pay 42", pay("42"), { success: Schema.String, failure: Declined })
 * )
 * receipt // => "receipt for 42"
 * ```
 *
 * @category steps
 * @since 0.1.0
 */
export const once = <
  R,
  Success extends Schema.Constraint = Schema.Void,
  Failure extends Schema.Constraint = Schema.Never
>(
  name: string,
  effect: Effect.Effect<Success["Type"], Failure["Type"], R>,
  options: OnceOptions<Success, Failure> = {}
): Effect.Effect<Success["Type"], Failure["Type"], R | RecordingServices<Success, Failure>> =>
  recorded(effect, {
    name,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a type parameter without a Schema has its default
    success: options.success ?? Schema.Void as Schema.Constraint as Success,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a type parameter without a Schema has its default
    failure: options.failure ?? Schema.Never as Schema.Constraint as Failure,
    isShared: false
  })

/**
 * Runs an effect in a scope of its own: the names of its once-steps, the keys of its asks and its random numbers belong
 * to this scope. Outside of rounds it is just the effect.
 *
 * **When to use**
 *
 * Use it where fibers that run at the same time use equal names, for example around the work on each of several orders,
 * and where they draw random numbers.
 *
 * **Example** (Reviewing several files at once)
 *
 * ```ts
 * import { ClientSampler, Rounds, Sampler, TestClient, TestSampler } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 *
 * const review = (file: string) =>
 *   Effect.gen(function*() {
 *     const text = yield* Rounds.once("read", Effect.succeed(`the text of ${file}`), { success: Schema.String })
 *     return (yield* Sampler.sample(`Review: ${text}`)).text
 *   })
 * const handler = Effect.forEach(["a.ts", "b.ts"], (file) => Rounds.scope(file, review(file)), {
 *   concurrency: "unbounded"
 * })
 *
 * const { asks, runs } = await Effect.runPromise(
 *   TestClient.call(handler, { sampler: TestSampler.scripted(["fine", "good"]) }).pipe(
 *     Effect.provide(ClientSampler.layer)
 *   )
 * )
 * asks.length // => 2
 * runs // => 2
 * ```
 *
 * @category steps
 * @since 0.1.0
 */
export const scope = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(CurrentScope, (path) => Effect.provideService(effect, CurrentScope, `${path}${escapeName(name)}/`))

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
