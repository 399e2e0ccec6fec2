import {
  ClientSampler,
  Content,
  LanguageModelSampler,
  ProviderSampler,
  Sampler,
  SamplerLanguageModel,
  TestSampler
} from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import { LanguageModel, type Response, Tool, Toolkit } from "effect/ai"
import { answer, fakeClient, text } from "./fixtures/domain.ts"
import { drive, openStates } from "./fixtures/rounds.ts"

const Tools = Toolkit.make(
  Tool.make("weather", { parameters: Schema.Struct({ city: Schema.String }), success: Schema.String }),
  Tool.make("clock", { success: Schema.String })
)

const handlers = Tools.toLayer({
  weather: ({ city }) => Effect.succeed(`sunny in ${city}`),
  clock: () => Effect.succeed("noon")
})

const good: ProviderSampler.WrittenCall = { id: "good", name: "weather", arguments: { city: "Rome" } }

/** Samples with tools. The model makes these calls, and then says "done". */
type Run = (calls: ReadonlyArray<ProviderSampler.WrittenCall>) => Effect.Effect<Sampler.Sample, unknown>

const sample = Sampler.sample("Hi", { toolkit: Tools }).pipe(Effect.provide(handlers))

const answerOfClient = (calls: ReadonlyArray<ProviderSampler.WrittenCall>) => ({
  ...answer,
  stopReason: "toolUse",
  content: calls.map(({ arguments: input, id, name }) => ({ type: "tool_use", id, name, input }))
})

const sources: Readonly<Record<string, Run>> = {
  "a provider": (calls) =>
    sample.pipe(Effect.provide(TestSampler.scripted([{ content: ProviderSampler.toolUses(calls) }, "done"]))),
  "a client that waits": (calls) => {
    let asked = 0
    return sample.pipe(
      Effect.provide(ClientSampler.layer),
      fakeClient({
        capabilities: { sampling: { tools: {} } },
        ask: () => Effect.sync(() => asked++ === 0 ? answerOfClient(calls) : { ...answer, content: text("done") })
      }).provide
    )
  },
  "a client that is asked in rounds": (calls) => {
    let asked = 0
    return drive(sample, () => asked++ === 0 ? answerOfClient(calls) : { ...answer, content: text("done") }).pipe(
      Effect.map(({ value }) => value),
      Effect.provide([ClientSampler.layer, openStates])
    )
  },
  "a language model": (calls) => {
    let asked = 0
    const parts = calls.map(({ arguments: params, id, name }): Response.PartEncoded => ({
      type: "tool-call",
      id: String(id),
      name: typeof name === "string" ? name : "",
      params,
      providerExecuted: false
    }))
    const model = Layer.effect(
      LanguageModel.LanguageModel,
      LanguageModel.make({
        generateText: () => Effect.sync(() => asked++ === 0 ? parts : [{ type: "text", text: "done" }]),
        streamText: () => Stream.empty
      })
    )
    return sample.pipe(Effect.provide(Layer.provide(LanguageModelSampler.layer({ name: "acme" }), model)))
  }
}

/** Returns the results of the tools in a history, as `ok` or `error` with their text. */
const results = ({ history }: Sampler.Sample): ReadonlyArray<string> =>
  history.flatMap(({ content }) =>
    Content.blocks(content).flatMap((block) =>
      block.type === "tool_result"
        ? [
          `${block.isError === true ? "error" : "ok"}: ${
            Content.text(block.content.filter((each) => each.type === "text"))
          }`
        ]
        : []
    )
  )

const malformed: Readonly<Record<string, unknown>> = {
  "a trailing comma": "{\"city\":\"Rome\",}",
  "a raw line break": "{\"city\":\"Ro\nme\"}",
  "a list": "[\"Rome\"]",
  "two objects": "{\"city\":\"Rome\"}{\"city\":\"Paris\"}",
  "a number": "42",
  "prose": "the weather in Rome, please",
  "an object that was encoded three times": JSON.stringify(JSON.stringify(JSON.stringify({ city: "Rome" })))
}

