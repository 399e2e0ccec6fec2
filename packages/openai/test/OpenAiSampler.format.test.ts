import { LanguageModelSampler, Sampler, SamplerLanguageModel } from "@effect-sampling/core"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { LanguageModel } from "effect/ai"
import { createMessage, lastBody, setup } from "./support.ts"

const Invoice = Schema.Struct({ customer: Schema.String, total: Schema.optionalKey(Schema.Finite) })

const responseFormat = { name: "invoice", schema: { type: "object", properties: { customer: { type: "string" } } } }

const formats = Effect.flatMap(
  OpenAiServer.OpenAiServer,
  ({ requests }) =>
    Effect.map(
      requests,
      (all) => all.map(({ accepted, body }) => [accepted !== undefined, "response_format" in JSON.parse(body)])
    )
)

const refuse = (error: { readonly message: string; readonly param?: string; readonly code?: string }, status = 400) =>
  OpenAiServer.failure(status, { type: "invalid_request_error", ...error })

describe("OpenAiSampler", () => {
  describe("responseFormat", () => {
    it.live("a responseFormat is sent as a JSON Schema that is not strict", () =>
      Effect.gen(function*() {
        yield* createMessage({ responseFormat })
        assert.deepStrictEqual((yield* lastBody)["response_format"], {
          type: "json_schema",
          json_schema: { ...responseFormat, strict: false }
        })
        yield* createMessage({ responseFormat: { ...responseFormat, name: "@acme/Invoice №1" } })
        assert.deepStrictEqual((yield* formats).at(-1), [true, true])
        yield* createMessage({})
        assert.notProperty(yield* lastBody, "response_format")
      }).pipe(Effect.provide(setup())))

    it.live("sampleObject and generateObject of effect/ai use the JSON mode of the server", () =>
      Effect.gen(function*() {
        const sampled = yield* Sampler.sampleObject(Invoice, "Read")
        assert.deepStrictEqual(sampled.value, { customer: "Acme" })
        const generated = yield* LanguageModel.generateObject({ prompt: "Read", schema: Invoice }).pipe(
          Effect.provide(SamplerLanguageModel.layer)
        )
        assert.deepStrictEqual(generated.value, { customer: "Acme" })
        assert.deepStrictEqual(yield* formats, [[true, true], [true, true]])
      }).pipe(Effect.provide(setup({ reply: () => `{"customer":"Acme"}` }))))

    it.live("a responseFormat that the server refuses is described in words, in this request and in later ones", () =>
      Effect.gen(function*() {
        const first = yield* Sampler.sampleObject(Invoice, "Read", { systemPrompt: "Be exact." })
        assert.deepStrictEqual(first.value, { customer: "Acme" })
        yield* Sampler.sampleObject(Invoice, "Read")
        assert.deepStrictEqual(yield* formats, [[false, true], [true, false], [true, false]])
        const server = yield* OpenAiServer.OpenAiServer
        const [, second, third] = (yield* server.requests).map(({ accepted }) => accepted?.messages[0])
        assert.match(JSON.stringify(second?.content), /^"Be exact\.\\n\\nAnswer with one JSON value.*customer/)
        assert.strictEqual(third?.role, "system")
        assert.match(JSON.stringify(third?.content), /^"Answer with one JSON value/)
      }).pipe(Effect.provide(setup({ responseFormat: "refused", reply: () => `{"customer":"Acme"}` }))))

    it.live("a refused responseFormat is remembered only for the model that was asked", () =>
      Effect.gen(function*() {
        yield* createMessage({ responseFormat })
        yield* createMessage({ responseFormat, modelPreferences: { hints: [{ name: "other" }] } })
        assert.deepStrictEqual(yield* formats, [[true, true], [true, false], [true, true]])
      }).pipe(Effect.provide(setup(
        [refuse({ message: "This model does not support response format `json_schema`." }), "{}", "{}"],
        { model: "small", models: ["other"] }
      ))))

    it.live("a responseFormat that is refused for its schema is described in words for that request only", () =>
      Effect.gen(function*() {
        yield* createMessage({ responseFormat })
        yield* createMessage({ responseFormat })
        assert.deepStrictEqual(yield* formats, [[true, true], [true, false], [true, true]])
      }).pipe(Effect.provide(setup([
        refuse({ message: "Invalid schema for response_format 'invoice': no.", param: "response_format" }),
        "{}",
        "{}"
      ]))))

    it.live("a refusal that mentions responseFormat only in its text is recognised, and other errors are not", () =>
      Effect.gen(function*() {
        const refusals = [
          refuse({ message: "This response_format type is unavailable now" }),
          refuse({ message: "Extra inputs are not permitted: response_format" }, 422),
          refuse({ message: "no", param: "response_format.type" })
        ]
        for (const refusal of refusals) {
          const reply = yield* createMessage({ responseFormat }).pipe(Effect.provide(setup([refusal, "{}"])))
          assert.deepStrictEqual(reply.content, { type: "text", text: "{}" })
        }
        for (
          const other of [refuse({ message: "no", param: "messages" }), refuse({ message: "response_format" }, 500)]
        ) {
          const error = yield* Effect.flip(createMessage({ responseFormat })).pipe(Effect.provide(setup([other, "{}"])))
          assert.strictEqual(error._tag, "ProviderError")
        }
        const twice = yield* Effect.flip(createMessage({ responseFormat })).pipe(
          Effect.provide(setup([refusals[2]!, refuse({ message: "no", param: "response_format" })]))
        )
        assert.match(twice.message, /did not accept the responseFormat/)
      }))

    it.live("a responseFormat passes through a LanguageModel in words", () =>
      Effect.gen(function*() {
        const { value } = yield* Sampler.sampleObject(Invoice, "Read")
        assert.deepStrictEqual(value, { customer: "Acme" })
      }).pipe(Effect.provide(
        LanguageModelSampler.layer({ name: "composed", tools: false }).pipe(
          Layer.provide(SamplerLanguageModel.layer),
          Layer.provide(setup({ reply: () => `{"customer":"Acme"}` }))
        )
      )))
  })
})
