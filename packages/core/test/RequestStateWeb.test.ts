import { RequestState } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { KeyValueStore } from "effect/persistence"
import { nodeCrypto, stateCrypto, webCrypto } from "../src/internal/sealing/stateCrypto.ts"

const keys = [{ id: "a", key: Redacted.make(new Uint8Array(32).fill(1)) }]

const call: RequestState.Binding = { principal: "ada", method: "tools/call", name: "plan", arguments: { days: 3 } }

const journal = new TextEncoder().encode("the answers so far")

const reasonOf = (states: RequestState.RequestState, state: string, binding = call): Effect.Effect<string> =>
  states.open(state, binding).pipe(Effect.match({ onFailure: (error) => error.reason, onSuccess: () => "opened" }))

/** Platform features are looked up once, so after this every test of this file runs without `node:crypto`. */
const withoutNode = Effect.acquireUseRelease(
  Effect.sync(() => {
    const saved: unknown = Reflect.get(process, "getBuiltinModule")
    Reflect.set(process, "getBuiltinModule", undefined)
    return saved
  }),
  () => Effect.sync(nodeCrypto),
  (saved) => Effect.sync(() => Reflect.set(process, "getBuiltinModule", saved))
)

describe("RequestState without node:crypto", () => {
  it.effect("without node:crypto, Web Crypto seals, opens and refuses states", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* withoutNode)
      assert.strictEqual(stateCrypto(), webCrypto)
      const states = yield* RequestState.make({ keys })
      const state = yield* states.seal(journal, call)
      assert.deepStrictEqual(yield* states.open(state, { ...call }), journal)
      assert.strictEqual(yield* reasonOf(states, state, { ...call, principal: undefined }), "foreign")
      assert.strictEqual(
        yield* reasonOf(states, `${state.slice(0, 60)}${state[60] === "A" ? "B" : "A"}${state.slice(61)}`),
        "tampered"
      )
      assert.strictEqual(yield* reasonOf(states, `${state}=`), "malformed")
      const others = yield* RequestState.make({ keys: [{ id: "b", key: keys[0]!.key }] })
      assert.strictEqual(yield* reasonOf(others, state), "unknownKey")
    }))

  it.effect("without node:crypto, a single-use state opens once for three concurrent attempts", () =>
    Effect.gen(function*() {
      yield* withoutNode
      const store = Context.get(yield* Layer.build(KeyValueStore.layerMemory), KeyValueStore.KeyValueStore)
      const states = yield* Effect.provideService(
        RequestState.makeStored({ keys, singleUse: true }),
        KeyValueStore.KeyValueStore,
        store
      )
      const state = yield* states.seal(journal, call)
      const outcomes = yield* Effect.forEach([1, 2, 3], () => reasonOf(states, state), { concurrency: "unbounded" })
      assert.deepStrictEqual(outcomes.toSorted(), ["opened", "used", "used"])
    }))

  it.effect("without node:crypto, states are sealed with a key of the process when none is configured", () =>
    Effect.gen(function*() {
      yield* withoutNode
      const states = yield* RequestState.RequestState
      const state = yield* states.seal(journal, call)
      assert.deepStrictEqual(yield* states.open(state, call), journal)
    }))
})
