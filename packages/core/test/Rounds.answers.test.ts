import { Client, ClientSampler, RequestState, Rounds } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { expect, layer } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { deflateRawSync } from "node:zlib"
import { ask, baseCall, drive, echo, openStates, say, unbounded } from "./fixtures/rounds.ts"

/** None of these is a valid answer to any of the asks below. */
const notAnswers: ReadonlyArray<unknown> = [
  null,
  undefined,
  1,
  "text",
  [],
  {},
  { role: 1 },
  { roots: {} },
  { roots: [null] },
  { action: "maybe" },
  { action: "accept", content: [] },
  { action: "accept", content: "text" },
  JSON.parse(`{"__proto__":{"action":"accept","role":"assistant","roots":[]}}`),
  { role: "assistant", model: "m", content: null },
  { role: "assistant", model: "m", content: { type: "text" } }
]

const asks = {
  sampling: ask("a", "key"),
  roots: Client.roots({ key: "key" }),
  elicitation: Client.elicit(Schema.Struct({ a: Schema.String }), "m", { key: "key" })
}

const answering = (inputResponses: unknown): RoundRunner.Call => ({ ...baseCall, inputResponses })

const next = (round: RoundRunner.Round<unknown>, inputResponses: object): RoundRunner.Call => ({
  ...answering(inputResponses),
  requestState: round._tag === "InputRequired" ? round.requestState : undefined
})

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Client answers in rounds", (it) => {
  for (const [what, asking] of Object.entries(asks)) {
    it.effect(`an invalid answer to an ask for ${what} fails the request, and no part of the handler continues`, () =>
      Effect.gen(function*() {
        let wentOn = 0
        const handler = Effect.tap(
          Effect.exit<unknown, unknown, Effect.Services<typeof asking>>(asking),
          () => Effect.sync(() => wentOn++)
        )
        for (const answer of notAnswers) {
          for (const each of [handler, Effect.all([handler, handler], unbounded), Effect.timeout(handler, "1 hour")]) {
            const error = yield* Effect.flip(
              RoundRunner.run<unknown, unknown, Effect.Services<typeof handler>>(each, answering({ key: answer }))
            )
            expect(error).toBeInstanceOf(RoundRunner.InvalidParams)
          }
        }
        expect(wentOn).toBe(0)
      }))
  }

  it.effect("an `inputResponses` that is not an object fails the request", () =>
    Effect.gen(function*() {
      for (const inputResponses of [[], "text", 1, true]) {
        const error = yield* Effect.flip(RoundRunner.run(ask("a"), answering(inputResponses)))
        expect(error._tag).toBe("InvalidParams")
      }
    }))

  it.effect("arguments and answers that are nested too deep fail the request, and the handler does not run", () =>
    Effect.gen(function*() {
      let deep: unknown = []
      for (let level = 0; level < 300; level++) deep = [deep]
      for (const params of [{ arguments: { deep } }, { inputResponses: { key: { deep } } }]) {
        const error = yield* Effect.flip(RoundRunner.run(Effect.die("ran"), { ...baseCall, ...params }))
        expect([error._tag, error.message]).toStrictEqual(["InvalidParams", expect.stringContaining("256 levels")])
      }
    }))

  it.effect("answers to keys that were never asked for are ignored, even under the names of built-in properties", () =>
    Effect.gen(function*() {
      const names = [
        "toString",
        "constructor",
        "",
        "#",
        "a#",
        "#1",
        "a#0",
        "a#-1",
        "a#999999999999",
        "x".repeat(100_000)
      ]
      const strange = Object.fromEntries(names.map((name) => [name, say("strange")]))
      const answers = JSON.parse(JSON.stringify(strange).replace("{", `{"__proto__":{"role":"assistant"},`))
      const round = yield* RoundRunner.run(ask("a", "key"), answering(answers))
      expect(round).toMatchObject({ _tag: "InputRequired", requestState: undefined })
      expect(Object.keys(round._tag === "InputRequired" ? round.inputRequests : {})).toStrictEqual(["key"])
    }))

  it.effect("asks whose keys are names of built-in object properties receive their answers", () =>
    Effect.gen(function*() {
      const names = ["__proto__", "constructor", "toString", "1"]
      const { value } = yield* drive(Effect.forEach(names, (name) => ask(name, name), unbounded), echo)
      expect(value).toStrictEqual(names.map((name) => `<${name}>`))
    }))

  it.effect("an answer that the client sends again is not used for a later ask of the same content", () =>
    Effect.gen(function*() {
      const handler = Effect.forEach([1, 2, 3], () => ask("same"))
      const all: Record<string, unknown> = {}
      const call = { ...baseCall }
      let answers = 0
      for (let round = 0; round < 3; round++) {
        const ended = yield* RoundRunner.run(handler, call)
        if (ended._tag === "Complete") break
        for (const key of Object.keys(ended.inputRequests)) all[key] = say(`${answers++}`)
        Object.assign(call, { requestState: ended.requestState, inputResponses: { ...all } })
      }
      const last = yield* RoundRunner.run(handler, call)
      expect(last).toStrictEqual({ _tag: "Complete", value: ["0", "1", "2"] })
    }))

  it.effect("asks without an answer are sent again under the same keys, and each round of them counts", () =>
    Effect.gen(function*() {
      const handler = Effect.all([ask("a"), ask("a"), ask("b", "name")], unbounded)
      const call = { ...baseCall }
      const keys: Array<ReadonlyArray<string>> = []
      for (let round = 0; round < 8; round++) {
        const ended = yield* RoundRunner.run(handler, call)
        if (ended._tag === "Complete") break
        keys.push(Object.keys(ended.inputRequests))
        Object.assign(call, { requestState: ended.requestState, inputResponses: round % 2 === 0 ? undefined : {} })
      }
      expect(keys).toStrictEqual(Array.from({ length: 8 }, () => keys[0]))
      expect((yield* Effect.flip(RoundRunner.run(handler, call)))._tag).toBe("RoundsExceeded")
    }))

  it.effect("an invalid answer fails the request in the later round in which its ask comes up", () =>
    Effect.gen(function*() {
      let runs = 0
      let seen = 0
      const late = Effect.suspend(() => runs === 2 ? Effect.delay(ask("b"), "1 minute") : ask("b"))
      const handler = Effect.suspend(() => {
        runs++
        return Effect.all([
          Effect.andThen(ask("a", "a"), ask("c", "c")),
          Effect.tap(Effect.exit(late), () => Effect.sync(() => seen++))
        ], unbounded)
      })
      const first = yield* RoundRunner.run(handler, { ...baseCall })
      const b = first._tag === "InputRequired" ? Object.keys(first.inputRequests).at(-1)! : ""
      const second = yield* RoundRunner.run(handler, next(first, { a: say("A"), [b]: { role: 1 } }))
      expect(second).toMatchObject({ _tag: "InputRequired", inputRequests: { c: {} } })
      const error = yield* Effect.flip(RoundRunner.run(handler, next(second, { c: say("C") })))
      expect(error).toMatchObject({ _tag: "InvalidParams" })
      expect([runs, seen]).toStrictEqual([3, 0])
    }))

  it.effect("answers that come without a state count as a round", () =>
    Effect.gen(function*() {
      const handler = Effect.andThen(ask("a", "a"), ask("b", "b"))
      const error = yield* Effect.flip(Effect.provideService(drive(handler, echo), Rounds.MaxRounds, 1))
      expect(error._tag).toBe("RoundsExceeded")
    }))

  it.effect("a client may answer the asks of a round one at a time", () =>
    Effect.gen(function*() {
      const handler = Effect.forEach(["a", "b", "a", "c"], (text) =>
        Effect.flatMap(ask(text), (reply) => ask(reply)), unbounded)
      const call = { ...baseCall }
      for (let round = 0;; round++) {
        const ended = yield* Effect.provideService(RoundRunner.run(handler, call), Rounds.MaxRounds, 20)
        if (ended._tag === "Complete") {
          expect([ended.value, round]).toStrictEqual([["<<a>>", "<<b>>", "<<a>>", "<<c>>"], 8])
          break
        }
        const [key, request] = Object.entries(ended.inputRequests).at(-1)!
        Object.assign(call, { requestState: ended.requestState, inputResponses: { [key]: echo(request) } })
      }
    }))
})

