import * as Bytes from "effect/Bytes"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import { builtin, performance, toUtf8 } from "../platform.ts"
import { realClock } from "../realClock.ts"

/** AES-256-GCM with one key. A nonce has 12 bytes, and the tag of 16 bytes follows the ciphertext. */
export interface Cipher {
  /** Returns the sealed bytes in parts; `decrypt` accepts their concatenation. */
  readonly encrypt: (
    nonce: Uint8Array,
    plaintext: Uint8Array,
    associated: Uint8Array
  ) => Effect.Effect<ReadonlyArray<Uint8Array>>
  readonly decrypt: (
    nonce: Uint8Array,
    sealed: Uint8Array,
    associated: Uint8Array
  ) => Effect.Effect<Uint8Array, "tampered">
}

/**
 * The cryptography that states need. Its two implementations, on `node:crypto` and on Web Crypto, are interchangeable.
 */
export interface StateCrypto {
  /** Imports a key of 32 bytes once, into the platform's own form. */
  readonly cipher: (key: Uint8Array) => Cipher
  readonly nonce: () => Uint8Array
  readonly sha256: (text: string) => Effect.Effect<Uint8Array>
  /** Returns the SHA-256 as base64url. */
  readonly sha256Text: (text: string) => Effect.Effect<string>
  readonly toBase64Url: (bytes: Uint8Array) => string
  /** Accepts only canonical texts: those that `toBase64Url` returns. Returns undefined for all others. */
  readonly fromBase64Url: (text: string) => Uint8Array | undefined
}

export const nonceLength = 12
export const tagLength = 16

interface NodeCipher {
  readonly setAAD: (associated: Uint8Array) => unknown
  readonly setAuthTag: (tag: Uint8Array) => unknown
  readonly getAuthTag: () => Uint8Array
  readonly update: (data: Uint8Array) => Uint8Array
  readonly final: () => Uint8Array
}

interface NodeCrypto {
  readonly createSecretKey: (key: Uint8Array) => unknown
  readonly createCipheriv: (name: string, key: unknown, nonce: Uint8Array, options: object) => NodeCipher
  readonly createDecipheriv: NodeCrypto["createCipheriv"]
  readonly hash: {
    (name: string, text: string, encoding: "buffer"): Uint8Array
    (name: string, text: string, encoding: "base64url"): string
  }
}

interface NodeBuffer {
  readonly from: {
    (buffer: ArrayBufferLike, offset: number, length: number): { readonly toString: (encoding: string) => string }
    (text: string, encoding: string): Uint8Array
  }
}

interface Subtle {
  readonly importKey: (
    format: "raw",
    key: Uint8Array,
    name: string,
    extractable: boolean,
    usages: ReadonlyArray<string>
  ) => Promise<unknown>
  readonly encrypt: (options: object, key: unknown, data: Uint8Array) => Promise<ArrayBuffer>
  readonly decrypt: Subtle["encrypt"]
  readonly digest: (name: string, data: Uint8Array) => Promise<ArrayBuffer>
}

const algorithm = "aes-256-gcm"
const gcm = { authTagLength: tagLength }

const fromNode = (crypto: NodeCrypto, buffer: NodeBuffer): StateCrypto => {
  const toBase64Url = (bytes: Uint8Array) =>
    buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url")
  return {
    cipher: (bytes) => {
      const key = crypto.createSecretKey(bytes)
      return {
        encrypt: (nonce, plaintext, associated) =>
          Effect.sync(() => {
            const cipher = crypto.createCipheriv(algorithm, key, nonce, gcm)
            cipher.setAAD(associated)
            const ciphertext = cipher.update(plaintext)
            cipher.final()
            return [ciphertext, cipher.getAuthTag()]
          }),
        decrypt: (nonce, sealed, associated) =>
          Effect.try({
            try: () => {
              const decipher = crypto.createDecipheriv(algorithm, key, nonce, gcm)
              decipher.setAAD(associated)
              decipher.setAuthTag(sealed.subarray(-tagLength))
              const plaintext = decipher.update(sealed.subarray(0, -tagLength))
              decipher.final()
              return plaintext
            },
            catch: () => "tampered" as const
          })
      }
    },
    nonce: makeNonces(SecureRandom.randomBytesUnsafe),
    sha256: (text) => Effect.sync(() => crypto.hash("sha256", text, "buffer")),
    sha256Text: (text) => Effect.sync(() => crypto.hash("sha256", text, "base64url")),
    toBase64Url,
    // Node ignores characters that are not base64url, so only encoding again shows whether the text was canonical.
    fromBase64Url: (text) => {
      const bytes = buffer.from(text, "base64url")
      return toBase64Url(bytes) === text ? bytes : undefined
    }
  }
}

