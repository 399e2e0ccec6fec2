import * as Effect from "effect/Effect"
import { fromUtf8, toUtf8 } from "../platform.ts"
import { deflate, inflate } from "./deflate.ts"
import type { Journal } from "./Journal.ts"
import { fromParts, toParts } from "./Journal.ts"

/** Below this, compression saves less than it costs. */
const worthCompressing = 2048

const version = 1
const isPlain = 0
const isDeflated = 1
const headerLength = 6

/**
 * The journal in bytes: version, whether the answers are compressed, their length in four bytes, the answers, the rest.
 *
 * Only the answers are compressed, apart from everything else. A client that chooses them sees how long the state gets,
 * and would learn from that what they share with text that is secret to it.
 */
export const encodeJournal = (journal: Journal): Effect.Effect<Uint8Array> => {
  const { answers, rest } = toParts(journal)
  const plain = toUtf8(answers)
  const secret = toUtf8(rest)
  return plain.length < worthCompressing
    ? Effect.succeed(join(isPlain, plain, secret))
    : Effect.map(
      deflate(plain),
      (deflated) => deflated.length < plain.length ? join(isDeflated, deflated, secret) : join(isPlain, plain, secret)
    )
}

/** Undefined when these are not the bytes of a journal of this version. */
export const decodeJournal = (bytes: Uint8Array): Effect.Effect<Journal | undefined> => {
  if (bytes.length < headerLength || bytes[0] !== version) return Effect.undefined
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2)
  if (headerLength + length > bytes.length) return Effect.undefined
  const answers = bytes.subarray(headerLength, headerLength + length)
  const rest = fromUtf8(bytes.subarray(headerLength + length))
  return Effect.map(
    bytes[1] === isDeflated ? inflate(answers) : Effect.succeed(answers),
    (plain) => plain === undefined ? undefined : fromParts({ answers: fromUtf8(plain), rest })
  )
}

const join = (form: number, answers: Uint8Array, rest: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(headerLength + answers.length + rest.length)
  bytes[0] = version
  bytes[1] = form
  new DataView(bytes.buffer).setUint32(2, answers.length)
  bytes.set(answers, headerLength)
  bytes.set(rest, headerLength + answers.length)
  return bytes
}
