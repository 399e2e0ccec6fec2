/**
 * For adapters: the texts with which they all report a failed handler to the client.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { ShowDefects } from "../Development.ts"
import * as Advice from "./Advice.ts"
import { loggable, visible } from "./Text.ts"

/**
 * The text that a client receives for a defect, unless `Development.ShowDefects` is set. It reveals nothing, because the
 * cause is in the server's log.
 *
 * @category texts
 * @since 0.1.0
 */
export const internalErrorText = "Internal error: see the server's log"

/**
 * The text that a client receives for a call that the server interrupted.
 *
 * @category texts
 * @since 0.1.0
 */
export const interruptedText = "The call was interrupted: the server is shutting down"

/**
 * Logs the cause of a defect, in which `what` names the handler, and returns the text that a client receives for it:
 * {@link internalErrorText}, or the message and the stack if `Development.ShowDefects` is set.
 *
 * @category texts
 * @since 0.1.0
 */
export const defectText = (cause: Cause.Cause<unknown>, what: string): Effect.Effect<string> =>
  Effect.andThen(
    Effect.logError(`${what} failed`, loggable(cause)),
    Effect.map(ShowDefects, (isShown) => isShown ? Cause.pretty(cause) : internalErrorText)
  )

/**
 * Returns the text that a client receives for a failure: the message of a typed error, or {@link defectText} for anything
 * else. Logs the advice for the operator, if the error has any.
 *
 * @category texts
 * @since 0.1.0
 */
export const text = (cause: Cause.Cause<unknown>, what: string): Effect.Effect<string> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.succeed("The call was interrupted")
  const failure = Cause.hasDies(cause)
    ? undefined
    : cause.reasons.filter(Cause.isFailReason).find(({ error }) => messageOf(error) !== undefined)
  const message = messageOf(failure?.error)
  return message === undefined ? defectText(cause, what) : Effect.as(Advice.log(failure?.error, what), message)
}

/**
 * Returns the human-readable message of a typed error, or undefined if it has none.
 *
 * @category getters
 * @since 0.1.0
 */
export const messageOf = (error: unknown): string | undefined =>
  error instanceof Error && error.message !== "" ? error.message : typeof error === "string" ? error : undefined

/**
 * Builds an error that the official SDKs send as a JSON-RPC error with this code, message and data, whose invisible
 * characters are escaped. The SDKs' own error
 * classes are not used because they repeat the code in the message.
 *
 * @category protocol errors
 * @since 0.1.0
 */
export const protocolError = (code: number, message: string, data?: unknown): Error =>
  Object.assign(new Error(visible(message)), { code, ...(data !== undefined && { data }) })
