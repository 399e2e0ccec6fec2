import {
  Client,
  ClientSampler,
  ProviderSampler,
  Sampler,
  SamplerLanguageModel,
  TestSampler,
  ToolApproval,
  ToolDispatch
} from "@effect-sampling/core"
import * as PromptDefinition from "@effect-sampling/core/wire/PromptDefinition"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { call, calls } from "@effect-sampling/scenarios/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, Schema } from "effect"
import { LanguageModel, Tool, Toolkit } from "effect/ai"
import { answer, fakeClient, hello, text, tool } from "./fixtures/domain.ts"
import { baseCall, openStates, say } from "./fixtures/rounds.ts"

const nulls = { annotations: null, _meta: null }

const ask = (reply: unknown) =>
  Sampler.Sampler.use((sampler) => sampler.createMessage({ ...hello, tools: [tool] })).pipe(
    fakeClient({ reply, capabilities: { sampling: { tools: {} } } }).provide,
    Effect.provide(ClientSampler.layer)
  )

const elicit = <S extends Schema.Constraint>(schema: S, result: unknown) =>
  Client.elicit(schema, "Who?").pipe(fakeClient({ reply: result, capabilities: { elicitation: {} } }).provide)

const Find = Tool.make("find", {
  parameters: Schema.Struct({
    text: Schema.NullOr(Schema.String),
    limit: Schema.optionalKey(Schema.Int),
    page: Schema.optional(Schema.Int),
    filter: Schema.optionalKey(Schema.Struct({ tags: Schema.optionalKey(Schema.Array(Schema.String)) }))
  }),
  success: Schema.Unknown
})

const Finds = Toolkit.make(Find)
const finds = Finds.toLayer({ find: (parameters) => Effect.succeed(parameters) })
const sparse = { text: null, limit: null, page: null, filter: { tags: null } }

