/**
 * For adapters and providers: the advice of errors for the operator of the server, which goes to the log. The message of
 * an error reaches the model of the host and its user, who cannot change the server.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Internal from "../internal/advice.ts"
import { visible } from "../internal/quote.ts"

/**
 * Returns the error, and keeps the advice beside it. An error that is decoded again, in a later round, has no advice.
 *
 * @category constructors
 * @since 0.1.0
 */
export const withAdvice: <E extends object>(error: E, advice: string) => E = Internal.withAdvice

/**
 * Returns the advice that was kept beside an error.
 *
 * @category getters
 * @since 0.1.0
 */
export const of: (error: unknown) => string | undefined = Internal.adviceOf

/**
 * Logs a failure with its advice, as a warning. `what` names the handler that failed. Logs nothing if there is no
 * advice.
 *
 * @category logging
 * @since 0.1.0
 */
export const log = (error: unknown, what: string): Effect.Effect<void> => {
  const advice = Internal.adviceOf(error)
  const message = error instanceof Error ? ` ${visible(error.message)}` : ""
  return advice === undefined ? Effect.void : Effect.logWarning(`${what} failed:${message} ${advice}`)
}