layer(ClientSampler.layer, { excludeTestServices: true })("Request states in rounds", (it) => {
  const carrying = (bytes: Uint8Array) =>
    Effect.provideService(RequestState.RequestState, {
      seal: (journal) => Effect.succeed(Base64Url.encode(journal)),
      open: () => Effect.succeed(bytes)
    })
  const text = new TextEncoder()
  const journal = (answers: string, rest: string, version = 2) =>
    Uint8Array.from([version, 0, ...text.encode(`${answers}\n${rest}`)])
  const deflated = (answers: Uint8Array, rest: string, length = answers.length) =>
    Uint8Array.from([2, 1, 0, 0, 0, length, ...answers, ...text.encode(rest)])
  const rest = `{"r":1,"t":0,"a":[],"o":[],"d":[]}`

  it.effect("a state without a journal of this version is refused, and the handler does not run", () =>
    Effect.gen(function*() {
      let ran = 0
      const handler = Effect.sync(() => ran++)
      const broken = [
        new Uint8Array(0),
        new Uint8Array(6),
        journal("[]", rest, 1),
        deflated(text.encode("[]"), rest),
        deflated(deflateRawSync("[]"), rest, 255),
        deflated(deflateRawSync("{}"), rest),
        deflated(deflateRawSync("[]"), rest).subarray(0, 5),
        journal("{}", rest),
        journal("[1]", rest),
        journal("[", rest),
        journal("[]", "null"),
        journal("[]", `{"r":"1","t":0,"a":[],"o":[],"d":[]}`),
        journal("[]", `{"r":1,"t":0,"a":[],"o":[["a"]],"d":[]}`),
        journal("[]", `{"r":1,"t":0,"a":{},"o":[],"d":[]}`),
        journal("[]", rest).subarray(0, 12),
        Uint8Array.from([2, 0, 255, 255, 255, 255]),
        Uint8Array.from([2, 2, 0, 0, 0, 0])
      ]
      for (const bytes of broken) {
        const error = yield* Effect.flip(carrying(bytes)(RoundRunner.run(handler, { ...baseCall, requestState: "x" })))
        expect(error).toMatchObject({ _tag: "StateRejected", reason: "malformed" })
      }
      for (const requestState of [1, {}, []]) {
        const error = yield* Effect.flip(RoundRunner.run(handler, { ...baseCall, requestState }))
        expect(error).toMatchObject({ _tag: "StateRejected", reason: "malformed" })
      }
      expect(ran).toBe(0)
      for (const [value, whole] of [journal("[]", rest), deflated(deflateRawSync("[]"), rest)].entries()) {
        expect(yield* carrying(whole)(RoundRunner.run(handler, { ...baseCall, requestState: "x" })))
          .toStrictEqual({ _tag: "Complete", value })
      }
    }))

  it.effect("the state grows by the same size for each answer", () =>
    Effect.gen(function*() {
      // These answers do not compress, so the size shows every one of them.
      const reply = ({ params }: { readonly params: object }) =>
        say(text.encode(JSON.stringify(params)).join("x").slice(0, 300))
      const lengths: Array<number> = []
      for (const asked of [50, 100, 200, 400]) {
        const handler = Effect.andThen(
          Effect.forEach(Array.from({ length: asked }, (_, i) => i), (i) => ask(`${i}`), unbounded),
          ask("end")
        )
        const { states } = yield* Effect.provide(drive(handler, reply), openStates)
        lengths.push(states[1]!.length)
      }
      const perAnswer = [100, 200, 400].map((asked, i) => (lengths[i + 1]! - lengths[i]!) / (asked / 2))
      for (const each of perAnswer) expect(each / perAnswer[0]!).toBeCloseTo(1, 0)
    }))
})
