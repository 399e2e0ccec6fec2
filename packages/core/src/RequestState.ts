/**
 * What carries the journal of a call from one round to the next: the `requestState` that the client holds in between.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * What a state is bound to: presented with anything else, it is refused.
 *
 * @category models
 * @since 0.1.0
 */
export interface Binding {
  /**
   * Who calls, where the transport knows it, for example an OAuth client id and subject. Undefined where nobody
   * authenticates.
   */
  readonly principal: string | undefined
  readonly method: string
  /**
   * The name of the tool or prompt, or the URI of the resource.
   */
  readonly name: string
  /**
   * The arguments, as JSON.
   */
  readonly arguments: unknown
}

/**
 * A state came back that this server did not make for this call, or that is not valid any more. Nothing of the handler
 * has run.
 *
 * - `malformed`: it is no state at all, or was cut, extended or changed in its form
 * - `unknownKey`: it names a key that this server does not have
 * - `tampered`: it does not fit its seal
 * - `foreign`: it belongs to another principal or to another request
 * - `expired`: it is older than its time to live
 * - `used`: it may be used once, and was
 * - `missing`: the store does not hold it any more
 *
 * @category errors
 * @since 0.1.0
 */
export class StateRejected
  extends Schema.TaggedError<StateRejected>("@effect-sampling/core/RequestState/StateRejected")("StateRejected", {
    reason: Schema.Literals(["malformed", "unknownKey", "tampered", "foreign", "expired", "used", "missing"]),
    message: Schema.String
  })
{}

/**
 * The state could not be made or kept: it is larger than allowed, or its store failed.
 *
 * @category errors
 * @since 0.1.0
 */
export class StateNotKept
  extends Schema.TaggedError<StateNotKept>("@effect-sampling/core/RequestState/StateNotKept")("StateNotKept", {
    reason: Schema.Literals(["tooLarge", "store"]),
    message: Schema.String
  })
{}

/**
 * Turns the journal of a call into what the client holds, and back.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestState {
  readonly seal: (journal: Uint8Array, binding: Binding) => Effect.Effect<string, StateNotKept>
  readonly open: (state: string, binding: Binding) => Effect.Effect<Uint8Array, StateRejected | StateNotKept>
}

/**
 * How states are carried. Default: sealed with a key that is made up when the first one is needed.
 *
 * @category references
 * @since 0.1.0
 */
export const RequestState = Context.Reference<RequestState>("@effect-sampling/core/RequestState", {
  defaultValue: () => ({
    seal: () => Effect.die("not built yet"),
    open: () => Effect.die("not built yet")
  })
})
