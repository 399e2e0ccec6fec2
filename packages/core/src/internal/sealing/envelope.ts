import { nonceLength, tagLength } from "./stateCrypto.ts"

/** The kinds of envelopes. The number is the first byte and serves as a version: a new format gets a new number. */
export const kinds = {
  /** Holds the digest of the binding, and the journal. */
  journal: 1,
  /** Holds the digest of the binding, and the id of an entry in a store. */
  handle: 2,
  /** Holds a journal that is kept in a store, and is bound to the id of its entry. */
  entry: 3
} as const

export type Kind = typeof kinds[keyof typeof kinds]

export interface Header {
  readonly kind: Kind
  readonly keyId: string
  /** In milliseconds since 1970, like `expires`. */
  readonly issued: number
  readonly expires: number
  readonly nonce: Uint8Array
}

export interface Envelope extends Header {
  /** The encoded header. It is not encrypted, but authenticated together with the rest. */
  readonly header: Uint8Array
  readonly sealed: Uint8Array
}

/**
 * Returns whether a key id is valid: 1 to 32 ASCII characters, so its length fits one byte and each character is one
 * byte.
 */
export const isKeyId = (id: string): boolean => /^[A-Za-z0-9._-]{1,32}$/.test(id)

const timeLength = 6
const lastTime = 2 ** (8 * timeLength) - 1

const headerLength = (keyIdLength: number): number => 2 + keyIdLength + 2 * timeLength + nonceLength

/** Returns the number of bytes that an envelope adds to its content. */
export const overhead = (keyId: string): number => headerLength(keyId.length) + tagLength

/** Encodes a header as kind, length of the key id, key id, issued, expires and nonce. Numbers are big-endian. */
export const encodeHeader = (header: Header): Uint8Array => {
  const bytes = new Uint8Array(headerLength(header.keyId.length))
  bytes[0] = header.kind
  bytes[1] = header.keyId.length
  for (let index = 0; index < header.keyId.length; index++) bytes[2 + index] = header.keyId.charCodeAt(index)
  const times = 2 + header.keyId.length
  writeTime(bytes, times, header.issued)
  writeTime(bytes, times + timeLength, header.expires)
  bytes.set(header.nonce, times + 2 * timeLength)
  return bytes
}

/** Decodes an envelope. Returns undefined if the bytes are not an envelope of that kind. */
export const decodeEnvelope = (kind: Kind, bytes: Uint8Array): Envelope | undefined => {
  const keyIdLength = bytes[1] ?? 0
  const length = headerLength(keyIdLength)
  if (bytes[0] !== kind || bytes.length < length + tagLength) return undefined
  let keyId = ""
  for (let index = 2; index < 2 + keyIdLength; index++) keyId += String.fromCharCode(bytes[index]!)
  if (!isKeyId(keyId)) return undefined
  const times = 2 + keyIdLength
  return {
    kind,
    keyId,
    issued: readTime(bytes, times),
    expires: readTime(bytes, times + timeLength),
    nonce: bytes.subarray(length - nonceLength, length),
    header: bytes.subarray(0, length),
    sealed: bytes.subarray(length)
  }
}

const writeTime = (bytes: Uint8Array, offset: number, millis: number): void => {
  let rest = Math.trunc(Math.min(Math.max(millis, 0), lastTime))
  for (let index = offset + timeLength - 1; index >= offset; index--) {
    bytes[index] = rest % 256
    rest = Math.trunc(rest / 256)
  }
}

const readTime = (bytes: Uint8Array, offset: number): number => {
  let millis = 0
  for (let index = offset; index < offset + timeLength; index++) millis = millis * 256 + bytes[index]!
  return millis
}
