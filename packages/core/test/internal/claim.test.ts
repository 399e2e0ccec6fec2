import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { KeyValueStore } from "effect/persistence"
import { claim, exclusively } from "../../src/internal/sealing/claim.ts"

const entry = Uint8Array.of(3, 1, 4)

const isUnused = (value: Uint8Array) => value[0] === 3

const memory = Effect.map(Layer.build(KeyValueStore.layerMemory), Context.get(KeyValueStore.KeyValueStore))

/** Runs one claim in each process. Each entry of the schedule lets one process do its next operation on the store. */
const play = Effect.fnUntraced(function*(processes: number, schedule: ReadonlyArray<number>) {
  const store = yield* memory
  yield* store.set("entry", entry)
  const waiting = new Map<number, () => void>()
  const fibers = yield* Effect.forEach(Array.from({ length: processes }).keys(), (process) => {
    const gated = <A, E>(operation: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.callback((resume) => void waiting.set(process, () => resume(operation)))
    const gatedStore: KeyValueStore.KeyValueStore = {
      ...store,
      get: (key) => gated(store.get(key)),
      getUint8Array: (key) => gated(store.getUint8Array(key)),
      set: (key, value) => gated(store.set(key, value)),
      remove: (key) => gated(store.remove(key))
    }
    return Effect.forkChild(claim(gatedStore, "entry", isUnused), { startImmediately: true })
  })
  const step = Effect.fnUntraced(function*(process: number) {
    const operation = waiting.get(process)
    if (operation === undefined) return
    waiting.delete(process)
    operation()
    // Yields until the process waits for its next turn, or has ended.
    while (!waiting.has(process) && fibers[process]!.pollUnsafe() === undefined) yield* Effect.yieldNow
  })
  yield* Effect.forEach(schedule, step, { discard: true })
  while (waiting.size > 0) yield* Effect.forEach([...waiting.keys()], step, { discard: true })
  const outcomes = yield* Effect.forEach(fibers, Fiber.join)
  assert.deepStrictEqual(yield* store.keys, ["entry"])
  assert.isFalse(isUnused((yield* store.getUint8Array("entry"))!))
  return outcomes.filter((outcome) => typeof outcome !== "string").length
})

/** Every order in which the processes can do their operations; `left` counts those of each process. */
const schedules = (left: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
  left.every((steps) => steps === 0) ?
    [[]] :
    left.flatMap((steps, process) =>
      steps === 0 ? [] : schedules(left.with(process, steps - 1)).map((rest) => [process].concat(rest))
    )

describe("claim", () => {
  it.effect("at most one of two processes claims an entry in every order of their operations", () =>
    Effect.gen(function*() {
      const all = schedules([5, 5])
      assert.strictEqual(all.length, 252)
      const winners = yield* Effect.forEach(all, (schedule) => play(2, schedule))
      assert.strictEqual(Math.max(...winners), 1)
      // In the first and the last schedule, one process does all its operations before the other.
      assert.strictEqual(winners[0], 1)
      assert.strictEqual(winners.at(-1), 1)
    }))

  it.effect(
    "at most one of three processes claims an entry in a sample of the orders of their operations",
    () =>
      Effect.gen(function*() {
        // The four operations that decide have 34650 orders: the test plays every 23rd.
        const some = schedules([4, 4, 4]).filter((_, index) => index % 23 === 0)
        const winners = yield* Effect.forEach(some, (schedule) => play(3, schedule))
        assert.strictEqual(Math.max(...winners), 1)
      }),
    30_000
  )

  it.effect("a claim reports whether its entry is missing or used", () =>
    Effect.gen(function*() {
      const store = yield* memory
      assert.strictEqual(yield* claim(store, "entry", isUnused), "missing")
      assert.strictEqual(yield* store.size, 0)
      yield* store.set("entry", entry)
      assert.deepStrictEqual(yield* claim(store, "entry", isUnused), entry)
      assert.strictEqual(yield* claim(store, "entry", isUnused), "used")
    }))
})

describe("exclusively", () => {
  it.effect("exclusively runs one effect at a time for each key, and different keys concurrently", () =>
    Effect.gen(function*() {
      const running = new Set<string>()
      const enter = (key: string) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            assert.isFalse(running.has(key))
            running.add(key)
          }),
          () => Effect.yieldNow,
          () => Effect.sync(() => running.delete(key))
        )
      yield* Effect.forEach(["a", "a", "b", "a", "b"], (key) => exclusively(key, enter(key)), {
        concurrency: "unbounded"
      })
    }))

  it.effect("exclusively runs the next effect after one was interrupted", () =>
    Effect.gen(function*() {
      const first = yield* Effect.forkChild(exclusively("a", Effect.never), { startImmediately: true })
      const waiting = yield* Effect.forkChild(exclusively("a", Effect.never), { startImmediately: true })
      const last = yield* Effect.forkChild(exclusively("a", Effect.succeed(1)), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(first)
      assert.strictEqual(yield* Fiber.join(last), 1)
    }))
})
