/**
 * For adapters: runs the handler of a call in rounds (MCP 2026-07-28).
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ClientCapabilities, ClientConnection, ClientRequest } from "../ClientConnection.ts"
import { quote, truncate } from "../internal/quote.ts"
import { isTooDeep, maxDepth } from "../internal/request/nesting.ts"
import { emptyJournal, needsState, wireKey } from "../internal/rounds/Journal.ts"
import type { Journal } from "../internal/rounds/Journal.ts"
import { decodeJournal, encodeJournal } from "../internal/rounds/journalBytes.ts"
import { CurrentRun } from "../internal/rounds/RoundRun.ts"
import { inRoundSpan } from "../internal/rounds/roundSpan.ts"
import type { RoundAttributes } from "../internal/rounds/roundSpan.ts"
import { runRound } from "../internal/rounds/runRound.ts"
import type { RunResult } from "../internal/rounds/runRound.ts"
import { DigestedBinding } from "../internal/sealing/sealer.ts"
import { RequestState, StateRejected } from "../RequestState.ts"
import type { Binding, StateNotKept } from "../RequestState.ts"
import { MaxRounds, SettleTime } from "../Rounds.ts"
import type { InvalidResponse, ReplayMismatch } from "../SamplingError.ts"

/**
 * A client's request that is answered in rounds, as the adapter received it. The runner checks `inputResponses` and
 * `requestState` before it uses them, because the client can send anything there.
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
   * The principal of the request (`ClientConnection.Principal`), or undefined if its caller is not authenticated. A
   * state is accepted only from the principal that it was sealed for.
   */
  readonly principal: string | undefined
  readonly client: ClientConnection["client"]
  readonly protocolVersion: string
  readonly capabilities: ClientCapabilities
  readonly inputResponses: unknown
  readonly requestState: unknown
}

/**
 * The end of a round: the handler completed, or it waits for answers.
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
 * The end of a round whose handler waits for answers. The fields are those of MCP's `InputRequiredResult`: the asks
 * that the client has to answer, by key, and the state that it has to send back.
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
 * The parameters of a call are not valid: an entry of `inputResponses` is not a valid answer, `inputResponses` itself is
 * not an object, or it or the arguments are nested more than 256 levels deep. The call is answered with a JSON-RPC error
 * (-32602), and the handler does not see the invalid value.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidParams
  extends Schema.TaggedError<InvalidParams>("@effect-sampling/core/wire/RoundRunner/InvalidParams")(
    "InvalidParams",
    { message: Schema.String }
  )
{}

/**
 * Runs one round of a call. An adapter wraps every handler of a request that may be answered with `input_required`.
 *
 * **Details**
 *
 * It opens the state that the client sent back and runs the handler with the recorded answers and once-steps. The round
 * ends when the handler completes or fails, or when each of its fibers has ended or waits for an answer. The fibers
 * that still wait are then interrupted, and their finalizers run. A state is sealed only if the next run needs it.
 *
 * A handler that does not repeat its asks, and one that uses the name of a once-step in two fibers at the same time,
 * ends the call with a `ReplayMismatch`, which the handler cannot catch.
 *
 * No part of the handler runs if the state is rejected. A malformed answer ends the run at the ask that it belongs to,
 * before the handler sees it. Answers to asks that are not in the state are ignored. Answers that arrive without a
 * state go to asks with a `key`, as long as the call has recorded nothing.
 *
 * Source: MCP 2026-07-28, multi round-trip requests (SEP-2322).
 *
 * @category running
 * @since 0.1.0
 */
