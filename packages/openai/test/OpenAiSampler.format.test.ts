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
        for (const param of ["messages", "temperature"]) {
          const other = refuse({ message: "no", param })
          const error = yield* Effect.flip(createMessage({ responseFormat })).pipe(Effect.provide(setup([other, "{}"])))
          assert.strictEqual(error._tag, "ProviderError")
        }
        const twice = yield* Effect.flip(createMessage({ responseFormat })).pipe(
          Effect.provide(setup([refusals[2]!, refuse({ message: "no", param: "response_format" })]))
        )
        assert.match(twice.message, /did not accept the responseFormat/)
      }))

    const refusals: ReadonlyArray<readonly [vendor: string, reply: OpenAiServer.Reply]> = [
      [
        "Gemini beside tools",
        refuse({ message: "Function calling with a response mime type: 'application/json' is no" })
      ],
      ["Groq beside tools", refuse({ message: "json mode cannot be combined with tool/function calling" })],
      [
        "vLLM, by xgrammar",
        refuse({ message: "The provided JSON schema contains features not supported by xgrammar." })
      ],
      ["vLLM, without a text", refuse({ message: "Internal Server Error" }, 500)],
      ["llama.cpp, by its grammar", refuse({ message: "failed to parse grammar" })],
      ["Ollama", refuse({ message: "failed to load model vocabulary required for format" }, 500)],
      ["OpenRouter", refuse({ message: "No endpoints found that can handle the requested parameters." }, 404)],
      [
        "Gemini, by its schema",
        refuse({ message: "The specified schema produces a constraint that has too many states" })
      ],
      ["Mistral", refuse({ message: "Extra inputs are not permitted" }, 422)],
      ["a server without a text", refuse({ message: "" })]
    ]
    for (const [vendor, refusal] of refusals) {
      it.live(`a refused responseFormat (${vendor}) is asked again in words, once`, () =>
        Effect.gen(function*() {
          const { value } = yield* Sampler.sampleObject(Invoice, "Read")
          assert.deepStrictEqual(value, { customer: "Acme" })
          assert.deepStrictEqual((yield* formats).map(([, hasFormat]) => hasFormat), [true, false])
        }).pipe(Effect.provide(setup([refusal, `{"customer":"Acme"}`], { maxRetries: 2 }))))
    }

    it.live("a responseFormat that is refused beside tools is remembered for requests with tools only", () =>
      Effect.gen(function*() {
        const tools = [{ name: "find", inputSchema: { type: "object" as const } }]
        yield* createMessage({ responseFormat, tools })
        yield* createMessage({ responseFormat, tools })
        yield* createMessage({ responseFormat })
        assert.deepStrictEqual(yield* formats, [[false, true], [true, false], [true, false], [true, true]])
      }).pipe(Effect.provide(setup({ responseFormat: "refusedBesideTools" }))))

    it.live("a responseFormat is refused once in a call: retries have it in words from the start", () =>
      Effect.gen(function*() {
        const overloaded = OpenAiServer.failure(503, {}, { "retry-after-ms": "1" })
        const reply = yield* createMessage({ responseFormat }).pipe(
          Effect.tap(() =>
            Effect.map(formats, (all) => assert.deepStrictEqual(all.map(([, has]) => has), [true, false, false]))
          ),
          Effect.provide(setup([refuse({ message: "" }), overloaded, "{}"], { maxRetries: 2 }))
        )
        assert.deepStrictEqual(reply.content, { type: "text", text: "{}" })
      }))

    it.live("a failure that has nothing to do with the responseFormat is not asked again in words", () =>
      Effect.gen(function*() {
        for (
          const other of [
            OpenAiServer.failure(401),
            OpenAiServer.failure(429),
            OpenAiServer.failure(404, { code: "model_not_found" }),
            OpenAiServer.failure(503),
            refuse({ message: "prompt is too long: 210000 tokens > 200000 maximum" }),
            refuse({ message: "System role not supported" })
          ]
        ) {
          yield* Effect.flip(createMessage({ responseFormat })).pipe(
            Effect.andThen(Effect.map(formats, (all) => assert.strictEqual(all.length, 1))),
            Effect.provide(setup([other, "{}"]))
          )
        }
      }))

    const nonsense = (message: string, failed_generation?: string) =>
      OpenAiServer.raw({
        status: 400,
        body: JSON.stringify({
          error: { message, type: "invalid_request_error", code: "json_validate_failed", failed_generation }
        })
      })

    it.live("what Groq refuses with json_validate_failed is repaired like any other answer that does not fit", () =>
      Effect.gen(function*() {
        const { value } = yield* Sampler.sampleObject(Invoice, "Read")
        assert.deepStrictEqual(value, { customer: "Acme" })
        const messages: ReadonlyArray<{ readonly role: string; readonly content: string }> = JSON.parse(
          JSON.stringify((yield* lastBody)["messages"])
        )
        assert.deepStrictEqual(messages.map(({ role }) => role), ["user", "assistant", "user"])
        assert.strictEqual(messages[1]?.content, `{"customer": 7`)
        assert.deepStrictEqual((yield* formats).map(([, hasFormat]) => hasFormat), [true, true])
      }).pipe(Effect.provide(setup([nonsense("Failed to generate JSON.", `{"customer": 7`), `{"customer":"Acme"}`]))))

    it.live("nonsense that Groq broke off at the token limit has the stop reason maxTokens", () =>
      Effect.gen(function*() {
        const reply = yield* createMessage({ responseFormat })
        assert.strictEqual(reply.stopReason, "maxTokens")
        assert.deepStrictEqual(reply.content, { type: "text", text: "" })
      }).pipe(Effect.provide(
        setup([nonsense("max completion tokens reached before generating a valid document")])
      )))

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
