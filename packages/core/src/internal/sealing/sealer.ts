import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import type { Binding, StateRejected } from "../../RequestState.ts"
import { canonicalBinding } from "./canonical.ts"
import { decodeEnvelope, encodeHeader, type Envelope, type Kind, overhead } from "./envelope.ts"
import type { KeyRing } from "./keyRing.ts"
import type { StateCrypto } from "./stateCrypto.ts"

export type Rejection = StateRejected["reason"]

export interface Times {
  readonly issued: number
  readonly expires: number
}

/** Seals and opens bytes with a ring of keys. */
export interface Sealer {
  readonly crypto: StateCrypto
  readonly times: (now: number) => Times
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
  readonly isExpired: (times: Times, now: number) => boolean
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
  // A shorter time to live holds for states that were sealed with a longer one, too.
  isExpired: ({ expires, issued }, now) => now >= Math.min(expires, issued + ttl)
})

const timesOf = ({ expires, issued }: Envelope): Times => ({ issued, expires })

const withAssociated = (header: Uint8Array, associated: Uint8Array | undefined): Uint8Array =>
  associated === undefined ? header : Bytes.concat([header, associated])

const digestLength = 32

/** A binding that keeps its digest, as sealing follows opening in most rounds and arguments may be large. */
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
    this.arguments = binding.arguments
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
 * Seals a payload for a binding, as text. The digest of the binding is sealed with it, not used as associated data, so
 * that a state that was changed can be told from one that belongs to another call.
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

/** The payload and times of a state that is whole and belongs to the binding. It may have expired. */
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

/** Looks at every byte, so that the time it takes tells nothing. */
const startsWith = (plaintext: Uint8Array, digest: Uint8Array): boolean => {
  if (plaintext.length < digestLength) return false
  let difference = 0
  for (let index = 0; index < digestLength; index++) difference |= digest[index]! ^ plaintext[index]!
  return difference === 0
}
