import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/** What a client learns of a defect: nothing. The cause is in the log. */
export const internalError = "Internal error: the server's log tells more"

/** What a client learns of a failure: the message of a typed error, or that there is something in the server's log. */
export const failureText = (cause: Cause.Cause<unknown>, what: string): Effect.Effect<string> => {
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
