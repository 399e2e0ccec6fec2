import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { KeyValueStore, KeyValueStoreError } from "effect/persistence/KeyValueStore"
import * as Semaphore from "effect/Semaphore"

/** Replaces an entry that was used. No sealed entry begins with this byte. */
const tombstone = Uint8Array.of(0)

/**
 * Takes an entry out of a store for good. At most one of all the attempts to take it succeeds, in any number of
 * processes.
 *
 * A store can read and write, but it has no atomic operation that does both. This is therefore the splitter of
 * Lamport's fast mutual exclusion (as named by Moir and Anderson): write your mark, find the entry unused, mark the
 * entry as used, find your mark still there. Suppose that two attempts get through. The attempt whose mark was written
 * first found that mark still there, before the other attempt wrote its own. By then the entry was already marked as
 * used, so the other attempt read a used entry: a contradiction. The algorithm needs a store whose reads see every
 * write that completed before them. When several attempts happen at the same moment, all of them may fail.
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

/**
 * Runs the effects of a key one at a time within this process. The first of several simultaneous attempts to claim an
 * entry then succeeds, where without it all of them might fail.
 */
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
