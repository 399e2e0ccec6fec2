import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { isKeyId } from "./envelope.ts"
import type { Key } from "./models.ts"
import type { Cipher, StateCrypto } from "./stateCrypto.ts"

export interface KeyRing {
  /** The id of the key that seals. */
  readonly sealing: string
  readonly ciphers: ReadonlyMap<string, Cipher>
}

const keyLength = 32

/**
 * Builds a ring from keys, or fails with a text about the first problem. The text names a key only by its position,
 * because somebody may have put the key where its id belongs.
 */
export const makeKeyRing = (crypto: StateCrypto, keys: ReadonlyArray<Key>): Result.Result<KeyRing, string> => {
  const [first] = keys
  if (first === undefined) return Result.fail("There is no key to seal states with: provide at least one")
  const ciphers = new Map<string, Cipher>()
  for (const [index, { id, key }] of keys.entries()) {
    const name = `Key ${index + 1} of ${keys.length}`
    if (!isKeyId(id)) return Result.fail(`${name} has no valid id: use 1 to 32 of A-Z, a-z, 0-9, ".", "_" and "-"`)
    if (ciphers.has(id)) return Result.fail(`${name} has the same id as another key: give every key its own id`)
    const bytes = keyBytes(Redacted.value(key))
    if (bytes?.length !== keyLength) {
      return Result.fail(`${name} is not 32 bytes, as base64 or hex: make one with \`openssl rand -base64 32\``)
    }
    ciphers.set(id, crypto.cipher(bytes))
  }
  return Result.succeed({ sealing: first.id, ciphers })
}

/** A ring without keys: it opens no state and must not be used to seal. */
export const emptyKeyRing: KeyRing = { sealing: "", ciphers: new Map() }

/**
 * Builds a ring with a random key and a random id. Another process then rejects its states as `unknownKey`, not
 * `tampered`.
 */
export const makeProcessKeyRing = (crypto: StateCrypto): KeyRing => {
  const sealing = `process-${Hex.encode(SecureRandom.randomBytesUnsafe(4))}`
  return { sealing, ciphers: new Map([[sealing, crypto.cipher(SecureRandom.randomBytesUnsafe(keyLength))]]) }
}

const keyBytes = (key: string | Uint8Array): Uint8Array | undefined => {
  if (typeof key !== "string") return Uint8Array.from(key)
  const text = key.trim()
  if (/^[0-9a-f]{64}$/i.test(text)) return Result.getOrUndefined(Hex.decode(text))
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined
  const standard = text.replaceAll("-", "+").replaceAll("_", "/")
  return Result.getOrUndefined(Base64.decode(standard.padEnd(44, "=")))
}

/**
 * Parses `id:key,id:key`; white space is allowed around each part. It fails with a text that reveals nothing of the
 * input.
 */
export const parseKeys = (text: string): Result.Result<ReadonlyArray<Key>, string> => {
  const entries = text.split(",").map((entry) => entry.trim())
  const keys: Array<Key> = []
  for (const [index, entry] of entries.entries()) {
    const colon = entry.indexOf(":")
    if (colon === -1) return Result.fail(`Key ${index + 1} of ${entries.length} has no id: write id:key,id:key`)
    keys.push({ id: entry.slice(0, colon).trim(), key: Redacted.make(entry.slice(colon + 1)) })
  }
  return Result.succeed(keys)
}
