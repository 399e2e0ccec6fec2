/**
 * Escapes the characters of a foreign text that nobody sees, and that change how a terminal or an editor shows the text
 * around them: control characters but tabs and line ends, line separators, and the marks of bidirectional text. Replaces
 * lone surrogates.
 */
export const visible = (text: string): string => escapeInvisible(text.toWellFormed())

/** Most texts hold no such character, and `test` costs a fraction of `replaceAll`. */
const escapeInvisible = (text: string): string => firstInvisible.test(text) ? text.replaceAll(invisible, escape) : text

const invisible =
  // oxlint-disable-next-line no-control-regex -- these are the characters to find
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\r(?!\n)/g

const firstInvisible = new RegExp(invisible.source)

const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Cuts a foreign text to a readable length, and makes it {@link visible}. */
export const truncate = (text: string, maxLength: number): string => visible(cut(text, maxLength))

/** Cuts such a text and quotes it, so it cannot break out of a message with quotes or line breaks. */
export const quote = (text: string, maxLength = 80): string =>
  escapeInvisible(JSON.stringify(cut(text, maxLength).toWellFormed()))

/** Cuts between characters: one of which only the first half would remain is left out. */
const cut = (text: string, maxLength: number): string =>
  text.length > maxLength
    ? `${text.slice(0, isHighSurrogate(text.charCodeAt(maxLength - 1)) ? maxLength - 1 : maxLength)}…`
    : text

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
