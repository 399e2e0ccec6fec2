/** What the operator or the author of a server can do about an error. It is kept beside the error, whose message others read. */
const advices = new WeakMap<object, string>()

/**
 * Returns the error, and keeps the advice for the server's log. The message of an error reaches the model of the host
 * and its user, who cannot change the server.
 */
export const withAdvice = <E extends object>(error: E, advice: string): E => {
  advices.set(error, advice)
  return error
}

/** Returns the advice that was kept for an error. */
export const adviceOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null ? advices.get(error) : undefined
