/**
 * For adapters: texts that are safe to send and to show.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Quote from "../internal/quote.ts"
import * as WellFormed from "../internal/wellFormed.ts"

/**
 * Replaces lone surrogates in every text of a JSON value by U+FFFD. A string that was cut in the middle of an emoji ends
 * with a lone surrogate, and some receivers reject JSON that holds one.
 *
 * @category texts
 * @since 0.1.0
 */
export const wellFormed: <A>(value: A) => A = WellFormed.wellFormed

/**
 * Escapes control characters and the marks of bidirectional text in a foreign text, except for tabs and line ends.
 *
 * @category texts
 * @since 0.1.0
 */
export const visible: (text: string) => string = Quote.visible

/**
 * Cuts a foreign text to a readable length, and makes it {@link visible}.
 *
 * @category texts
 * @since 0.1.0
 */
export const truncate: (text: string, maxLength: number) => string = Quote.truncate

/**
 * Cuts a foreign text to a readable length (80 by default), and quotes it as JSON does.
 *
 * @category texts
 * @since 0.1.0
 */
export const quote: (text: string, maxLength?: number) => string = Quote.quote

/**
 * Returns what to log for a cause: the cause itself, or its text if a foreign message in it has characters that a log
 * must not show as they are.
 *
 * @category texts
 * @since 0.1.0
 */
export const loggable = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> | string => {
  const text = Cause.pretty(cause)
  const shown = Quote.visible(text)
  return shown === text ? cause : shown
}