export const run = <A, E, R>(
  handler: Effect.Effect<A, E, R>,
  call: Call
): Effect.Effect<Round<A>, E | StateRejected | StateNotKept | InvalidParams | ReplayMismatch, R> =>
  // Neither this nor `toRound` is a generator: both run in every round, where the benchmark shows the difference.
  Effect.withFiber((fiber) => {
    const responses = toResponses(call.inputResponses)
    if (responses === undefined) return Effect.fail(new InvalidParams({ message: notAnswers }))
    if (isTooDeep(call.arguments) || isTooDeep(call.inputResponses)) {
      return Effect.fail(new InvalidParams({ message: tooDeep }))
    }
    const binding = new DigestedBinding(call)
    const carrier = fiber.getRef(RequestState)
    const maxRounds = fiber.getRef(MaxRounds)
    const settleTime = Duration.fromInputUnsafe(fiber.getRef(SettleTime))
    const runFrom = (journal: Journal) =>
      inRoundSpan(`${call.method} ${truncate(call.name, 100)}`, journal.trace, (trace, annotate) =>
        Effect.flatMap(
          runRound(handler, { client: call, responses, maxRounds, settleTime, journal }),
          (ended) => toRound(ended, { ...journal, trace, rounds: journal.rounds + 1 }, annotate, carrier, binding)
        ))
    return call.requestState === undefined || call.requestState === null
      ? runFrom(emptyJournal(fiber.getRef(Clock.Clock).currentTimeMillisUnsafe(), responses.size > 0))
      : Effect.flatMap(openJournal(carrier, call.requestState, binding), runFrom)
  })

/**
 * Runs an effect in which a fiber only waits for asks of other fibers of its call. The end of a round then does not
 * wait for this fiber, as it waits for work in flight. Outside of rounds it is just the effect.
 *
 * @category running
 * @since 0.1.0
 */
export const idle = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(CurrentRun, (run) => run === undefined ? effect : run.tree.idle(effect))

/**
 * Returns whether the round of the current call has ended with open asks. It is false while a handler runs, in a call
 * that its client cancelled, and outside of rounds.
 *
 * @category getters
 * @since 0.1.0
 */
export const hasEnded: Effect.Effect<boolean> = Effect.map(CurrentRun, (run) => run?.interruption !== undefined)

/** Converts the end of a run to what the client receives. It seals a state only if the next run needs one. */
const toRound = <A, E>(
  { exit, interruption, isStartKnown, journal, replayed }: RunResult<A, E>,
  before: Journal,
  annotate: (attributes: RoundAttributes) => void,
  carrier: RequestState,
  binding: Binding
): Effect.Effect<Round<A>, E | StateNotKept | InvalidParams | ReplayMismatch> => {
  const index = before.rounds
  annotate({ index, asks: 0, replayed, stateBytes: 0 })
  if (interruption === undefined) return Effect.map(exit, (value) => ({ _tag: "Complete", value }))
  if (interruption._tag === "InvalidAnswer") return invalidAnswer(interruption.key, interruption.error)
  if (interruption._tag === "Mismatch") return Effect.fail(interruption.error)
  const { asks } = interruption
  const next = { ...journal, trace: before.trace, rounds: index, open: asks.map(([record]) => record) }
  const state = isStartKnown || needsState(next, asks)
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

const toResponses = (inputResponses: unknown): ReadonlyMap<string, unknown> | undefined => {
  if (inputResponses === undefined || inputResponses === null) return noResponses
  return typeof inputResponses === "object" && inputResponses !== null && !Array.isArray(inputResponses)
    ? new Map(Object.entries(inputResponses))
    : undefined
}

const noResponses: ReadonlyMap<string, unknown> = new Map()

const tooDeep = `The arguments and inputResponses of a call may be nested ${maxDepth} levels deep at most.`

const notAnswers = "inputResponses: expected an object that holds the answers by their keys"

const invalidAnswer = (key: string, { message }: InvalidResponse): Effect.Effect<never, InvalidParams> =>
  Effect.fail(new InvalidParams({ message: `inputResponses[${quote(key)}] is not a valid answer: ${message}` }))

const openJournal = (
  carrier: RequestState,
  state: unknown,
  binding: Binding
): Effect.Effect<Journal, StateRejected | StateNotKept> => {
  if (typeof state !== "string") {
    return Effect.fail(notOurs("The requestState is not a string. Start the call again without it."))
  }
  return carrier.open(state, binding).pipe(
    Effect.flatMap(decodeJournal),
    Effect.flatMap((journal) =>
      journal === undefined
        ? Effect.fail(
          notOurs("The requestState was made by another version of this server. Start the call again without it.")
        )
        : Effect.succeed(journal)
    )
  )
}

const notOurs = (message: string): StateRejected => new StateRejected({ reason: "malformed", message })