describe("null for an absent member", () => {
  it.effect("nulls are looked for in answers of a sane size only, because a hostile one has millions of them", () =>
    Effect.gen(function*() {
      const blocks = (count: number) => Array.from({ length: count }, () => ({ ...text("a"), ...nulls }))
      const reply = yield* ask({ role: "assistant", model: "m", content: blocks(1000) })
      assert.deepStrictEqual(reply.content, Array.from({ length: 1000 }, () => text("a")))
      const error = yield* Effect.flip(ask({ role: "assistant", model: "m", content: blocks(10_000) }))
      assert.strictEqual(error._tag, "InvalidResponse")
    }))

  it.effect("null members of a client's answer count as absent, at every level", () =>
    Effect.gen(function*() {
      const response = yield* ask({
        ...answer,
        stopReason: null,
        _meta: null,
        usage: null,
        content: [
          { ...text("a"), ...nulls },
          { type: "image", data: "AAAA", mimeType: "image/png", ...nulls },
          { type: "tool_use", id: "1", name: "weather", input: { city: null }, _meta: null }
        ]
      })
      assert.deepStrictEqual<unknown>(response.content, [
        text("a"),
        { type: "image", data: "AAAA", mimeType: "image/png" },
        { type: "tool_use", id: "1", name: "weather", input: { city: null } }
      ])
      assert.isFalse("stopReason" in response || "_meta" in response)
    }))

  it.effect("null for a required member of an answer is still an error that names it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ask({ ...answer, stopReason: null, model: null }))
      assert.strictEqual(error._tag, "InvalidResponse")
      assert.include(error.message, "model")
    }))

  it.effect("a user who declines is not a broken client when the declined form has content null", () =>
    Effect.gen(function*() {
      const form = Schema.Struct({ name: Schema.String })
      const declined = yield* Effect.flip(elicit(form, { action: "decline", content: null, _meta: null }))
      assert.strictEqual(declined._tag, "ElicitationDeclined")
      const cancelled = yield* Effect.flip(elicit(form, { action: "cancel", content: null }))
      assert.strictEqual(cancelled._tag, "ElicitationCancelled")
    }))

  it.effect("a field of a form that the user left out may be null, unless the form asks for null", () =>
    Effect.gen(function*() {
      const form = Schema.Struct({
        name: Schema.String,
        age: Schema.optionalKey(Schema.Int),
        town: Schema.optional(Schema.String),
        note: Schema.NullOr(Schema.String)
      })
      const content = { name: "Ada", age: null, town: null, note: null }
      assert.deepStrictEqual(yield* elicit(form, { action: "accept", content }), {
        name: "Ada",
        town: undefined,
        note: null
      })
    }))

  it.effect("null members of a root count as absent", () =>
    Effect.gen(function*() {
      const reply = { roots: [{ uri: "file:///a", name: null, _meta: null }], _meta: null }
      const roots = yield* Client.roots().pipe(fakeClient({ reply, capabilities: { roots: {} } }).provide)
      assert.deepStrictEqual<unknown>(roots, [{ uri: "file:///a" }])
    }))

  it.effect("null members of a provider's reply count as absent", () =>
    Effect.gen(function*() {
      const reply: unknown = { content: [{ ...text("a"), ...nulls }], model: null, stopReason: null, usage: null }
      const provider = ProviderSampler.layer({
        name: "acme",
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a provider without types may reply this
        createMessage: () => Effect.succeed(reply as ProviderSampler.Reply)
      })
      const response = yield* Sampler.Sampler.use((sampler) => sampler.createMessage(hello)).pipe(
        Effect.provide(provider)
      )
      assert.deepStrictEqual(response.content, [text("a")])
      assert.strictEqual(response.model, "acme")
      assert.isFalse("stopReason" in response || "usage" in response)
    }))

  it.effect("null for an optional parameter of a tool counts as absent, and null that the Schema takes stays", () =>
    Effect.gen(function*() {
      const direct = yield* ToolDispatch.make(Finds)
      assert.deepStrictEqual((yield* direct.call("find", sparse)).result, {
        text: null,
        page: undefined,
        filter: {}
      })
      const handled = yield* ToolDispatch.make(yield* Finds)
      assert.deepStrictEqual((yield* handled.call("find", sparse)).result, {
        text: null,
        page: undefined,
        filter: {}
      })
    }).pipe(Effect.provide(finds)))

  it.effect("a call with null for an absent parameter does not get around its approval", () =>
    Effect.gen(function*() {
      const Drop = Tool.make("drop", {
        parameters: Schema.Struct({ table: Schema.String, schema: Schema.optionalKey(Schema.String) }),
        success: Schema.String,
        needsApproval: true
      })
      const toolkit = Toolkit.make(Drop)
      const reply = yield* Sampler.sample("Go", { toolkit }).pipe(
        Effect.provide(toolkit.toLayer({ drop: () => Effect.die("it was not approved") })),
        Effect.provideService(ToolApproval.ToolApproval, () => Effect.succeed(false)),
        Effect.provide(TestSampler.scripted([calls(call("1", "drop", { table: "a", schema: null })), "done"]))
      )
      assert.include(JSON.stringify(reply.history), "was not approved")
    }))

  it.effect("null for an optional argument of a prompt counts as absent", () =>
    Effect.sync(() => {
      const decode = PromptDefinition.decoder({
        name: "p",
        arguments: Schema.Struct({ topic: Schema.String, style: Schema.optionalKey(Schema.String) })
      })
      assert.deepStrictEqual(decode({ topic: "a", style: null }), Result.succeed({ topic: "a" }))
      assert.isTrue(Result.isFailure(decode({ topic: null })))
    }))

  it.effect("null for an optional key of an object that a model wrote counts as absent", () =>
    Effect.gen(function*() {
      const schema = Schema.Struct({ name: Schema.String, age: Schema.optionalKey(Schema.Int) })
      const reply = "{\"name\":\"Ada\",\"age\":null}"
      const { value } = yield* Sampler.sampleObject(schema, "Who?").pipe(Effect.provide(TestSampler.scripted([reply])))
      assert.deepStrictEqual(value, { name: "Ada" })
      const generated = yield* LanguageModel.generateObject({ schema, prompt: "Who?" }).pipe(
        Effect.provide(Layer.provide(SamplerLanguageModel.layer, TestSampler.scripted([reply])))
      )
      assert.deepStrictEqual(generated.value, { name: "Ada" })
    }))

  it.effect("inputResponses and requestState of null are those of a first request", () =>
    Effect.gen(function*() {
      const handler = Effect.map(Sampler.sample("a"), (reply) => reply.text)
      const first = yield* RoundRunner.run(handler, { ...baseCall, inputResponses: null, requestState: null })
      assert.strictEqual(first._tag, "InputRequired")
      if (first._tag !== "InputRequired") return
      const [key] = Object.keys(first.inputRequests)
      const ended = yield* RoundRunner.run(handler, {
        ...baseCall,
        requestState: first.requestState ?? null,
        inputResponses: { [key!]: { ...say("b"), stopReason: null, _meta: null } }
      })
      assert.deepStrictEqual(ended, { _tag: "Complete", value: "b" })
    }).pipe(Effect.provide([ClientSampler.layer, openStates])))

  it.effect("a long answer that is wrong everywhere fails before the test times out", () =>
    Effect.gen(function*() {
      const content = Array.from({ length: 20_000 }, () => ({ type: "text", text: 42, annotations: null }))
      assert.strictEqual((yield* Effect.flip(ask({ ...answer, content })))._tag, "InvalidResponse")
    }))
})
