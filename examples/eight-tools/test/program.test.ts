import { SamplingError, TestSampler, ToolDispatch } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { calls } from "../src/calls.ts"
import { EightTools, handlers } from "../src/program.ts"

const callAll = Effect.gen(function*() {
  const dispatch = yield* ToolDispatch.make(EightTools)
  const results = yield* Effect.forEach(calls, (call) => dispatch.call(call.name, call.arguments))
  const requests = yield* TestSampler.requests
  return { results: results.map((outcome) => outcome.encodedResult), requests }
})

const withModel = (sampler: typeof scripted) => Effect.provide(Layer.provideMerge(handlers, sampler))

const scripted = TestSampler.fromFunction((request, index) =>
  Effect.succeed(index === 0 ? " Negative!\n" : `reply ${index}, at most ${request.maxTokens} tokens`)
)

describe("eight tools", () => {
  it.effect("each of the eight tools turns the model's reply into its result", () =>
    Effect.gen(function*() {
      const { results } = yield* callAll
      assert.deepStrictEqual(results, [
        { text: "I love this library", sentiment: "negative" },
        "reply 1, at most 512 tokens",
        "```python\nreply 2, at most 300 tokens\n```",
        "reply 3, at most 1000 tokens",
        "reply 4, at most 800 tokens",
        "reply 5, at most 512 tokens",
        [{ type: "text", text: "reply 6, at most 512 tokens" }],
        "reply 7, at most 512 tokens"
      ])
    }).pipe(withModel(scripted)))

  it.effect("the requests carry the options that each tool sets", () =>
    Effect.gen(function*() {
      const { requests } = yield* callAll
      const [, , code, creative, technical, conversation] = requests
      assert.strictEqual(code?.temperature, 0.7)
      assert.match(code?.systemPrompt ?? "", /Python programmer/)
      assert.strictEqual(creative?.includeContext, "thisServer")
      assert.deepStrictEqual(creative?.modelPreferences, { hints: [{ name: "claude-sonnet" }] })
      assert.deepStrictEqual(technical?.modelPreferences?.hints?.map(({ name }) => name), ["claude-opus", "gpt"])
      assert.deepStrictEqual(conversation?.messages.map(({ role }) => role), ["user", "assistant", "user"])
    }).pipe(withModel(scripted)))

  it.effect("a tool fails with SamplingRejected when the user refuses", () =>
    Effect.gen(function*() {
      const dispatch = yield* ToolDispatch.make(EightTools)
      const error = yield* Effect.flip(dispatch.call("generate_summary", { content: "x" }))
      assert.strictEqual(error._tag, "SamplingRejected")
    }).pipe(withModel(TestSampler.failing(new SamplingError.SamplingRejected({ message: "no" })))))
})
