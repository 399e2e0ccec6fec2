/**
 * What a client learns of a handler that failed: for adapters, which all tell it alike.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/**
 * What a client learns of a defect: nothing. The cause is in the log.
 *
 * @category texts
 * @since 0.1.0
 */
export const internalErrorText = "Internal error: the server's log tells more"

/**
 * What a client learns of a call that the server interrupted.
 *
 * @category texts
 * @since 0.1.0
 */
export const interruptedText = "The call was interrupted: the server is shutting down"

/**
 * What a client learns of a failure: the message of a typed error, or that there is something in the server's log, where
 * its cause is written then. `what` names the handler there.
 *
 * @category texts
 * @since 0.1.0
 */
export const text = (cause: Cause.Cause<unknown>, what: string): Effect.Effect<string> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.succeed("The call was interrupted")
  const message = Cause.hasDies(cause)
    ? undefined
    : cause.reasons.filter(Cause.isFailReason).map(({ error }) => messageOf(error)).find((text) => text !== undefined)
  return message === undefined
    ? Effect.as(Effect.logError(`${what} failed`, cause), internalErrorText)
    : Effect.succeed(message)
}

/**
 * The message that a typed error brings for people.
 *
 * @category getters
 * @since 0.1.0
 */
export const messageOf = (error: unknown): string | undefined =>
  error instanceof Error && error.message !== "" ? error.message : typeof error === "string" ? error : undefined

/**
 * An error that the official SDKs turn into a JSON-RPC error with this code, message and data (their own classes repeat the
 * code in the message).
 *
 * @category protocol errors
 * @since 0.1.0
 */
export const protocolError = (code: number, message: string, data?: unknown): Error =>
  Object.assign(new Error(message), { code, ...(data !== undefined && { data }) })
