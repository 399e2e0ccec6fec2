import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import { canonicalBinding } from "./canonical.ts"
import { decodeEnvelope, encodeHeader, type Envelope, type Kind, overhead } from "./envelope.ts"
import type { KeyRing } from "./keyRing.ts"
import type { Binding, Rejection } from "./models.ts"
import type { StateCrypto } from "./stateCrypto.ts"

export interface Times {
  readonly issued: number
  readonly expires: number
}

/** Seals and opens bytes with a ring of keys. */
export interface Sealer {
  readonly crypto: StateCrypto
  readonly times: (now: number) => Times
  /** Returns the length of the sealed bytes as base64url text. */
  readonly textLength: (plaintextLength: number) => number
  readonly seal: (options: {
    readonly kind: Kind
    readonly times: Times
    readonly plaintext: Uint8Array
    /** Authenticated, but not part of the result: `open` has to receive the same bytes. */
    readonly associated?: Uint8Array | undefined
  }) => Effect.Effect<Uint8Array>
  readonly open: (
    kind: Kind,
    sealed: Uint8Array,
    associated?: Uint8Array
  ) => Effect.Effect<{ readonly plaintext: Uint8Array; readonly times: Times }, Rejection>
  /** Returns why a state is not valid at this time, or undefined if it is. */
  readonly checkTimes: (times: Times, now: number) => "expired" | "future" | undefined
}

export const makeSealer = (crypto: StateCrypto, ring: KeyRing, ttl: number): Sealer => ({
  crypto,
  times: (now) => ({ issued: now, expires: now + ttl }),
  textLength: (plaintextLength) => Math.ceil((overhead(ring.sealing) + plaintextLength) * 4 / 3),
  seal: ({ associated, kind, plaintext, times }) =>
    Effect.suspend(() => {
      const nonce = crypto.nonce()
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
  // When the time to live is shortened, states that were sealed with a longer one expire earlier, too.
  checkTimes: ({ expires, issued }, now) =>
    now >= Math.min(expires, issued + ttl) ? "expired" : issued > now + maxSkew ? "future" : undefined
})

/**
 * The clocks of servers differ by less than a minute. A state from further in the future was sealed before a clock was
 * set back, and would live longer than it should.
 */
const maxSkew = 60_000

const timesOf = ({ expires, issued }: Envelope): Times => ({ issued, expires })

const withAssociated = (header: Uint8Array, associated: Uint8Array | undefined): Uint8Array =>
  associated === undefined ? header : Bytes.concat([header, associated])

const digestLength = 32

/**
 * A binding that caches its digest: most rounds need it twice, to open and to seal, and the arguments may be large. A
 * client that leaves the arguments out in one round and sends an empty object in the next means the same call.
 */
export class DigestedBinding implements Binding {
  readonly principal: string | undefined
  readonly method: string
  readonly name: string
  readonly arguments: unknown
  digest: Uint8Array | undefined

  constructor(binding: Binding) {
    this.principal = binding.principal
    this.method = binding.method
    this.name = binding.name
    this.arguments = binding.arguments ?? {}
    this.digest = undefined
  }
}

const digestOf = (crypto: StateCrypto, binding: Binding): Effect.Effect<Uint8Array> => {
  if (!(binding instanceof DigestedBinding)) return crypto.sha256(canonicalBinding(binding))
  return binding.digest === undefined
    ? Effect.map(crypto.sha256(canonicalBinding(binding)), (digest) => binding.digest = digest)
    : Effect.succeed(binding.digest)
}

/**
 * Seals a payload for a binding and returns it as text. The digest of the binding is part of the sealed content. As
 * associated data it would make a state of another call indistinguishable from a changed one.
 */
export const sealBound = (
  sealer: Sealer,
  kind: Kind,
  times: Times,
  payload: Uint8Array,
  binding: Binding
): Effect.Effect<string> =>
  Effect.flatMap(digestOf(sealer.crypto, binding), (digest) =>
    Effect.map(
      sealer.seal({ kind, times, plaintext: Bytes.concat([digest, payload]) }),
      sealer.crypto.toBase64Url
    ))

export const boundLength = (sealer: Sealer, payloadLength: number): number =>
  sealer.textLength(digestLength + payloadLength)

/**
 * Returns the payload and times of a state that is intact and belongs to the binding. It does not check whether it
 * expired.
 */
export const openBound = (
  sealer: Sealer,
  kind: Kind,
  state: string,
  binding: Binding
): Effect.Effect<{ readonly payload: Uint8Array; readonly times: Times }, Rejection> => {
  const bytes = sealer.crypto.fromBase64Url(state)
  if (bytes === undefined) return Effect.fail("malformed")
  return Effect.flatMap(
    sealer.open(kind, bytes),
    ({ plaintext, times }) =>
      Effect.flatMap(digestOf(sealer.crypto, binding), (digest) =>
        startsWith(plaintext, digest)
          ? Effect.succeed({ payload: withoutDigest(plaintext), times })
          : Effect.fail("foreign"))
  )
}

const withoutDigest = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset + digestLength, length - digestLength)

/** Compares every byte, so the duration does not reveal where the first difference is. */
const startsWith = (plaintext: Uint8Array, digest: Uint8Array): boolean => {
  if (plaintext.length < digestLength) return false
  let difference = 0
  for (let index = 0; index < digestLength; index++) difference |= digest[index]! ^ plaintext[index]!
  return difference === 0
}
