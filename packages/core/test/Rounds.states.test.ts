import { ClientSampler, RequestState, Sampler } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import { KeyValueStore } from "effect/persistence"
import { TestClock } from "effect/testing"
import { baseCall, echo } from "./fixtures/rounds.ts"

const key = (id: string, byte: number) => ({ id, key: Redacted.make(new Uint8Array(32).fill(byte)) })

const november = key("november", 1)
const december = key("december", 2)

/** Runs the first round of a call. Returns its state, a count of later runs, and a function for the second round. */
const started = Effect.gen(function*() {
  let runs = 0
  const handler = Effect.suspend(() => {
    runs++
    return Effect.map(Sampler.sample("Hello"), (reply) => reply.text)
  })
  const call: RoundRunner.Call = { ...baseCall, principal: "ada", arguments: { n: 1 } }
  const first = yield* Effect.provide(RoundRunner.run(handler, call), ClientSampler.layer)
  assert(first._tag === "InputRequired" && first.requestState !== undefined)
  const state = first.requestState
  const inputResponses = Object.fromEntries(
    Object.entries(first.inputRequests).map(([name, request]) => [name, echo(request)])
  )
  runs = 0
  return {
    state,
    runs: () => runs,
    /** Runs the second round. The fields of `changed` replace those of the original call. */
    go: (changed: Partial<RoundRunner.Call>) =>
      Effect.provide(
        RoundRunner.run(handler, { ...call, inputResponses, requestState: state, ...changed }),
        ClientSampler.layer
      )
  }
})

const isRejected = Schema.is(RequestState.StateRejected)

const refused = (round: Effect.Effect<unknown, unknown>) =>
  Effect.map(Effect.flip(round), (error) => {
    assert(isRejected(error))
    return error.reason
  })

describe("Foreign and altered request states", () => {
  const sealed = RequestState.layer({ keys: [november], ttl: "10 minutes" })

  it.effect("a state that is cut, extended or changed in any bit is refused before the handler runs", () =>
    Effect.gen(function*() {
      const { go, runs, state } = yield* started
      const altered = Array.from(state).flatMap((character, index) =>
        Array.from(
          { length: 7 },
          (_, bit) =>
            state.slice(0, index) + String.fromCharCode(character.charCodeAt(0) ^ (1 << bit)) + state.slice(index + 1)
        )
      )
      const cut = Array.from(state, (_, length) => state.slice(0, length))
      const longer = ["A", "=", " ", "\n", state].map((more) => state + more)
      for (const requestState of [...altered, ...cut, ...longer]) yield* refused(go({ requestState }))
      assert.strictEqual(runs(), 0)
      assert.deepStrictEqual(yield* go({}), { _tag: "Complete", value: "<Hello>" })
    }).pipe(Effect.provide(sealed)))

  it.effect("a state of another principal, tool, method or other arguments is refused before the handler runs", () =>
    Effect.gen(function*() {
      const { go, runs } = yield* started
      for (
        const changed of [
          { principal: "bob" },
          { principal: undefined },
          { name: "other" },
          { arguments: { n: 2 } },
          { arguments: undefined },
          { method: "prompts/get" as const }
        ]
      ) assert.strictEqual(yield* refused(go(changed)), "foreign")
      assert.strictEqual(runs(), 0)
    }).pipe(Effect.provide(sealed)))

  it.effect("an expired state is refused before the handler runs", () =>
    Effect.gen(function*() {
      const { go, runs } = yield* started
      yield* TestClock.adjust("11 minutes")
      assert.strictEqual(yield* refused(go({})), "expired")
      assert.strictEqual(runs(), 0)
    }).pipe(Effect.provide(sealed)))

  it.effect("a state sealed with an old key opens until the key is retired, and is refused after that", () =>
    Effect.gen(function*() {
      const { go, runs } = yield* started
      const with_ = (keys: ReadonlyArray<RequestState.Key>) => Effect.provide(RequestState.layer({ keys }))
      assert.strictEqual(yield* refused(with_([december])(go({}))), "unknownKey")
      assert.strictEqual(runs(), 0)
      assert.deepStrictEqual(yield* with_([december, november])(go({})), { _tag: "Complete", value: "<Hello>" })
    }).pipe(Effect.provide(sealed)))

  it.effect("a single-use state is refused the second time, before the handler runs", () =>
    Effect.gen(function*() {
      const { go, runs } = yield* started
      yield* go({})
      assert.strictEqual(yield* refused(go({})), "used")
      assert.strictEqual(runs(), 1)
    }).pipe(
      Effect.provide(Layer.provide(
        RequestState.layerStored({ keys: [november], singleUse: true }),
        KeyValueStore.layerMemory
      ))
    ))
})
