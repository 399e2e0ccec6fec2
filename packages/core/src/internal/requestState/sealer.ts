import * as Bytes from "effect/Bytes"
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { Binding, StateRejected } from "../../RequestState.ts"
import { canonicalBinding } from "./canonical.ts"
import { decodeEnvelope, encodeHeader, type Envelope, type Kind, overhead } from "./envelope.ts"
import type { KeyRing } from "./keyRing.ts"
import { nonceLength, type StateCrypto } from "./stateCrypto.ts"

export type Rejection = StateRejected["reason"]

export interface Times {
  readonly issued: number
  readonly expires: number
}

/** Seals and opens bytes with a ring of keys. */
export interface Sealer {
  readonly crypto: StateCrypto
  readonly now: Effect.Effect<Times>
  /** The length that the sealed bytes have as text. */
  readonly textLength: (plaintextLength: number) => number
  readonly seal: (options: {
    readonly kind: Kind
    readonly times: Times
    readonly plaintext: Uint8Array
    /** Has to be the same when it is opened. */
    readonly associated?: Uint8Array | undefined
  }) => Effect.Effect<Uint8Array>
  readonly open: (
    kind: Kind,
    sealed: Uint8Array,
    associated?: Uint8Array
  ) => Effect.Effect<{ readonly plaintext: Uint8Array; readonly times: Times }, Rejection>
  readonly isExpired: (times: Times) => Effect.Effect<boolean>
}

export const makeSealer = (crypto: StateCrypto, ring: KeyRing, ttl: number): Sealer => ({
  crypto,
  now: Effect.map(Clock.currentTimeMillis, (issued) => ({ issued, expires: issued + ttl })),
  textLength: (plaintextLength) => Math.ceil((overhead(ring.sealing) + plaintextLength) * 4 / 3),
  seal: ({ associated, kind, plaintext, times }) =>
    Effect.suspend(() => {
      const nonce = SecureRandom.randomBytesUnsafe(nonceLength)
      const header = encodeHeader({ kind, keyId: ring.sealing, ...times, nonce })
      return Effect.map(
        ring.ciphers.get(ring.sealing)!.encrypt(nonce, plaintext, withAssociated(header, associated)),
        (parts) => Bytes.concat([header, ...parts])
      )
    }),
  open: (kind, sealed, associated) =>
    Effect.suspend((): Effect.Effect<{ readonly plaintext: Uint8Array; readonly times: Times }, Rejection> => {
      const envelope = decodeEnvelope(kind, sealed)
      if (envelope === undefined) return Effect.fail("malformed")
      const cipher = ring.ciphers.get(envelope.keyId)
      if (cipher === undefined) return Effect.fail("unknownKey")
      return Effect.map(
        cipher.decrypt(envelope.nonce, envelope.sealed, withAssociated(envelope.header, associated)),
        (plaintext) => ({ plaintext, times: timesOf(envelope) })
      )
    }),
  // A shorter time to live holds for states that were sealed with a longer one, too.
  isExpired: ({ expires, issued }) =>
    Effect.map(Clock.currentTimeMillis, (now) => now >= Math.min(expires, issued + ttl))
})

const timesOf = ({ expires, issued }: Envelope): Times => ({ issued, expires })

const withAssociated = (header: Uint8Array, associated: Uint8Array | undefined): Uint8Array =>
  associated === undefined ? header : Bytes.concat([header, associated])

const digestLength = 32

/** Digests by binding, as sealing follows opening in most rounds and arguments may be large. */
const digests = new WeakMap<Binding, Uint8Array>()

const digestOf = (crypto: StateCrypto, binding: Binding): Effect.Effect<Uint8Array> => {
  const known = digests.get(binding)
  return known === undefined
    ? Effect.tap(crypto.sha256(canonicalBinding(binding)), (digest) => Effect.sync(() => digests.set(binding, digest)))
    : Effect.succeed(known)
}

/**
 * Seals a payload for a binding, as text. The digest of the binding is sealed with it, not used as associated data, so
 * that a state that was changed can be told from one that belongs to another call.
 */
export const sealBound = Effect.fnUntraced(
  function*(sealer: Sealer, kind: Kind, times: Times, payload: Uint8Array, binding: Binding) {
    const digest = yield* digestOf(sealer.crypto, binding)
    const sealed = yield* sealer.seal({ kind, times, plaintext: Bytes.concat([digest, payload]) })
    return sealer.crypto.toBase64Url(sealed)
  }
)

export const boundLength = (sealer: Sealer, payloadLength: number): number =>
  sealer.textLength(digestLength + payloadLength)

/** The payload and times of a state that is whole and belongs to the binding. It may have expired. */
export const openBound = Effect.fnUntraced(
  function*(
    sealer: Sealer,
    kind: Kind,
    state: string,
    binding: Binding
  ): Effect.fn.Return<{ readonly payload: Uint8Array; readonly times: Times }, Rejection> {
    const bytes = sealer.crypto.fromBase64Url(state)
    if (bytes === undefined) return yield* Effect.fail("malformed" as const)
    const { plaintext, times } = yield* sealer.open(kind, bytes)
    const digest = yield* digestOf(sealer.crypto, binding)
    if (!startsWith(plaintext, digest)) return yield* Effect.fail("foreign" as const)
    const start = plaintext.byteOffset + digestLength
    return { payload: new Uint8Array(plaintext.buffer, start, plaintext.length - digestLength), times }
  }
)

/** Looks at every byte, so that the time it takes tells nothing. */
const startsWith = (plaintext: Uint8Array, digest: Uint8Array): boolean =>
  plaintext.length >= digestLength &&
  digest.reduce((difference, byte, index) => difference | (byte ^ plaintext[index]!), 0) === 0
