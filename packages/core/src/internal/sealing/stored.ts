import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import type { KeyValueStore, KeyValueStoreError } from "effect/persistence/KeyValueStore"
import { claim, exclusively } from "./claim.ts"
import { kinds } from "./envelope.ts"
import type { Binding } from "./models.ts"
import type { Rejection } from "./models.ts"
import { openBound, sealBound, type Sealer } from "./sealer.ts"

export interface StoredOptions {
  readonly sealer: Sealer
  readonly store: KeyValueStore
  readonly prefix: string
  readonly singleUse: boolean
}

const idLength = 16

/** Far above the length of a handle, which is about 130 characters. */
const maxHandleLength = 512

const timeDigits = 15

/** Returns the key of an entry. It begins with the expiry, so an expired entry is recognized by its key alone. */
const keyOf = (prefix: string, expires: number, id: Uint8Array): string =>
  `${prefix}${String(expires).padStart(timeDigits, "0")}-${Hex.encode(id)}`

/** Puts a journal into the store and returns its handle. */
export const sealStored = Effect.fnUntraced(
  function*({ prefix, sealer, store }: StoredOptions, journal: Uint8Array, binding: Binding) {
    const times = sealer.times(yield* Clock.currentTimeMillis)
    const id = SecureRandom.randomBytesUnsafe(idLength)
    const entry = yield* sealer.seal({ kind: kinds.entry, times, plaintext: journal, associated: id })
    yield* store.set(keyOf(prefix, times.expires, id), entry)
    return yield* sealBound(sealer, kinds.handle, times, id, binding)
  }
)

/** Returns the journal that a handle refers to. */
export const openStored = Effect.fnUntraced(
  function*(
    { prefix, sealer, singleUse, store }: StoredOptions,
    handle: string,
    binding: Binding
  ): Effect.fn.Return<Uint8Array, Rejection | KeyValueStoreError> {
    if (handle.length > maxHandleLength) return yield* Effect.fail("malformed" as const)
    const { payload: id, times } = yield* openBound(sealer, kinds.handle, handle, binding)
    const key = keyOf(prefix, times.expires, id)
    const problem = sealer.checkTimes(times, yield* Clock.currentTimeMillis)
    if (problem === "expired") yield* Effect.ignore(store.remove(key))
    if (problem !== undefined) return yield* Effect.fail(problem)
    const entry = singleUse
      ? yield* exclusively(key, claim(store, key, isUnused))
      : yield* Effect.map(store.getUint8Array(key), (entry) => entry ?? "missing")
    if (typeof entry === "string") return yield* Effect.fail(entry)
    if (!isUnused(entry)) return yield* Effect.fail("used" as const)
    const { plaintext } = yield* sealer.open(kinds.entry, entry, id)
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length)
  }
)

const isUnused = (entry: Uint8Array): boolean => entry[0] === kinds.entry

/** Removes the expired entries and returns their number. */
export const removeExpired = Effect.fnUntraced(function*(store: KeyValueStore, prefix: string) {
  const now = yield* Clock.currentTimeMillis
  const expired = (yield* store.keys).filter((key) => {
    const [time = ""] = key.startsWith(prefix) ? key.slice(prefix.length).split("-", 1) : []
    return time.length === timeDigits && /^\d+$/.test(time) && Number(time) <= now
  })
  yield* Effect.forEach(expired, (key) => store.remove(key), { discard: true })
  return expired.length
})
