import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import { fromUtf8, toUtf8 } from "../platform.ts"
import { deflate, inflate } from "./deflate.ts"
import type { Journal } from "./Journal.ts"
import { fromParts, toParts } from "./Journal.ts"

/** The number of characters below which compression costs more than it saves. */
const worthCompressing = 2048

const version = 2
const isPlain = 0
const isDeflated = 1
const formLength = 2
const lengthLength = 4

/** The version and the form as text: each character is one byte in UTF-8. */
const plainForm = String.fromCharCode(version, isPlain)

/** The JSON that `JSON.stringify` writes holds no line feed. */
const separator = "\n"

/**
 * Encodes the journal as bytes: the version, the form, and the content. The plain form holds the answers, a line feed
 * and the rest as text. The compressed form holds the length of the compressed answers in four bytes, the compressed
 * answers, and the rest.
 *
 * Only the answers are compressed, separately from everything else. A client chooses the answers and sees the length of
 * the state. If the rest were compressed with them, that length would reveal what the answers share with text that is
 * secret to the client.
 */
export const encodeJournal = (journal: Journal): Effect.Effect<Uint8Array> => {
  const { answers, rest } = toParts(journal)
  const plain = () => toUtf8(plainForm + answers + separator + rest)
  if (answers.length < worthCompressing) return Effect.succeed(plain())
  const bytes = toUtf8(answers)
  return Effect.map(
    deflate(bytes),
    (deflated) => deflated.length < bytes.length ? joinDeflated(deflated, toUtf8(rest)) : plain()
  )
}

/** Decodes a journal. Returns undefined if the bytes are not a journal of this version. */
export const decodeJournal = (bytes: Uint8Array): Effect.Effect<Journal | undefined> => {
  if (bytes[0] !== version) return Effect.undefined
  if (bytes[1] === isPlain) {
    const text = fromUtf8(bytes.subarray(formLength))
    const end = text.indexOf(separator)
    return Effect.succeed(
      end === -1 ? undefined : fromParts({ answers: text.slice(0, end), rest: text.slice(end + 1) })
    )
  }
  const start = formLength + lengthLength
  if (bytes[1] !== isDeflated || bytes.length < start) return Effect.undefined
  const end = start + new DataView(bytes.buffer, bytes.byteOffset).getUint32(formLength)
  const rest = fromUtf8(bytes.subarray(end))
  return Effect.map(
    inflate(bytes.subarray(start, end)),
    (answers) => answers === undefined ? undefined : fromParts({ answers: fromUtf8(answers), rest })
  )
}

const joinDeflated = (answers: Uint8Array, rest: Uint8Array): Uint8Array => {
  const length = new Uint8Array(lengthLength)
  new DataView(length.buffer).setUint32(0, answers.length)
  return Bytes.concat([Uint8Array.of(version, isDeflated), length, answers, rest])
}