/**
 * Returns a source of random nonces, which are drawn many at a time because Node takes as long for one as for a
 * hundred. A process may be cloned together with the nonces in its memory, so each nonce is mixed with the time at
 * which it is used.
 */
export const makeNonces = (draw: (length: number) => Uint8Array): () => Uint8Array => {
  const time = new Float64Array(1)
  const timeBytes = new Uint8Array(time.buffer)
  let drawn: Uint8Array = new Uint8Array(0)
  let used = 0
  return () => {
    if (used === drawn.length) {
      drawn = draw(nonceLength * noncesPerDraw)
      used = 0
    }
    const nonce = drawn.slice(used, used += nonceLength)
    time[0] = realClock.currentTimeMillisUnsafe() + performance.now()
    for (let index = 0; index < timeBytes.length; index++) nonce[index]! ^= timeBytes[index]!
    return nonce
  }
}

const noncesPerDraw = 64

const withSubtle = (f: (subtle: Subtle) => Promise<ArrayBuffer>) =>
  Effect.flatMap(
    WebCrypto.WebCrypto,
    (crypto: { readonly subtle: Subtle }) =>
      Effect.map(Effect.tryPromise(() => f(crypto.subtle)), (buffer) => new Uint8Array(buffer))
  )

const webSha256 = (text: string) => withSubtle((subtle) => subtle.digest("SHA-256", toUtf8(text))).pipe(Effect.orDie)

/** The implementation on Web Crypto. It is slower, because every call goes to a thread pool. */
export const webCrypto: StateCrypto = {
  cipher: (bytes) => {
    const name = "AES-GCM"
    const imported = new WeakMap<object, Promise<unknown>>()
    const keyFor = (subtle: Subtle): Promise<unknown> => {
      const known = imported.get(subtle)
      if (known !== undefined) return known
      const key = subtle.importKey("raw", bytes, name, false, ["encrypt", "decrypt"])
      imported.set(subtle, key)
      return key
    }
    const options = (iv: Uint8Array, additionalData: Uint8Array) => ({
      name,
      iv,
      additionalData,
      tagLength: tagLength * 8
    })
    return {
      encrypt: (nonce, plaintext, associated) =>
        withSubtle((subtle) => keyFor(subtle).then((key) => subtle.encrypt(options(nonce, associated), key, plaintext)))
          .pipe(Effect.map((sealed) => [sealed]), Effect.orDie),
      decrypt: (nonce, sealed, associated) =>
        withSubtle((subtle) => keyFor(subtle).then((key) => subtle.decrypt(options(nonce, associated), key, sealed)))
          .pipe(Effect.mapError(() => "tampered"))
    }
  },
  nonce: () => SecureRandom.randomBytesUnsafe(nonceLength),
  sha256: webSha256,
  sha256Text: (text) => Effect.map(webSha256(text), Base64Url.encode),
  toBase64Url: Base64Url.encode,
  fromBase64Url: (text) => {
    const decoded = Base64Url.decode(text)
    return Result.isSuccess(decoded) && Base64Url.encode(decoded.success) === text ? decoded.success : undefined
  }
}

const findNode = (): StateCrypto => {
  // Anything that the platform lacks throws in this function, which uses everything once before anybody relies on it.
  const found = fromNode(builtin<NodeCrypto>("node:crypto")!, builtin<{ Buffer: NodeBuffer }>("node:buffer")!.Buffer)
  const probe = new Uint8Array(32)
  const nonce = found.nonce()
  const cipher = found.cipher(probe)
  const sealed = Effect.runSync(cipher.encrypt(nonce, probe, nonce))
  Effect.runSync(cipher.decrypt(nonce, Bytes.concat(sealed), nonce))
  found.fromBase64Url(found.toBase64Url(Effect.runSync(found.sha256(Effect.runSync(found.sha256Text(""))))))
  return found
}

/** Returns the implementation on `node:crypto`, or undefined if the platform lacks any part of it. */
export const nodeCrypto = (): StateCrypto | undefined => {
  node ??= Result.try(findNode)
  return Result.getOrUndefined(node)
}

let node: Result.Result<StateCrypto, unknown> | undefined

/**
 * Returns the synchronous implementation if the platform has it, because that takes a fraction of the time for a state
 * of a few kilobytes. Returns the one on Web Crypto otherwise.
 */
export const stateCrypto = (): StateCrypto => nodeCrypto() ?? webCrypto