describe("arguments of calls that are no JSON object", () => {
  for (const [source, run] of Object.entries(sources)) {
    for (const [what, given] of Object.entries(malformed)) {
      it.effect(`arguments that are no JSON object (${what}) give an error result, and the loop goes on: ${source}`, () =>
        Effect.gen(function*() {
          const reply = yield* run([{ id: "bad", name: "weather", arguments: given }, good])
          assert.strictEqual(reply.text, "done")
          const [bad, ok] = results(reply)
          assert.match(bad!, /^error: Invalid arguments for the tool "weather": Expected one JSON object/)
          assert.strictEqual(ok, "ok: sunny in Rome")
        }))
    }

    it.effect(`arguments that were encoded twice are decoded: ${source}`, () =>
      Effect.gen(function*() {
        const given = JSON.stringify(JSON.stringify({ city: "Rome" }))
        assert.deepStrictEqual(results(yield* run([{ ...good, arguments: given }])), ["ok: sunny in Rome"])
      }))

    it.effect(`null, nothing and an empty list are {} for a tool without parameters: ${source}`, () =>
      Effect.gen(function*() {
        const empty = [null, "", "null", "[]", [], "{}", "\"\"", "\"{}\""]
        const reply = yield* run(empty.map((given, index) => ({ id: `${index}`, name: "clock", arguments: given })))
        assert.deepStrictEqual(results(reply), empty.map(() => "ok: noon"))
        const required = results(yield* run([{ ...good, arguments: null }]))
        assert.match(required[0]!, /^error: Invalid arguments for the tool "weather"/)
      }))
  }

  it.effect("the model is told what is wrong with its arguments, and its call is sent back with an empty object", () =>
    Effect.gen(function*() {
      yield* sample
      const [, second] = yield* TestSampler.requests
      const [call, result] = second!.messages.slice(-2).flatMap(({ content }) => Content.blocks(content))
      assert.deepInclude(call, { type: "tool_use", input: {} })
      assert.include(JSON.stringify(result), "it is a list. You wrote: [1]")
    }).pipe(Effect.provide(TestSampler.scripted([
      { content: ProviderSampler.toolUses([{ id: "1", name: "weather", arguments: "[1]" }]) },
      "done"
    ]))))

  it.effect("a client does not see the arguments that its model could not write as an object", () =>
    Effect.gen(function*() {
      let asked = 0
      const client = fakeClient({
        capabilities: { sampling: { tools: {} } },
        ask: () => Effect.sync(() => asked++ === 0 ? answerOfClient([{ ...good, arguments: "[1]" }]) : answer)
      })
      yield* sample.pipe(Effect.provide(ClientSampler.layer), client.provide)
      assert.notInclude(JSON.stringify(client.asked[1]), "effect-sampling/")
    }))

  it.effect("a final answer whose arguments are no JSON object is read as a text, or repaired", () =>
    Effect.gen(function*() {
      const City = Schema.Struct({ city: Schema.String })
      const final = (given: string): ProviderSampler.Reply => ({
        content: ProviderSampler.toolUses([{ id: "1", name: "final_answer", arguments: given }])
      })
      const lenient = yield* Sampler.sampleObject(City, "Hi", { maxRepairs: 0 }).pipe(
        Effect.provide(TestSampler.scripted([final("{\"city\":\"Rome\",}")]))
      )
      assert.deepStrictEqual(lenient.value, { city: "Rome" })
      const repaired = yield* Sampler.sampleObject(City, "Hi").pipe(
        Effect.provide(TestSampler.scripted([final("{\"city\" \"Rome\"}"), final("{\"city\":\"Rome\"}")]))
      )
      assert.strictEqual(repaired.turns, 2)
    }))

  it.effect("a language model over a sampler finds that such arguments do not fit, and the call does not run", () =>
    Effect.gen(function*() {
      const calls = ProviderSampler.toolUses([{ id: "1", name: "clock", arguments: "[1]" }, good])
      const reply = yield* Effect.exit(
        LanguageModel.generateText({ prompt: "Hi", toolkit: Tools }).pipe(
          Effect.provide([
            Layer.provide(SamplerLanguageModel.layer, TestSampler.scripted([{ content: calls }])),
            handlers
          ])
        )
      )
      assert.notInclude(JSON.stringify(reply), "noon")
    }))
})

describe("calls with a malformed name or id", () => {
  for (const [source, run] of Object.entries(sources)) {
    if (source === "a language model") continue
    it.effect(`a call with null as its name, or a number as its id, gives a result of its own: ${source}`, () =>
      Effect.gen(function*() {
        const reply = yield* run([
          { id: "1", name: null, arguments: {} },
          { id: 7, name: "weather", arguments: { city: "Rome" } },
          { id: null, name: 5, arguments: {} },
          { name: "clock" },
          good
        ])
        assert.strictEqual(reply.text, "done")
        const [none, seven, five, clock, last] = results(reply)
        assert.match(none!, /^error: The call names no tool\. The tools are: weather, clock/)
        assert.strictEqual(seven, "ok: sunny in Rome")
        assert.match(five!, /^error: The call names no tool/)
        assert.strictEqual(clock, "ok: noon")
        assert.strictEqual(last, "ok: sunny in Rome")
        assert.notInclude(JSON.stringify(reply.history), "\"name\":\"\"")
        const ids = Content.blocks(reply.history[1]!.content).map((block) => block.type === "tool_use" ? block.id : "")
        assert.strictEqual(new Set(ids).size, 5)
        assert.strictEqual(ids[1], "7")
      }))
  }
})
