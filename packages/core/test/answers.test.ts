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

describe("reasoning in a reply", () => {
  const cases: ReadonlyArray<readonly [text: string, expected: string]> = [
    ["<think>Maybe {\"age\": 5}? No.</think>36", "36"],
    ["<think>\nMaybe.\n</think>\n\nParis", "Paris"],
    ["Maybe {\"age\": 5}? No.</think>36", "36"],
    ["\n<think>Maybe { \"age\"", ""],
    ["<think></think>", ""],
    ["<THINK>a</THINK>b", "b"],
    ["<think>a</think>b<think>c</think>d", "bd"],
    ["<think>I close with </think> soon.</think>b", "b"],
    ["<think>a</think>b</think>", "b"],
    ["<thinking>a</thinking>b", "b"],
    ["<thought>a</thought>b", "b"],
    ["[THINK]a[/THINK]b", "b"],
    ["◁think▷a◁/think▷b", "b"],
    ["a</think>", ""],
    ["The mark `</think>` ends it", "The mark `</think>` ends it"],
    ["{\"html\":\"a</think>b\"}", "{\"html\":\"a</think>b\"}"],
    ["Use <think> first", "Use <think> first"]
  ]
  for (const [source, sample] of Object.entries(sources)) {
    it.effect(`reasoning blocks are no part of reply.text: from ${source}`, () =>
      Effect.gen(function*() {
        for (const [content, expected] of cases) {
          const reply = yield* sample({ content, stopReason: "endTurn" })
          assert.strictEqual(reply.text, expected, content)
        }
      }))
  }

  it.effect("a reasoning block that is split into several content blocks is removed from each of them", () =>
    Effect.gen(function*() {
      const parts = ["<thi", "nk>no", " no", "</think> y", "es"].map(text)
      const reply = yield* Sampler.sample("Hi").pipe(
        Effect.provide(TestSampler.scripted([{ content: [...parts, text("!")] }]))
      )
      assert.deepStrictEqual(reply.content, [text("y"), text("es"), text("!")])
    }))

  it.effect("a tag that the prompt asks for stays in the reply", () =>
    Effect.gen(function*() {
      const content = "<reasoning>because</reasoning><answer>42</answer>"
      const reply = yield* Sampler.sample("Write <reasoning>, then <answer>").pipe(
        Effect.provide(TestSampler.scripted([content]))
      )
      assert.strictEqual(reply.text, content)
    }))

  it.effect("reasoning blocks are no part of an object, even with an open brace in them", () =>
    Effect.gen(function*() {
      const Person = Schema.Struct({ age: Schema.Int })
      const replies = [
        "<think>Maybe {\"age\": 5}? No.</think>{\"age\": 36}",
        "<think>It begins with { \"age</think>{\"age\": 36}",
        "Maybe {\"age\": 5}? No.</think>\n{\"age\": 36}",
        "Maybe {\"age\": 5}? No: {\"age\": 36}",
        "```json\n{\"age\": 5}\n```\nWait.\n```json\n{\"age\": 36}\n```"
      ]
      for (const reply of replies) {
        const provided = TestSampler.scripted([reply])
        const { value } = yield* Sampler.sampleObject(Person, "Hi", { maxRepairs: 0 }).pipe(Effect.provide(provided))
        assert.deepStrictEqual(value, { age: 36 }, reply)
        const generated = yield* LanguageModel.generateObject({ schema: Person, prompt: "Hi" }).pipe(
          Effect.provide(Layer.provide(SamplerLanguageModel.layer, provided))
        )
        assert.deepStrictEqual(generated.value, { age: 36 }, reply)
      }
    }))

  it.effect("a reply of nothing but marks is read in linear time", () =>
    Effect.gen(function*() {
      // In quadratic time this would take minutes, and the test would time out.
      for (const unit of ["<think>", "</think>", "<think></think>", "<think>a</think>b"]) {
        const content = Array.from({ length: 15_000 }, () => text(unit.repeat(10)))
        yield* Sampler.sample("Hi").pipe(Effect.provide(TestSampler.scripted([{ content }])))
      }
    }))
})
