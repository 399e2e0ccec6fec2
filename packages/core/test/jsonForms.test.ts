import {
  Client,
  ClientConnection,
  Sampler,
  SamplerLanguageModel,
  TestSampler,
  ToolDispatch
} from "@effect-sampling/core"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import { call, calls, results, resultText } from "@effect-sampling/scenarios/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Chat, Tool, Toolkit } from "effect/ai"
import { foreign } from "./fixtures/foreign.ts"

const names = Object.keys(foreign).map((name) => ({ name }))

/** A tool that returns its parameter, what its handler received, and its calls in the ways of a dispatch. */
const echo = (name: string) => {
  const { json, schema, value } = foreign[name]!
  const fields = Schema.Struct({ x: schema })
  const Echo = Tool.make("echo", { parameters: fields, success: fields, failure: fields, failureMode: "return" })
  const toolkit = Toolkit.make(Echo)
  const received: Array<unknown> = []
  const handlers = toolkit.toLayer({
    echo: (parameters) => {
      received.push(parameters.x)
      return Effect.succeed({ x: value })
    }
  })
  return { Echo, toolkit, handlers, received, value, given: { x: json } }
}

class Inner extends Schema.Class<Inner>("test/Inner")({ name: Schema.String }) {}
class Outer extends Schema.Class<Outer>("test/Outer")({ one: Inner, many: Schema.Array(Inner) }) {}
const Named = Schema.Struct({ name: Schema.String }).annotate({ identifier: "Named" })

interface Tree {
  readonly children: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "Tree" })

