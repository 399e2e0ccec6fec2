import { ClientSampler, LanguageModelSampler, Sampler, SamplerLanguageModel, TestSampler } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import { LanguageModel, type Response } from "effect/ai"
import { answer, fakeClient, text } from "./fixtures/domain.ts"
import { drive, openStates, say } from "./fixtures/rounds.ts"

type Fields = { readonly content: string; readonly stopReason: string }

/** Samples once from each kind of source, whose answer has these fields. */
const sources: Readonly<Record<string, (fields: Fields) => Effect.Effect<Sampler.Sample, unknown>>> = {
  "a client that waits": ({ content, stopReason }) =>
    Sampler.sample("Hi").pipe(
      Effect.provide(ClientSampler.layer),
      fakeClient({ reply: { ...answer, content: text(content), stopReason } }).provide
    ),
  "a client that is asked in rounds": ({ content, stopReason }) =>
    Effect.map(
      drive(Sampler.sample("Hi"), () => ({ ...say(content), stopReason })),
      ({ value }) => value
    ).pipe(Effect.provide([ClientSampler.layer, openStates])),
  "a provider": ({ content, stopReason }) =>
    Sampler.sample("Hi").pipe(Effect.provide(TestSampler.scripted([{ content, stopReason }])))
}

const tagOf = (error: unknown) => error !== null && typeof error === "object" && "_tag" in error ? error._tag : error

const finished = (reason: Response.FinishReason, answer: string) =>
  Sampler.sample("Hi").pipe(
    Effect.provide(LanguageModelSampler.layer({ name: "acme" })),
    Effect.provide(Layer.effect(
      LanguageModel.LanguageModel,
      LanguageModel.make({
        generateText: () =>
          Effect.succeed([
            ...(answer === "" ? [] : [{ type: "text" as const, text: answer }]),
            {
              type: "finish" as const,
              reason,
              usage: { inputTokens: { total: 1 }, outputTokens: { total: 1 } }
            }
          ]),
        streamText: () => Stream.empty
      })
    ))
  )

const words = {
  maxTokens: [
    "length",
    "max_tokens",
    "MAX_TOKENS",
    "maxTokens",
    "max-tokens",
    "max_output_tokens",
    "model_length",
    "model_context_window_exceeded",
    "FINISH_REASON_MAX_TOKENS"
  ],
  endTurn: ["stop", "STOP", "end_turn", "endTurn", "eos", "eos_token", "COMPLETE"],
  stopSequence: ["stop_sequence", "STOP_SEQUENCE", "stopSequence"],
  contentFilter: ["content_filter", "SAFETY", "content_filter: PROHIBITED_CONTENT", "guardrail_intervened", "sensitive"]
}

describe("stop reasons in other words", () => {
  for (const [source, sample] of Object.entries(sources)) {
    it.effect(`stop reasons in other words are those of MCP: from ${source}`, () =>
      Effect.gen(function*() {
        for (const [expected, all] of Object.entries(words)) {
          for (const stopReason of all) {
            const reply = yield* sample({ content: "half", stopReason })
            assert.strictEqual(reply.stopReason, expected, stopReason)
            assert.strictEqual(reply.truncated, expected === "maxTokens", stopReason)
          }
        }
        assert.strictEqual((yield* sample({ content: "a", stopReason: "house rule" })).stopReason, "house rule")
      }))
  }

  it.effect("stop reasons in other words are known to effect/ai", () =>
    Effect.gen(function*() {
      const cases = { MAX_TOKENS: "length", STOP: "stop", SAFETY: "content-filter", TOOL_CALL: "tool-calls" }
      for (const [stopReason, expected] of Object.entries(cases)) {
        const reply = yield* LanguageModel.generateText({ prompt: "Hi" }).pipe(
          Effect.provide(Layer.provide(
            SamplerLanguageModel.layer,
            TestSampler.scripted([{ content: "half", stopReason }])
          ))
        )
        assert.strictEqual(reply.finishReason, expected, stopReason)
      }
    }))

  it.effect("an object that a stop reason in other words says was cut off is asked for again in fewer words", () =>
    Effect.gen(function*() {
      const cut = { content: "{\"a\":", stopReason: "MAX_TOKENS" }
      const error = yield* Effect.flip(
        Sampler.sampleObject(Schema.Struct({ a: Schema.Int }), "Hi", { maxRepairs: 0 })
      ).pipe(Effect.provide(TestSampler.scripted([cut])))
      assert.include(String(error), "cut off at maxTokens")
    }))
})

describe("answers whose generation failed", () => {
  for (const [source, sample] of Object.entries(sources)) {
    it.effect(`half a text with the stop reason error or network_error is not an answer: from ${source}`, () =>
      Effect.gen(function*() {
        for (const stopReason of ["error", "network_error", "ERROR", "insufficient_system_resource", "server_error"]) {
          const error = yield* Effect.flip(sample({ content: "half a te", stopReason }))
          assert.strictEqual(tagOf(error), source === "a provider" ? "ProviderError" : "ClientError", stopReason)
          assert.notInclude(String(error), "half")
        }
      }))
  }

  it.effect("half a text with the finish reason error of a language model is a ProviderError", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(finished("error", "half a te"))
      assert.deepInclude(error, { _tag: "ProviderError", provider: "acme", reason: "unavailable" })
    }))
})

describe("answers that a content filter left empty", () => {
  for (const [source, sample] of Object.entries(sources)) {
    it.effect(`an empty text that a content filter caused is not an answer: from ${source}`, () =>
      Effect.gen(function*() {
        for (const stopReason of ["contentFilter", "content_filter", "SAFETY", "refusal", "RECITATION"]) {
          for (const content of ["", " \n"]) {
            const error = yield* Effect.flip(sample({ content, stopReason }))
            assert.strictEqual(
              tagOf(error),
              source === "a provider" ? "ProviderError" : "SamplingRejected",
              stopReason
            )
          }
          const reply = yield* sample({ content: "a part", stopReason })
          assert.strictEqual(reply.text, "a part")
        }
        assert.strictEqual((yield* sample({ content: "", stopReason: "endTurn" })).text, "")
      }))
  }

  it.effect("an empty text that the content filter of a language model caused is a ProviderError", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(finished("content-filter", ""))
      assert.deepInclude(error, { _tag: "ProviderError", provider: "acme", reason: "contentFilter" })
    }))
})
