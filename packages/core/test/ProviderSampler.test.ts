import { ProviderSampler, Sampler, SamplingError, SamplingMessage, type SamplingRequest } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Effect, Exit, Layer } from "effect"
import { audio, hello, image, text, tool, toolUse } from "./fixtures/domain.ts"

const ask = (
  reply: ProviderSampler.Reply,
  request: SamplingRequest.SamplingRequest = hello,
  options: Partial<ProviderSampler.Options> = {}
) =>
  Sampler.Sampler.use((sampler) => sampler.createMessage(request)).pipe(
    Effect.provide(ProviderSampler.layer({ name: "acme", createMessage: () => Effect.succeed(reply), ...options }))
  )

const untyped = (reply: unknown): ProviderSampler.Reply =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the reply is wrong on purpose
  reply as ProviderSampler.Reply

class NoKey extends Data.TaggedError("NoKey")<{}> {}

describe("ProviderSampler", () => {
  it.effect("a string reply becomes one text block with the stop reason endTurn", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ask("hello"), {
        role: "assistant",
        content: text("hello"),
        model: "acme",
        stopReason: "endTurn",
        source: { kind: "provider", name: "acme" },
        passedOver: []
      })
    }))

  it.effect("a response has the model, stop reason and usage of the reply, and no invented ones", () =>
    Effect.gen(function*() {
      const usage = { inputTokens: 1, outputTokens: 2 }
      const full = yield* ask({ content: "hello", model: "acme-1", stopReason: "maxTokens", usage })
      assert.deepStrictEqual([full.model, full.stopReason, full.usage], ["acme-1", "maxTokens", usage])
      const bare = yield* ask({ content: "hello", model: undefined, stopReason: undefined, usage: undefined })
      assert.deepStrictEqual(Object.keys(bare).toSorted(), ["content", "model", "passedOver", "role", "source"])
      assert.strictEqual(bare.model, "acme")
    }))

  it.effect("a reply may hold one block, several blocks or none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* ask({ content: image })).content, image)
      assert.deepStrictEqual((yield* ask({ content: [text("a"), audio] })).content, [text("a"), audio])
      assert.deepStrictEqual((yield* ask({ content: [] })).content, [])
    }))

  it.effect("a provider receives the request after it was checked", () =>
    Effect.gen(function*() {
      const sent: Array<SamplingRequest.SamplingRequest> = []
      const request = { ...hello, systemPrompt: "Be brief.", includeContext: "thisServer" as const }
      yield* ask("hello", request, {
        createMessage: (received) => Effect.sync(() => (sent.push(received), "hello"))
      })
      assert.deepStrictEqual(sent, [request])
      assert.strictEqual((yield* Effect.flip(ask("hello", { ...hello, maxTokens: 0 })))._tag, "InvalidRequest")
    }))

  it.effect.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 5],
    ["no content", {}],
    ["an unknown block", { content: { type: "SECRET" } }],
    ["a block without text", { content: [{ type: "text" }] }],
    ["an image that is not base64", { content: { ...image, data: "SECRET!" } }],
    ["a model that is a number", { content: "a", model: 5 }],
    ["a stop reason that is a number", { content: "a", stopReason: 5 }],
    ["half a token", { content: "a", usage: { inputTokens: 0.5 } }],
    ["NaN tokens", { content: "a", usage: { outputTokens: Number.NaN } }],
    ["a tool call that was not offered", { content: { ...toolUse("SECRET"), name: "SECRET" } }]
  ])(
    "a provider's reply that holds %s is an InvalidResponse that names the provider",
    ([, reply]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(ask(untyped(reply)))
        assert.strictEqual(error._tag, "InvalidResponse")
        assert.include(error.message, `"acme"`)
        assert.notInclude(error.message, "SECRET")
      })
  )

  it.effect("ProviderSampler fails with the provider's error", () =>
    Effect.gen(function*() {
      const error = new SamplingError.ProviderError({ provider: "acme", reason: "auth", message: "no key" })
      assert.strictEqual(yield* Effect.flip(ask("", hello, { createMessage: () => Effect.fail(error) })), error)
    }))

  it.effect("an exception in createMessage becomes a defect", () =>
    Effect.gen(function*() {
      const bug = new Error("bug")
      const exit = yield* Effect.exit(ask("", hello, {
        createMessage: () => {
          throw bug
        }
      }))
      assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) === bug)
    }))

  describe("tools", () => {
    const history = [
      SamplingMessage.user("hi"),
      SamplingMessage.assistant(toolUse("1")),
      SamplingMessage.user([{ type: "tool_result", toolUseId: "1", content: [text("21 °C")] }])
    ]

    it.effect.each<[string, SamplingRequest.SamplingRequest]>([
      ["tools", { ...hello, tools: [tool] }],
      ["a tool choice", { ...hello, toolChoice: { mode: "none" } }],
      ["a history with tool calls", { ...hello, messages: history }]
    ])("a provider refuses %s by default", ([, request]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(ask("hello", request))
        assert.strictEqual(error._tag === "SamplingUnsupported" && error.missing, "sampling.tools")
        assert.include(error.message, `"acme"`)
      }))

    it.effect("tools reach a provider that declares them", () =>
      Effect.gen(function*() {
        const request = { ...hello, messages: history, tools: [tool] }
        const response = yield* ask({ content: toolUse("2"), stopReason: "toolUse" }, request, { tools: true })
        assert.deepStrictEqual(response.content, toolUse("2"))
      }))

    it.effect("a provider's capabilities say whether it accepts tools", () =>
      Effect.gen(function*() {
        const capabilities = (tools: boolean | undefined) =>
          Effect.flatMap(Sampler.Sampler, (sampler) => sampler.capabilities).pipe(
            Effect.provide(ProviderSampler.layer({ name: "acme", tools, createMessage: () => Effect.succeed("") }))
          )
        assert.deepStrictEqual(yield* Effect.forEach([true, false, undefined], capabilities), [
          { sampling: true, tools: true, jsonSchema: false },
          { sampling: true, tools: false, jsonSchema: false },
          { sampling: true, tools: false, jsonSchema: false }
        ])
      }))
  })

  describe("layerEffect", () => {
    it.effect("ProviderSampler.layerEffect builds a provider from an effect that may own resources", () =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const layer = ProviderSampler.layerEffect(
          Effect.acquireRelease(
            Effect.sync(() => {
              events.push("open")
              return { name: "acme", createMessage: () => Effect.sync(() => (events.push("ask"), "hello")) }
            }),
            () => Effect.sync(() => events.push("close"))
          )
        )
        yield* Effect.provide(Sampler.sample("hi"), layer)
        assert.deepStrictEqual(events, ["open", "ask", "close"])
      }))

    it.effect("ProviderSampler.layerEffect fails to build with the effect's error", () =>
      Effect.gen(function*() {
        const error = yield* Layer.build(ProviderSampler.layerEffect(Effect.fail(new NoKey()))).pipe(Effect.flip)
        assert.strictEqual(error._tag, "NoKey")
      }))
  })
})
