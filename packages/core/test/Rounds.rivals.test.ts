/** What goes wrong where other libraries run handlers again for each round, each as a test of what happens here. */
import { ClientSampler, RequestState, Rounds } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { TestClock } from "effect/testing"
import { ask, baseCall, drive, echo, unbounded } from "./fixtures/rounds.ts"

const states = RequestState.layer({
  keys: [{ id: "november", key: Redacted.make(new Uint8Array(32).fill(1)) }],
  ttl: "10 minutes"
})

/** Runs the first round of a call. Returns the state, and the answers to its asks. */
const first = <A, E, R>(handler: Effect.Effect<A, E, R>, call: RoundRunner.Call = baseCall) =>
  Effect.map(RoundRunner.run(handler, call), (round) => {
    assert(round._tag === "InputRequired")
    const inputResponses = Object.fromEntries(
      Object.entries(round.inputRequests).map(([key, request]) => [key, echo(request)])
    )
    return { requestState: round.requestState, inputResponses }
  })

layer(Layer.merge(states, ClientSampler.layer))("Faults of rivals", (it) => {
  const paid: Array<string> = []
  const pay = Rounds.once("pay", Effect.sync(() => void paid.push("pay")))
  const buy = Effect.gen(function*() {
    yield* ask("Shall I pay?")
    yield* pay
    return yield* ask("Thank you!")
  })

  it.effect("forged state: a state that a client writes itself, in plain JSON or encoded, is refused", () =>
    Effect.gen(function*() {
      const { inputResponses, requestState } = yield* first(buy)
      const journal = JSON.stringify({ r: 1, t: 0, a: [], o: [], d: [["pay", 1, "", true, null]] })
      const bytes = new TextEncoder().encode(journal)
      const encoded = Base64Url.encode(bytes)
      for (
        const state of [journal, encoded, `${requestState?.split(".").slice(0, -1).join(".")}.${encoded}`, "{}", ""]
      ) {
        const error = yield* Effect.flip(RoundRunner.run(buy, { ...baseCall, inputResponses, requestState: state }))
        assert(Schema.is(RequestState.StateRejected)(error))
      }
      for (const state of [{}, 1, [requestState]]) {
        const error = yield* Effect.flip(RoundRunner.run(buy, { ...baseCall, inputResponses, requestState: state }))
        assert(Schema.is(RequestState.StateRejected)(error))
      }
      assert.deepStrictEqual(paid, [])
    }))

  it.effect("forged state: a client cannot read the results of once-steps in its state", () =>
    Effect.gen(function*() {
      const secret = "the secret of the server"
      const handler = Effect.andThen(Rounds.once("key", Effect.succeed(secret), { success: Schema.String }), ask("a"))
      const { requestState } = yield* first(handler)
      for (const part of (requestState ?? "").split(".")) {
        assert.isFalse(part.includes(secret) || atob(part.replaceAll("-", "+").replaceAll("_", "/")).includes(secret))
      }
    }))

  it.effect("reordered asks: each ask gets its own answer when the handler asks in another order in each run", () =>
    Effect.gen(function*() {
      let runs = 0
      const prompts = ["a", "b", "c", "d"]
      const handler = Effect.suspend(() => {
        const order = ++runs % 2 === 0 ? prompts : prompts.toReversed()
        return Effect.forEach(order, (prompt) => Effect.map(ask(prompt), (text) => [prompt, text] as const), unbounded)
      })
      const { rounds, value } = yield* drive(handler, echo)
      assert.deepStrictEqual(Object.fromEntries(value), { a: "<a>", b: "<b>", c: "<c>", d: "<d>" })
      assert.strictEqual(rounds.flat().length, 4)
    }))

  it.effect("reordered asks: an ask that a new run puts before the others does not get their answer", () =>
    Effect.gen(function*() {
      let runs = 0
      const handler = Effect.suspend(() => {
        const prompts = ++runs === 1 ? ["delete nothing?"] : ["delete everything?", "delete nothing?"]
        return Effect.forEach(prompts, (prompt) => ask(prompt))
      })
      const { value } = yield* drive(handler, echo)
      assert.deepStrictEqual(value, ["<delete everything?>", "<delete nothing?>"])
    }))

  it.effect("repeated effects: what stands before an ask in a once-step happens once in ten rounds", () =>
    Effect.gen(function*() {
      const done: Array<string> = []
      const handler = Effect.gen(function*() {
        for (let i = 0; i < 10; i++) {
          yield* Rounds.once(`save ${i}`, Effect.sync(() => void done.push(`save ${i}`)))
          yield* ask(`${i}`)
        }
      })
      yield* Effect.provideService(drive(handler, echo), Rounds.MaxRounds, 20)
      assert.deepStrictEqual(done, Array.from({ length: 10 }, (_, i) => `save ${i}`))
    }))

  it.effect("a catch around an ask: no handler of errors sees the end of a round, and each ask gets its answer", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const swallow = (what: string) => Effect.sync(() => (seen.push(what), what))
      const handler = Effect.gen(function*() {
        const a = yield* Effect.catch(ask("a"), () => swallow("catch"))
        const b = yield* Effect.catchCause(ask("b"), () => swallow("catchCause"))
        const c = yield* Effect.catchDefect(ask("c"), () => swallow("catchDefect"))
        const d = yield* Effect.match(ask("d"), { onFailure: () => "match", onSuccess: (text) => text })
        const e = yield* Effect.flatMap(
          Effect.exit(ask("e")),
          (exit) => exit._tag === "Success" ? Effect.succeed(exit.value) : swallow("exit")
        )
        const f = yield* Effect.orElseSucceed(ask("f"), () => "orElse")
        return [a, b, c, d, e, f]
      })
      const { value } = yield* drive(handler, echo)
      assert.deepStrictEqual(value, ["<a>", "<b>", "<c>", "<d>", "<e>", "<f>"])
      assert.deepStrictEqual(seen, [])
    }))

  it.effect("state of another request or caller: answers of one call do not serve another one, whatever it shares", () =>
    Effect.gen(function*() {
      const call: RoundRunner.Call = { ...baseCall, principal: "ada", arguments: { order: "7" } }
      const { inputResponses, requestState } = yield* first(buy, call)
      const others: ReadonlyArray<Partial<RoundRunner.Call>> = [
        { principal: "Ada" },
        { principal: "" },
        { arguments: { order: 7 } },
        { arguments: { order: "7", more: null } },
        { arguments: [] },
        { name: "Tool" },
        { method: "resources/read" }
      ]
      for (const other of others) {
        const error = yield* Effect.flip(RoundRunner.run(buy, { ...call, ...other, inputResponses, requestState }))
        assert(Schema.is(RequestState.StateRejected)(error))
        assert.strictEqual(error.reason, "foreign")
      }
      assert.deepStrictEqual(paid, [])
    }))

  it.effect("state of another request or caller: answers without their state do not pay", () =>
    Effect.gen(function*() {
      const { inputResponses } = yield* first(buy)
      const round = yield* RoundRunner.run(buy, { ...baseCall, inputResponses })
      assert.strictEqual(round._tag, "InputRequired")
      assert.deepStrictEqual(paid, [])
    }))

  it.effect("absent arguments: a call may leave them out in one round and send an empty object in the next", () =>
    Effect.gen(function*() {
      const forms = [undefined, {}]
      for (const [before, after] of [forms, forms.toReversed()]) {
        const chain = Effect.flatMap(ask("a"), ask)
        const { inputResponses, requestState } = yield* first(chain, { ...baseCall, arguments: before })
        const round = yield* RoundRunner.run(chain, { ...baseCall, arguments: after, inputResponses, requestState })
        assert.strictEqual(round._tag, "InputRequired")
      }
    }))

  it.effect("expiry: a state serves for its time to live, to the last second, and not longer", () =>
    Effect.gen(function*() {
      const { inputResponses, requestState } = yield* first(Effect.flatMap(ask("a"), ask))
      const again = RoundRunner.run(Effect.flatMap(ask("a"), ask), { ...baseCall, inputResponses, requestState })
      yield* TestClock.adjust("599 seconds")
      assert.strictEqual((yield* again)._tag, "InputRequired")
      yield* TestClock.adjust("2 seconds")
      const error = yield* Effect.flip(again)
      assert(Schema.is(RequestState.StateRejected)(error))
      assert.strictEqual(error.reason, "expired")
    }))

  it.effect("rounds without end: a handler that asks for ever is refused after the limit, and may end with a result", () =>
    Effect.gen(function*() {
      const forever = (
        text: string
      ): Effect.Effect<never, Effect.Error<ReturnType<typeof ask>>, Effect.Services<ReturnType<typeof ask>>> =>
        Effect.flatMap(ask(text.slice(0, 20)), forever)
      let rounds = 0
      const handler = Effect.catchTag(forever("more"), "RoundsExceeded", (error) => Effect.succeed(error.rounds))
      const { value } = yield* drive(handler, (request) => (rounds++, echo(request)), { maxRounds: 100 })
      assert.deepStrictEqual([value, rounds], [8, 8])
    }))

  it.effect("rounds without end: a client that never answers is refused after the limit", () =>
    Effect.gen(function*() {
      const handler = Effect.flip(ask("a"))
      let call = baseCall
      for (let round = 0; round < 8; round++) {
        const { requestState } = yield* first(handler, call)
        call = { ...baseCall, requestState, inputResponses: {} }
      }
      const last = yield* RoundRunner.run(handler, call)
      assert(last._tag === "Complete")
      assert.strictEqual(last.value._tag, "RoundsExceeded")
    }))
})