describe("JSON forms of parameters and results", () => {
  it.effect.each(names)(
    "what is listed is what is decoded and encoded by a dispatch: $name",
    ({ name }) =>
      Effect.gen(function*() {
        const { given, handlers, received, toolkit, value } = echo(name)
        const ofLayer = Effect.provide(ToolDispatch.make(toolkit), handlers)
        const ofHandlers = Effect.flatMap(Effect.provide(toolkit, handlers), ToolDispatch.make)
        for (const make of [ofLayer, ofHandlers]) {
          const dispatch = yield* make
          const outcome = yield* dispatch.call("echo", given)
          assert.isFalse(outcome.isFailure)
          assert.deepStrictEqual(outcome.encodedResult, given)
          assert.deepStrictEqual(received.pop(), value)
          assert.deepStrictEqual(outcome.result, { x: value })
          const wrong = yield* dispatch.call("echo", { x: { no: "such value" } })
          assert.deepStrictEqual([wrong.isFailure, wrong.failureOrigin], [true, "parameters"])
        }
      })
  )

  it.effect.each(names)("a failure has the JSON form of its Schema: $name", ({ name }) =>
    Effect.gen(function*() {
      const { given, toolkit, value } = echo(name)
      const handlers = toolkit.toLayer({ echo: () => Effect.fail({ x: value }) })
      const ofHandlers = Effect.flatMap(Effect.provide(toolkit, handlers), ToolDispatch.make)
      for (const make of [Effect.provide(ToolDispatch.make(toolkit), handlers), ofHandlers]) {
        const dispatch = yield* make
        const outcome = yield* dispatch.call("echo", given)
        assert.deepStrictEqual([outcome.isFailure, outcome.encodedResult], [true, given])
      }
      const Failing = Tool.make("failing", { failure: Schema.Struct({ x: foreign[name]!.schema }) })
      const { onFailure } = ToolResult.make(Failing, ToolResult.definition(Failing))
      const exit = yield* Effect.exit(Effect.fail({ x: value }))
      if (exit._tag === "Success") return assert.fail("the effect failed")
      assert.deepStrictEqual((yield* onFailure(exit.cause)).content, [{ type: "text", text: JSON.stringify(given) }])
    }))

  it.effect.each(names)(
    "what is listed is what a tool loop decodes and encodes: $name",
    ({ name }) =>
      Effect.gen(function*() {
        const { given, handlers, received, toolkit, value } = echo(name)
        const requests = yield* Sampler.sample("Go", { toolkit }).pipe(
          Effect.andThen(TestSampler.requests),
          Effect.provide([handlers, TestSampler.scripted([calls(call("1", "echo", given)), "done"])])
        )
        assert.deepStrictEqual(received, [value])
        assert.strictEqual(resultText(requests[1]), JSON.stringify(given))
        assert.deepStrictEqual(results(requests[1])[0]?.structuredContent, given)
      })
  )

  it.effect.each(names)(
    "what is listed is what the tools of a language model decode and encode: $name",
    ({ name }) =>
      Effect.gen(function*() {
        const { given, handlers, received, toolkit, value } = echo(name)
        const model = Layer.provideMerge(
          SamplerLanguageModel.layer,
          TestSampler.scripted([calls(call("1", "echo", given)), "done"])
        )
        const requests = yield* Effect.gen(function*() {
          const chat = yield* Chat.empty
          yield* chat.generateText({ prompt: "Go", toolkit })
          yield* chat.generateText({ prompt: [], toolkit })
          return yield* TestSampler.requests
        }).pipe(Effect.provide([handlers, model]))
        assert.deepStrictEqual(received, [value])
        assert.strictEqual(resultText(requests[1]), JSON.stringify(given))
        assert.deepInclude(requests[1]?.messages[1]?.content, { type: "tool_use", name: "echo", input: given })
      })
  )

  it.effect.each([{ field: Schema.optional(Schema.String) }, { field: Schema.optionalKey(Schema.Date) }])(
    "an optional parameter that is listed with null takes null, and may be left out",
    ({ field }) =>
      Effect.gen(function*() {
        const Optional = Tool.make("optional", { parameters: Schema.Struct({ field }), success: Schema.Json })
        const toolkit = Toolkit.make(Optional)
        const dispatch = yield* Effect.provide(
          ToolDispatch.make(toolkit),
          toolkit.toLayer({ optional: ({ field }) => Effect.succeed(field === undefined ? "absent" : "present") })
        )
        const { properties } = ToolResult.definition(Optional).inputSchema
        assert.strictEqual((yield* dispatch.call("optional", {})).encodedResult, "absent")
        if (!JSON.stringify(properties).includes("null")) return
        assert.strictEqual((yield* dispatch.call("optional", { field: null })).encodedResult, "absent")
      })
  )

  it.effect("a result that its Schema does not know is encoded by JSON.stringify, if that fits what is listed", () =>
    Effect.gen(function*() {
      const at = new Date(0)
      for (
        const [success, value, expected] of [
          [Schema.Unknown, { at }, { at: at.toISOString() }],
          [Schema.Unknown, undefined, null],
          [Schema.Struct({ on: Schema.Date, data: Schema.Unknown }), { on: at, data: [at] }, {
            on: at.toISOString(),
            data: [at.toISOString()]
          }],
          [Schema.Struct({ map: Schema.ReadonlyMap(Schema.String, Schema.Int), data: Schema.Unknown }), {
            map: new Map(),
            data: at
          }, "failed"]
        ] as const
      ) {
        const toolkit = Toolkit.make(Tool.make("unknown", { success }))
        const dispatch = yield* Effect.provide(
          ToolDispatch.make(toolkit),
          toolkit.toLayer({ unknown: () => Effect.succeed(value) })
        )
        const encoded = yield* Effect.match(dispatch.call("unknown", {}), {
          onFailure: () => "failed",
          onSuccess: ({ encodedResult }) => encodedResult
        })
        assert.deepStrictEqual(encoded, expected)
      }
    }))

  it("definitions of classes and named fields are inlined in what is listed", () => {
    const Order = Tool.make("t", {
      parameters: Schema.Struct({ outer: Outer, named: Named, again: Schema.optionalKey(Schema.Array(Named)) }),
      success: Outer
    })
    const listed = ToolResult.definition(Order)
    assert.notInclude(JSON.stringify(listed), "$ref")
    assert.notInclude(JSON.stringify(listed), "$defs")
    const inner = {
      type: "object",
      properties: { name: { type: "string" } },
      required: ["name"],
      additionalProperties: true
    }
    assert.deepStrictEqual(listed.outputSchema, {
      type: "object",
      properties: { one: inner, many: { type: "array", items: inner } },
      required: ["one", "many"],
      additionalProperties: true
    })
  })

  it("the definition of a recursive field is kept, and its references resolve", () => {
    const Recursive = Tool.make("t", { parameters: Schema.Struct({ tree: Tree, named: Named }) })
    const { inputSchema } = ToolResult.definition(Recursive)
    const { $defs, properties } = inputSchema
    const references = [...JSON.stringify(inputSchema).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)].map(([, name]) =>
      name
    )
    assert.isNotEmpty(references)
    for (const name of references) assert.property($defs, name!)
    assert.notInclude(JSON.stringify(Object(properties)["named"]), "$ref")
  })

  it.effect("the input of a user is decoded from the JSON that the form describes", () =>
    Effect.gen(function*() {
      const connection: ClientConnection.ClientConnection = {
        client: undefined,
        protocolVersion: "2025-11-25",
        capabilities: { elicitation: {} },
        unreachable: undefined,
        ask: (_, decode) => Effect.fromResult(decode({ action: "accept", content: { at: "2026-01-02", note: null } }))
      }
      const form = Schema.Struct({
        at: Schema.Date,
        note: Schema.optional(Schema.String),
        url: Schema.optionalKey(Schema.URL)
      })
      const input = yield* Effect.provideService(
        Client.elicit(form, "When?"),
        ClientConnection.ClientConnection,
        connection
      )
      assert.deepStrictEqual(input, { at: new Date("2026-01-02"), note: undefined })
    }))
})
