/**
 * Runs handlers where a server cannot ask its client and wait (MCP 2026-07-28): in rounds. A run of the handler ends with
 * a result or with the asks that are open; the client answers them and calls again; the next run finds the recorded
 * answers and goes on.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ClientCapabilities, ClientConnection, ClientRequest } from "./ClientConnection.ts"
import { cut, quote } from "./internal/quote.ts"
import { DigestedBinding } from "./internal/requestState/sealer.ts"
import { emptyJournal, needsState, wireKey } from "./internal/rounds/Journal.ts"
import type { Journal } from "./internal/rounds/Journal.ts"
import { decodeJournal, encodeJournal } from "./internal/rounds/journalBytes.ts"
import { recorded } from "./internal/rounds/recorded.ts"
import { CurrentRun } from "./internal/rounds/RoundRun.ts"
import { inRoundSpan } from "./internal/rounds/roundSpan.ts"
import { runRound } from "./internal/rounds/runRound.ts"
import { RequestState, StateRejected } from "./RequestState.ts"
import type { Binding, StateNotKept } from "./RequestState.ts"
import type { ReplayMismatch } from "./SamplingError.ts"

/**
 * A request of a client that is answered in rounds, as an adapter got it. All of it is the client's: it is checked before
 * it is used.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly method: "tools/call" | "prompts/get" | "resources/read"
  /**
   * The name of the tool or prompt, or the URI of the resource.
   */
  readonly name: string
  readonly arguments: unknown
  /**
   * Who calls, where the transport authenticates. A state is of use to its principal only.
   */
  readonly principal: string | undefined
  readonly client: ClientConnection["client"]
  readonly protocolVersion: string
  readonly capabilities: ClientCapabilities
  readonly inputResponses: unknown
  readonly requestState: unknown
}

/**
 * How a round ended: the handler completed, or waits for answers.
 *
 * @category models
 * @since 0.1.0
 */
export type Round<A> = Complete<A> | InputRequired

/**
 * @category models
 * @since 0.1.0
 */
export interface Complete<A> {
  readonly _tag: "Complete"
  readonly value: A
}

/**
 * What the client has to answer, by key, and the state that it has to send back: the fields of MCP's
 * `InputRequiredResult`.
 *
 * @category models
 * @since 0.1.0
 */
export interface InputRequired {
  readonly _tag: "InputRequired"
  readonly inputRequests: Readonly<Record<string, Omit<ClientRequest, "key">>>
  readonly requestState: string | undefined
}

/**
 * The client sent an answer that is none: the call is answered with a JSON-RPC error (-32602), and the handler does not
 * see it.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidInputResponse
  extends Schema.TaggedError<InvalidInputResponse>("@effect-sampling/core/Rounds/InvalidInputResponse")(
    "InvalidInputResponse",
    { message: Schema.String }
  )
{}

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
 * One round of a call: for adapters, around every handler of a request that may be answered with `input_required`.
 *
 * **Details**
 *
 * Opens the state that came back, runs the handler with what was recorded, and ends when the handler completes or fails,
 * or when all its fibers have ended or wait for answers. Then they are interrupted and their finalizers run. A state is
 * sealed only where the next run needs it. No part of the handler runs when the state is refused. A malformed answer ends the
 * run where the handler asks for it, before the handler sees it. Answers that the state does not ask for are ignored. Those
 * that come without a state are taken by asks that have a `key`, where nothing was recorded before.
 *
 * Source: MCP 2026-07-28, multi round-trip requests (SEP-2322).
 *
 * @category running
 * @since 0.1.0
 */
export const run = <A, E, R>(
  handler: Effect.Effect<A, E, R>,
  call: Call
): Effect.Effect<Round<A>, E | StateRejected | StateNotKept | InvalidInputResponse, R> =>
  Effect.withFiber((fiber) => {
    const responses = toResponses(call.inputResponses)
    if (responses === undefined) return Effect.fail(new InvalidInputResponse({ message: notAnswers }))
    const binding = new DigestedBinding(call)
    const carrier = fiber.getRef(RequestState)
    const options = {
      client: call,
      responses,
      maxRounds: fiber.getRef(MaxRounds),
      settleTime: fiber.getRef(SettleTime)
    }
    const runFrom = (journal: Journal) =>
      inRoundSpan(`${call.method} ${cut(call.name, 100)}`, journal.trace, (trace, annotate) =>
        Effect.flatMap(
          runRound(handler, { ...options, journal }),
          (ended): Effect.Effect<Round<A>, E | StateNotKept | InvalidInputResponse> => {
            const index = journal.rounds + 1
            const { exit, interruption, replayed } = ended
            annotate({ index, asks: 0, replayed, stateBytes: 0 })
            if (interruption === undefined) return Effect.map(exit, (value) => ({ _tag: "Complete", value }))
            if (interruption._tag === "InvalidAnswer") return invalidAnswer(interruption)
            const { asks } = interruption
            const next = { ...ended.journal, trace, rounds: index, open: asks.map(([record]) => record) }
            const state = ended.isStartKnown || needsState(next, asks)
              ? Effect.flatMap(encodeJournal(next), (bytes) => carrier.seal(bytes, binding))
              : Effect.undefined
            return Effect.map(state, (requestState) => {
              annotate({ index, asks: asks.length, replayed, stateBytes: requestState?.length ?? 0 })
              const inputRequests = Object.fromEntries(
                asks.map(([record, { method, params }]) => [wireKey(record), { method, params }])
              )
              return { _tag: "InputRequired", inputRequests, requestState }
            })
          }
        ))
    return call.requestState === undefined
      ? runFrom(emptyJournal(fiber.getRef(Clock.Clock).currentTimeMillisUnsafe(), responses.size > 0))
      : Effect.flatMap(openJournal(carrier, call.requestState, binding), runFrom)
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

const toResponses = (inputResponses: unknown): ReadonlyMap<string, unknown> | undefined => {
  if (inputResponses === undefined) return noResponses
  return typeof inputResponses === "object" && inputResponses !== null && !Array.isArray(inputResponses)
    ? new Map(Object.entries(inputResponses))
    : undefined
}

const noResponses: ReadonlyMap<string, unknown> = new Map()

const notAnswers = "inputResponses: expected an object of answers by their keys"

const invalidAnswer = ({ key, problem }: { readonly key: string; readonly problem: string }): Effect.Effect<
  never,
  InvalidInputResponse
> =>
  Effect.fail(new InvalidInputResponse({ message: `inputResponses[${quote(key)}] is not a valid answer: ${problem}` }))

const openJournal = (
  carrier: RequestState,
  state: unknown,
  binding: Binding
): Effect.Effect<Journal, StateRejected | StateNotKept> => {
  if (typeof state !== "string") return Effect.fail(notOurs("requestState is not a string."))
  return carrier.open(state, binding).pipe(
    Effect.flatMap(decodeJournal),
    Effect.flatMap((journal) =>
      journal === undefined
        ? Effect.fail(notOurs("The state was made by another version of this server. Call again without it."))
        : Effect.succeed(journal)
    )
  )
}

const notOurs = (message: string): StateRejected => new StateRejected({ reason: "malformed", message })
