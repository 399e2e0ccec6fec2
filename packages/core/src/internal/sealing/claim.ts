import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { KeyValueStore, KeyValueStoreError } from "effect/persistence/KeyValueStore"
import * as Semaphore from "effect/Semaphore"

/** What stands in the place of an entry that was used. Nothing that is sealed begins with it. */
const tombstone = Uint8Array.of(0)

/**
 * Takes an entry of a store for good: of all who ask for it, in any number of processes, at most one gets it.
 *
 * Stores read and write, and have nothing that does both at once, so this is the splitter of Lamport's fast mutual
 * exclusion (as named by Moir and Anderson): write your mark, find the entry unused, mark it as used, find your mark
 * still there. Let two get through: the one whose mark was written first found it before the other wrote its own, so the
 * other looked at the entry when that was used already. It needs a store whose reads see every write that was completed
 * before, and it may be that of several who come at the same moment nobody gets the entry.
 */
export const claim = (
  store: KeyValueStore,
  key: string,
  isUnused: (entry: Uint8Array) => boolean
): Effect.Effect<Uint8Array | "missing" | "used", KeyValueStoreError> =>
  Effect.suspend(() => {
    const markKey = `${key}-claim`
    const mark = SecureRandom.uuidV4Unsafe()
    return Effect.gen(function*() {
      yield* store.set(markKey, mark)
      const entry = yield* store.getUint8Array(key)
      if (entry === undefined) return "missing"
      if (!isUnused(entry)) return "used"
      yield* store.set(key, tombstone)
      return (yield* store.get(markKey)) === mark ? entry : "used"
    }).pipe(Effect.ensuring(Effect.ignore(store.remove(markKey))))
  })

interface Lock {
  readonly semaphore: Semaphore.Semaphore
  users: number
}

const locks = new Map<string, Lock>()

/** Runs one effect at a time for a key, in this process: so that of several who come at once, the first gets through. */
export const exclusively = <A, E, R>(key: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const lock = locks.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
      lock.users++
      locks.set(key, lock)
      return lock
    }),
    ({ semaphore }) => semaphore.withPermit(effect),
    (lock) =>
      Effect.sync(() => {
        lock.users--
        if (lock.users === 0) locks.delete(key)
      })
  )
