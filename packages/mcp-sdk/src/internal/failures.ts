import { ErrorCode } from "@modelcontextprotocol/sdk/types.js"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** What a client learns of a defect: nothing. The cause is in the log. */
export const internalError = "Internal error: the server's log tells more"

/** What a client learns of a failure: the message of a typed error, or that there is something in the server's log. */
export const failureText = (cause: Cause.Cause<unknown>, what: string): Effect.Effect<string> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.succeed("The call was interrupted")
  const message = Cause.hasDies(cause)
    ? undefined
    : cause.reasons.filter(Cause.isFailReason).map(({ error }) => messageOf(error)).find((text) => text !== undefined)
  return message === undefined
    ? Effect.as(Effect.logError(`${what} failed`, cause), internalError)
    : Effect.succeed(message)
}

/** The message that a typed error brings for people. */
export const messageOf = (error: unknown): string | undefined =>
  error instanceof Error && error.message !== "" ? error.message : typeof error === "string" ? error : undefined

/** An error that the SDK turns into a JSON-RPC error with this code and message (`McpError` repeats the code in both). */
export const protocolError = (code: number, message: string): Error => Object.assign(new Error(message), { code })

/** Runs a handler; what it throws is a defect like any other, so the client does not learn of it. */
export const orProtocolError = <A, E, R>(
  handler: () => Effect.Effect<A, E, R>,
  what: string
): Effect.Effect<A, Error, R> =>
  Effect.catchCause(
    Effect.suspend(handler),
    (cause) =>
      Effect.flatMap(failureText(cause, what), (text) => Effect.fail(protocolError(ErrorCode.InternalError, text)))
  )

/** What a client learns of a call that the server interrupted. */
export const interruptedText = "The call was interrupted: the server is shutting down"

/** For callbacks of the SDK: they report failures by throwing. */
export const valueOrThrow = <A>(exit: Exit.Exit<A, Error>): A => {
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.hasInterruptsOnly(exit.cause)
    ? protocolError(ErrorCode.InternalError, interruptedText)
    : Cause.squash(exit.cause)
}
