import { RequestState } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer, Logger, Redacted } from "effect"
import { Base64Url } from "effect/encoding"
import { KeyValueStore } from "effect/persistence"
import { TestClock } from "effect/testing"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { fileSystemStore, sqliteStore } from "./fixtures/stores.ts"

const key = (id: string, fill: number): RequestState.Key => ({ id, key: Redacted.make(new Uint8Array(32).fill(fill)) })

const keys = [key("a", 1)]

const call: RequestState.Binding = { principal: undefined, method: "tools/call", name: "plan", arguments: {} }

const journal = new TextEncoder().encode("the answers so far".repeat(100))

const reasonOf = (states: RequestState.RequestState, state: string, binding = call): Effect.Effect<string> =>
  states.open(state, binding).pipe(Effect.match({ onFailure: (error) => error.reason, onSuccess: () => "opened" }))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "states-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const stores: ReadonlyArray<[string, Layer.Layer<KeyValueStore.KeyValueStore>]> = [
  ["memory", KeyValueStore.layerMemory],
  ["file system", Layer.unwrap(Effect.map(directory, fileSystemStore))],
  ["SQLite", Layer.unwrap(Effect.map(directory, (path) => sqliteStore(join(path, "states.db"))))]
]

const getStore = (layer: Layer.Layer<KeyValueStore.KeyValueStore> = KeyValueStore.layerMemory) =>
  Effect.map(Layer.build(layer), Context.get(KeyValueStore.KeyValueStore))

const makeOn = (store: KeyValueStore.KeyValueStore, options: Partial<RequestState.StoredOptions> = {}) =>
  Effect.provideService(RequestState.makeStored({ keys, ...options }), KeyValueStore.KeyValueStore, store)

const onlyKey = (store: KeyValueStore.KeyValueStore) =>
  Effect.map(store.keys, (keys) => (assert.strictEqual(keys.length, 1), keys[0]!))

const failing = (method: "get" | "set" | "keys") =>
  Effect.map(getStore(), (store): KeyValueStore.KeyValueStore => {
    const failure = Effect.fail(
      new KeyValueStore.KeyValueStoreError({ method, message: "the inside", cause: new Error("disk full") })
    )
    return {
      ...store,
      ...(method === "get" && { get: () => failure, getUint8Array: () => failure }),
      ...(method === "set" && { set: () => failure }),
      ...(method === "keys" && { keys: failure })
    }
  })

