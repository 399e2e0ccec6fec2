/**
 * Runs handlers where a server cannot ask its client and wait (MCP 2026-07-28): in rounds. A run of the handler ends with
 * a result or with the asks that are open; the client answers them and calls again; the next run finds the recorded
 * answers and goes on.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ClientCapabilities, ClientConnection, ClientRequest } from "./ClientConnection.ts"
import type { StateNotKept, StateRejected } from "./RequestState.ts"

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
 * 100 milliseconds. Steps of `once` are waited for, however long they take.
 *
 * @category references
 * @since 0.1.0
 */
export const SettleTime = Context.Reference<Duration.Duration>("@effect-sampling/core/Rounds/SettleTime", {
  defaultValue: () => Duration.millis(100)
})

/**
 * One round of a call: for adapters.
 *
 * @category running
 * @since 0.1.0
 */
export const run = <A, E, R>(
  handler: Effect.Effect<A, E, R>,
  _call: Call
): Effect.Effect<Round<A>, E | StateRejected | StateNotKept | InvalidInputResponse, R> =>
  Effect.map(handler, (value) => ({ _tag: "Complete", value }))