describe("RequestState.makeStored", () => {
  describe.each(stores)("%s store", (where, layer) => {
    it.effect(`a journal stored in the ${where} store has a short handle`, () =>
      Effect.gen(function*() {
        const store = yield* getStore(layer)
        const states = yield* makeOn(store)
        const [one, other] = [yield* states.seal(journal, call), yield* states.seal(new Uint8Array(), call)]
        assert.isBelow(one.length, 200)
        assert.deepStrictEqual(yield* states.open(one, { ...call }), journal)
        assert.deepStrictEqual(yield* states.open(one, call), journal)
        assert.deepStrictEqual(yield* states.open(other, call), new Uint8Array())
        assert.strictEqual(yield* store.size, 2)
      }))

    it.effect(`a journal stored in the ${where} store is encrypted`, () =>
      Effect.gen(function*() {
        const store = yield* getStore(layer)
        const states = yield* makeOn(store)
        yield* states.seal(journal, call)
        const entry = yield* store.getUint8Array(yield* onlyKey(store))
        assert.notInclude(Buffer.from(entry!).toString("latin1"), "answers")
      }))

    it.effect(`a single-use state in the ${where} store opens once, and later attempts report that it was used`, () =>
      Effect.gen(function*() {
        const store = yield* getStore(layer)
        const states = yield* makeOn(store, { singleUse: true })
        const state = yield* states.seal(journal, call)
        // A foreign principal's attempt does not use the state up.
        assert.strictEqual(yield* reasonOf(states, state, { ...call, principal: "bob" }), "foreign")
        assert.deepStrictEqual(yield* states.open(state, call), journal)
        assert.strictEqual(yield* reasonOf(states, state), "used")
        assert.strictEqual(yield* reasonOf(states, state), "used")
        assert.strictEqual(yield* reasonOf(yield* makeOn(store), state), "used")
        assert.strictEqual((yield* store.getUint8Array(yield* onlyKey(store)))?.length, 1)
      }))

    it.effect(`a single-use state in the ${where} store opens once for 20 concurrent attempts`, () =>
      Effect.gen(function*() {
        const store = yield* getStore(layer)
        const servers = [yield* makeOn(store, { singleUse: true }), yield* makeOn(store, { singleUse: true })]
        for (let round = 0; round < 5; round++) {
          const state = yield* servers[0]!.seal(journal, call)
          const outcomes = yield* Effect.forEach(
            Array.from({ length: 20 }, (_, index) => servers[index % 2]!),
            (states) => reasonOf(states, state),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(outcomes.toSorted(), ["opened", ...Array.from({ length: 19 }, () => "used")])
        }
        assert.strictEqual(yield* store.size, 5)
      }))

    it.effect(`a state that is gone from the ${where} store is reported as missing, not as used`, () =>
      Effect.gen(function*() {
        const store = yield* getStore(layer)
        for (const singleUse of [false, true]) {
          const states = yield* makeOn(store, { singleUse })
          const state = yield* states.seal(journal, call)
          yield* store.clear
          assert.strictEqual(yield* reasonOf(states, state), "missing")
          assert.strictEqual(yield* store.size, 0)
        }
      }))

    it.effect(`an expired entry of the ${where} store is removed when its handle comes back`, () =>
      Effect.gen(function*() {
        const store = yield* getStore(layer)
        for (const singleUse of [false, true]) {
          const states = yield* makeOn(store, { singleUse, ttl: "10 minutes" })
          const state = yield* states.seal(journal, call)
          yield* TestClock.adjust("10 minutes")
          assert.strictEqual(yield* store.size, 1)
          assert.strictEqual(yield* reasonOf(states, state), "expired")
          assert.strictEqual(yield* store.size, 0)
        }
      }))

    it.effect(`a handle of the ${where} store from the future is refused, and its entry is kept`, () =>
      Effect.gen(function*() {
        const store = yield* getStore(layer)
        yield* TestClock.setTime(Date.UTC(2026, 0, 2))
        const states = yield* makeOn(store)
        const state = yield* states.seal(journal, call)
        yield* TestClock.setTime(Date.UTC(2026, 0, 1))
        assert.strictEqual(yield* reasonOf(states, state), "future")
        yield* TestClock.setTime(Date.UTC(2026, 0, 2))
        assert.strictEqual(yield* reasonOf(states, state), "opened")
      }))

    it.effect(`entries of the ${where} store that were changed or swapped are refused`, () =>
      Effect.gen(function*() {
        const store = yield* getStore(layer)
        const states = yield* makeOn(store)
        const state = yield* states.seal(journal, call)
        const name = yield* onlyKey(store)
        const entry = (yield* store.getUint8Array(name))!
        const changed = Uint8Array.from(entry)
        changed[changed.length - 1]! ^= 1
        yield* store.set(name, changed)
        assert.strictEqual(yield* reasonOf(states, state), "tampered")
        yield* store.remove(name)
        const other = yield* states.seal(journal, call)
        yield* store.set(yield* onlyKey(store), entry)
        assert.strictEqual(yield* reasonOf(states, other), "tampered")
      }))

    it.effect(`removeExpired removes the expired states of the ${where} store and nothing else`, () =>
      Effect.gen(function*() {
        const store = yield* getStore(layer)
        const remove = Effect.provideService(RequestState.removeExpired(), KeyValueStore.KeyValueStore, store)
        const states = yield* makeOn(store, { ttl: "10 minutes", singleUse: true })
        yield* store.set("other", "1")
        yield* store.set("sampling-state-of-somebody-else", "1")
        const used = yield* states.seal(journal, call)
        yield* states.open(used, call)
        yield* states.seal(journal, call)
        yield* TestClock.adjust("9 minutes")
        const fresh = yield* states.seal(journal, call)
        assert.strictEqual(yield* remove, 0)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* remove, 2)
        assert.strictEqual(yield* store.size, 3)
        assert.strictEqual(yield* reasonOf(states, fresh), "opened")
      }))
  })

  it.live.each([["file system", fileSystemStore], ["SQLite", sqliteStore]] as const)(
    "a single-use state of the %s store opens in at most one of three processes",
    ([name, store]) =>
      Effect.gen(function*() {
        const path = name === "SQLite" ? join(yield* directory, "states.db") : yield* directory
        const states = yield* makeOn(yield* getStore(store(path)), { singleUse: true })
        const handles = yield* Effect.forEach(Array.from({ length: 100 }), () => states.seal(journal, call))
        const openers = yield* Effect.forEach([1, 2, 3], () => opener(name === "SQLite" ? "sqlite" : "files", path), {
          concurrency: "unbounded"
        })
        const outcomes = yield* Effect.forEach(openers, (open) => open(handles), { concurrency: "unbounded" })
        const opened = handles.map((_, index) => outcomes.filter((outcome) => outcome[index] === "opened").length)
        assert.deepStrictEqual(outcomes.flat().filter((outcome) => outcome !== "opened" && outcome !== "used"), [])
        assert.isAtMost(Math.max(...opened), 1)
      }),
    60_000
  )

  it.effect("sealed states, handles and entries of a store are not accepted in place of each other", () =>
    Effect.gen(function*() {
      const store = yield* getStore()
      const stored = yield* makeOn(store)
      const sealed = yield* RequestState.make({ keys })
      const handle = yield* stored.seal(journal, call)
      const entry = Base64Url.encode((yield* store.getUint8Array(yield* onlyKey(store)))!)
      assert.strictEqual(yield* reasonOf(sealed, handle), "malformed")
      assert.strictEqual(yield* reasonOf(sealed, entry), "malformed")
      assert.strictEqual(yield* reasonOf(stored, entry), "malformed")
      assert.strictEqual(yield* reasonOf(stored, yield* sealed.seal(journal.slice(0, 16), call)), "malformed")
      for (const first of [1, 2, 3]) {
        const changed = Buffer.from(handle, "base64url")
        changed[0] = first
        const expected = first === 1 ? "tampered" : "malformed"
        assert.strictEqual(yield* reasonOf(sealed, changed.toString("base64url")), expected)
      }
    }))

  it.effect("stored states follow key rotation as sealed states do", () =>
    Effect.gen(function*() {
      const store = yield* getStore()
      const before = yield* makeOn(store, { keys: [key("old", 1)] })
      const during = yield* makeOn(store, { keys: [key("new", 2), key("old", 1)] })
      const after = yield* makeOn(store, { keys: [key("new", 2)] })
      const state = yield* before.seal(journal, call)
      assert.strictEqual(yield* reasonOf(during, state), "opened")
      assert.strictEqual(yield* reasonOf(after, state), "unknownKey")
    }))

  it.effect("a string that is not a handle is refused without reading the store", () =>
    Effect.gen(function*() {
      const states = yield* makeOn(yield* failing("get"))
      const other = yield* RequestState.make({ keys: [key("b", 2)] })
      for (const text of ["", "sampling-state-1", "A".repeat(50_000_000), yield* other.seal(journal, call)]) {
        assert.strictEqual(yield* reasonOf(states, text), "malformed")
      }
    }))

  it.effect("a failing store is reported to the caller, and its cause only in the log", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => void logged.push(message))
      const store = yield* failing("get")
      const states = yield* makeOn(store)
      const once = yield* makeOn(store, { singleUse: true })
      const state = yield* states.seal(journal, call)
      const cannotSet = yield* makeOn(yield* failing("set"))
      const remove = Effect.provideService(
        RequestState.removeExpired(),
        KeyValueStore.KeyValueStore,
        yield* failing("keys")
      )
      const attempts: ReadonlyArray<Effect.Effect<unknown, RequestState.StateRejected | RequestState.StateNotKept>> = [
        states.open(state, call),
        once.open(state, call),
        cannotSet.seal(journal, call),
        remove
      ]
      for (const attempt of attempts) {
        const error = yield* Effect.flip(attempt).pipe(Effect.provide(Logger.layer([logger])))
        assert.strictEqual(error._tag, "StateNotKept")
        assert.strictEqual(error.reason, "store")
        assert.notInclude(JSON.stringify(error) + error.message, "disk")
        assert.notInclude(JSON.stringify(error) + error.message, "inside")
      }
      assert.strictEqual(logged.length, 4)
      assert.include(JSON.stringify(logged), "disk full")
      assert.notInclude(JSON.stringify(logged), "sampling-state-")
    }))

  it.effect("layerStoredConfig reads the environment, and works on a store with a prefix", () =>
    Effect.gen(function*() {
      const environment = ConfigProvider.layer(
        ConfigProvider.fromUnknown({
          SAMPLING_STATE_KEYS: `a:${Buffer.alloc(32, 1).toString("base64")}`,
          SAMPLING_STATE_TTL: "1 minute"
        })
      )
      const store = yield* getStore()
      const layer = RequestState.layerStoredConfig().pipe(
        Layer.provide([environment, Layer.succeed(KeyValueStore.KeyValueStore, KeyValueStore.prefix(store, "mine/"))])
      )
      const states = yield* Effect.provide(RequestState.RequestState, layer)
      const state = yield* states.seal(journal, call)
      assert.match(yield* onlyKey(store), /^mine\/sampling-state-\d{15}-[0-9a-f]{32}$/)
      assert.strictEqual(yield* reasonOf(states, state), "opened")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* reasonOf(states, state), "expired")
    }))

  it.effect("makeStored refuses an empty key ring", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(makeOn(yield* getStore(), { keys: [] }))
      assert.strictEqual(error._tag, "InvalidOptions")
    }))
})

/** Starts another process on the same store. Returns a function that opens handles in it. */
const opener = Effect.fnUntraced(function*(kind: string, path: string) {
  const script = fileURLToPath(new URL("./fixtures/stdioOpener.ts", import.meta.url))
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--no-warnings", "--conditions", "@effect-sampling/source", script, kind, path], {
        stdio: ["pipe", "pipe", "inherit"]
      })
    ),
    (child) => Effect.sync(() => child.kill())
  )
  const lines = createInterface({ input: child.stdout })
  const line = Effect.promise(() => new Promise<string>((resolve) => lines.once("line", resolve)))
  assert.strictEqual(yield* line, "ready")
  return (handles: ReadonlyArray<string>) => {
    child.stdin.write(`${JSON.stringify(handles)}\n`)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fixture writes an array of outcomes
    return Effect.map(line, (line) => JSON.parse(line) as ReadonlyArray<string>)
  }
})
