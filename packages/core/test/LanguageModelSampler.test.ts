import {
  Content,
  LanguageModelSampler,
  ProviderSampler,
  Sampler,
  SamplerLanguageModel,
  SamplingError,
  type SamplingMessage,
  type SamplingRequest,
  TestSampler
} from "@effect-sampling/core"
import * as Advice from "@effect-sampling/core/wire/Advice"
import { json } from "@effect-sampling/scenarios/Scenario"
import { suite } from "@effect-sampling/scenarios/suite"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Context, Duration, Effect, Layer, Schema, Stream } from "effect"
import { AiError, LanguageModel, Prompt, type Response, Tool, Toolkit } from "effect/ai"
import { audio, hello, image, text, tool, toolResult, toolUse } from "./fixtures/domain.ts"

const usage = { inputTokens: { total: 3 }, outputTokens: { total: 4 } }

const finish = (reason: Response.FinishReason): Response.PartEncoded => ({ type: "finish", reason, usage })

/** A language model that records the options of each call. */
const fakeModel = (answer: Effect.Effect<Array<Response.PartEncoded>, AiError.AiError>) => {
  const asked: Array<LanguageModel.ProviderOptions> = []
  const layer = Layer.effect(
    LanguageModel.LanguageModel,
    LanguageModel.make({
      generateText: (options) => Effect.suspend(() => (asked.push(options), answer)),
      streamText: () => Stream.empty
    })
  )
  return { asked, layer }
}

const ask = (
  model: Layer.Layer<LanguageModel.LanguageModel>,
  request: SamplingRequest.SamplingRequest = hello,
  options: Partial<LanguageModelSampler.Options> = {}
) =>
  Sampler.Sampler.use((sampler) => sampler.createMessage(request)).pipe(
    Effect.provide(Layer.provide(LanguageModelSampler.layer({ name: "acme", ...options }), model))
  )

const answerWith = (parts: ReadonlyArray<Response.PartEncoded>) => ask(fakeModel(Effect.succeed([...parts])).layer)

const failWith = (reason: AiError.AiErrorReason) =>
  Effect.flip(ask(fakeModel(Effect.fail(AiError.make({ module: "Acme", method: "generateText", reason }))).layer))

describe("LanguageModelSampler", () => {
  describe("requests", () => {
    it.effect("a language model is asked with the system prompt first, then the messages", () =>
      Effect.gen(function*() {
        const { asked, layer } = fakeModel(Effect.succeed([]))
        yield* ask(layer, {
          systemPrompt: "Be brief.",
          messages: [
            { role: "user", content: [text("Weather?"), image, audio] },
            { role: "assistant", content: [text("Let me see."), toolUse("1")] },
            { role: "user", content: [toolResult("1")] },
            { role: "assistant", content: text("Sunny") },
            { role: "user", content: text("Thanks") }
          ],
          maxTokens: 10
        })
        assert.deepStrictEqual(
          asked[0]?.prompt,
          Prompt.make([
            { role: "system", content: "Be brief." },
            {
              role: "user",
              content: [
                { type: "text", text: "Weather?" },
                { type: "file", mediaType: "image/png", data: "AAAA" },
                { type: "file", mediaType: "audio/wav", data: "AAAA" }
              ]
            },
            {
              role: "assistant",
              content: [
                { type: "text", text: "Let me see." },
                { type: "tool-call", id: "1", name: "weather", params: { city: "Paris" }, providerExecuted: false }
              ]
            },
            {
              role: "tool",
              content: [{
                type: "tool-result",
                id: "1",
                name: "weather",
                isFailure: false,
                providerExecuted: false,
                result: "21 °C"
              }]
            },
            { role: "assistant", content: [{ type: "text", text: "Sunny" }] },
            { role: "user", content: [{ type: "text", text: "Thanks" }] }
          ])
        )
      }))

    it.effect("a language model is asked with the tools, their JSON Schemas and the tool choice", () =>
      Effect.gen(function*() {
        const { asked, layer } = fakeModel(Effect.succeed([]))
        const inputSchema = { type: "object", properties: { city: { type: "string" } } }
        const tools = [{ name: "a.b", title: "A", inputSchema }, {
          name: "c",
          title: "C",
          description: "D",
          inputSchema
        }]
        yield* ask(layer, { ...hello, tools })
        yield* ask(layer, { ...hello, tools, toolChoice: { mode: "required" } })
        yield* ask(layer, { ...hello, tools, toolChoice: { mode: "none" } })
        yield* ask(layer, { ...hello, tools, toolChoice: {} })
        assert.deepStrictEqual(
          asked[0]?.tools.map((each) => [each.name, Tool.getDescription(each), Tool.getJsonSchema(each)]),
          [["a.b", "A", inputSchema], ["c", "D", inputSchema]]
        )
        assert.deepStrictEqual(asked.map(({ toolChoice }) => toolChoice), ["auto", "required", "none", "auto"])
      }))

    it.effect("the configure hook sets services around the call of the language model", () =>
      Effect.gen(function*() {
        const Limit = Context.Reference("test/Limit", { defaultValue: () => 0 })
        const { layer } = fakeModel(Effect.map(Limit, (limit) => [{ type: "text", text: String(limit) }]))
        const reply = yield* ask(layer, hello, {
          configure: ({ maxTokens }) => Effect.provideService(Limit, maxTokens)
        })
        assert.deepStrictEqual(reply.content, [text("10")])
      }))

    it.effect("an invalid request does not reach the language model", () =>
      Effect.gen(function*() {
        const { asked, layer } = fakeModel(Effect.succeed([]))
        for (
          const fields of [{ toolChoice: { mode: "required" as const } }, { tools: [tool, tool] }, { maxTokens: 0 }]
        ) assert.strictEqual((yield* Effect.flip(ask(layer, { ...hello, ...fields })))._tag, "InvalidRequest")
        const error = yield* Effect.flip(ask(layer, { ...hello, tools: [tool] }, { tools: false }))
        assert.strictEqual(error._tag, "SamplingUnsupported")
        assert.deepStrictEqual(asked, [])
      }))
  })

  describe("answers", () => {
    it.effect("the answer of a language model has its content, model, stop reason, usage and source", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(
          yield* answerWith([
            { type: "response-metadata", modelId: "acme-1" },
            { type: "reasoning", text: "hm" },
            { type: "text", text: "Look:" },
            { type: "file", mediaType: "image/png", data: "AAAA" },
            { type: "file", mediaType: "audio/wav", data: "AAAA" },
            { type: "source", sourceType: "url", id: "s", url: "https://example.com/", title: "S" },
            finish("stop")
          ]),
          {
            role: "assistant",
            content: [text("Look:"), image, audio],
            model: "acme-1",
            stopReason: "endTurn",
            usage: { inputTokens: 3, outputTokens: 4 },
            source: { kind: "provider", name: "acme" },
            passedOver: []
          }
        )
      }))

    it.effect("the answer of a silent language model has only the name of the sampler", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* answerWith([]), {
          role: "assistant",
          content: [],
          model: "acme",
          source: { kind: "provider", name: "acme" },
          passedOver: []
        })
      }))

    it.effect("tool calls of a language model are returned without running, even of unknown tools", () =>
      Effect.gen(function*() {
        const callPart = (id: string, name: string, params: unknown): Response.PartEncoded => ({
          type: "tool-call",
          id,
          name,
          params,
          providerExecuted: false
        })
        const { layer } = fakeModel(Effect.succeed([
          callPart("1", "weather", { city: "Paris" }),
          callPart("2", "other", {}),
          finish("tool-calls")
        ]))
        const reply = yield* ask(layer, { ...hello, tools: [tool] })
        assert.deepStrictEqual(reply.content, [toolUse("1"), { type: "tool_use", id: "2", name: "other", input: {} }])
        assert.strictEqual(reply.stopReason, "toolUse")
        const broken = fakeModel(Effect.succeed([callPart("1", "weather", "Paris")]))
        const malformed = yield* ask(broken.layer, { ...hello, tools: [tool] })
        assert.deepInclude(Content.blocks(malformed.content)[0], { type: "tool_use", id: "1", input: {} })
      }))

    it.effect("every finish reason of a language model maps to a stop reason of MCP", () =>
      Effect.gen(function*() {
        const cases: ReadonlyArray<[Response.FinishReason, string | undefined]> = [
          ["stop", "endTurn"],
          ["length", "maxTokens"],
          ["tool-calls", "endTurn"],
          ["content-filter", "contentFilter"],
          ["pause", "pause"],
          ["other", "other"],
          ["unknown", undefined]
        ]
        for (const [reason, expected] of cases) {
          const answer = yield* answerWith([{ type: "text", text: "a" }, finish(reason)])
          assert.strictEqual(answer.stopReason, expected, reason)
        }
      }))

    it.effect("a file that MCP cannot carry in an answer is an InvalidResponse", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(answerWith([{ type: "file", mediaType: "application/pdf", data: "AAAA" }]))
        assert.strictEqual(error._tag, "InvalidResponse")
        assert.match(error.message, /"acme".*application\/pdf/)
      }))
  })

  describe("errors", () => {
    const secret = "sk-SECRET"
    const http = (status: number) => ({
      response: { status, headers: { authorization: secret } },
      body: secret
    })

    it.effect("an AiError becomes a ProviderError by reason and status, without the provider's text", () =>
      Effect.gen(function*() {
        const description = `It failed with ${secret}`
        const cases: ReadonlyArray<[AiError.AiErrorReason, SamplingError.ProviderErrorReason, status?: number]> = [
          [new AiError.RateLimitError({ http: http(429) }), "rateLimit", 429],
          [new AiError.QuotaExhaustedError({}), "quota"],
          [new AiError.AuthenticationError({ kind: "InvalidKey", description, http: http(401) }), "auth", 401],
          [new AiError.ContentPolicyError({ description }), "contentFilter"],
          [new AiError.InvalidRequestError({ description, http: http(400) }), "badRequest", 400],
          [new AiError.InvalidRequestError({ description, http: http(404) }), "notFound", 404],
          [
            new AiError.InvalidRequestError({ description: `maximum context length, ${secret}`, http: http(400) }),
            "contextLength",
            400
          ],
          [new AiError.InternalProviderError({ description, http: http(529) }), "unavailable", 529],
          [new AiError.InternalProviderError({ description, http: http(408) }), "timeout", 408],
          [
            new AiError.NetworkError({ reason: "TransportError", method: "POST", url: `https://x/?k=${secret}` }),
            "unavailable"
          ],
          [new AiError.NetworkError({ reason: "InvalidUrlError", method: "POST", url: secret }), "badRequest"],
          [new AiError.UnknownError({ description, http: http(402) }), "quota", 402],
          [new AiError.UnknownError({ description, http: http(413) }), "contextLength", 413],
          [new AiError.UnknownError({ description }), "badRequest"],
          [new AiError.UnsupportedSchemaError({ description }), "badRequest"],
          [new AiError.ToolConfigurationError({ toolName: "a", description }), "badRequest"]
        ]
        for (const [reason, expected, status] of cases) {
          const error = yield* failWith(reason)
          assert(error._tag === "ProviderError", reason._tag)
          assert.strictEqual(error.provider, "acme")
          assert.strictEqual(error.reason, expected, reason._tag)
          assert.strictEqual(error.status, status)
          assert.match(error.message, /^The provider "acme" .+\.$/)
          assert.notMatch(error.message, /Check|another model/)
          assert.isString(Advice.of(error))
          assert.notInclude(JSON.stringify(error), secret)
        }
      }))

    it.effect("a ProviderError for a rate limit keeps the time to wait", () =>
      Effect.gen(function*() {
        const error = yield* failWith(new AiError.RateLimitError({ retryAfter: Duration.seconds(2) }))
        assert(error._tag === "ProviderError")
        assert.strictEqual(error.retryAfterMillis, 2000)
      }))

    it.effect("an AiError about refused content becomes SamplingUnsupported, so a fallback continues", () =>
      Effect.gen(function*() {
        const error = yield* failWith(new AiError.InvalidUserInputError({ description: secret }))
        assert(error._tag === "SamplingUnsupported")
        assert.strictEqual(error.missing, "content")
        assert.notInclude(error.message, secret)
      }))

    it.effect("an AiError about an unreadable answer becomes InvalidResponse", () =>
      Effect.gen(function*() {
        for (
          const reason of [
            new AiError.InvalidResponseError({ description: secret }),
            new AiError.InvalidOutputError({ description: secret }),
            new AiError.ToolNotFoundError({ toolName: secret, availableTools: [] })
          ]
        ) {
          const error = yield* failWith(reason)
          assert.strictEqual(error._tag, "InvalidResponse")
          assert.notInclude(error.message, secret)
        }
      }))
  })

  describe("composition with SamplerLanguageModel", () => {
    const configure = (
      { maxTokens, metadata, modelPreferences, stopSequences, temperature }: SamplingRequest.SamplingRequest
    ) =>
      Effect.provideService(SamplerLanguageModel.Options, {
        maxTokens,
        metadata,
        modelPreferences,
        stopSequences,
        temperature
      })

    const both = LanguageModelSampler.layer({ name: "composed", configure }).pipe(
      Layer.provide(SamplerLanguageModel.layer)
    )

    const withChoice = (
      request: SamplingRequest.SamplingRequest,
      toolChoice: SamplingRequest.ToolChoice | undefined
    ) => toolChoice === undefined ? request : { ...request, toolChoice }

    const Json = Schema.Struct({
      "": Schema.optionalKey(Schema.String),
      "a/b": Schema.optionalKey(Schema.Literals([0, -1.5, true])),
      c: Schema.optionalKey(Schema.Struct({ d: Schema.Array(Schema.String) }))
    })
    const extras = Schema.Struct({ annotations: Schema.optionalKey(Json), _meta: Schema.optionalKey(Json) })
    const Text = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String, ...extras.fields })
    const base64 = Schema.Literals(["", "AAAA", "+/8=", "Zg=="])
    const File = Schema.Struct({
      type: Schema.Literals(["image", "audio"]),
      data: base64,
      subtype: Schema.Literals(["png", "wav"]),
      ...extras.fields
    })
    const Resource = Schema.Struct({
      type: Schema.Literal("resource"),
      resource: Schema.Struct({ uri: Schema.String, text: Schema.String, _meta: Schema.optionalKey(Json) })
    })
    const Link = Schema.Struct({ type: Schema.Literal("resource_link"), uri: Schema.String, name: Schema.String })
    const Said = Schema.Union([Text, File])
    const Exchange = Schema.Struct({
      asked: Schema.NonEmptyArray(Said),
      askedMeta: Schema.optionalKey(Json),
      said: Schema.Array(Said),
      calls: Schema.Array(Schema.Struct({
        name: Schema.NonEmptyString,
        input: Json,
        _meta: Schema.optionalKey(Json),
        content: Schema.NonEmptyArray(Schema.Union([Text, File, Resource, Link])),
        structuredContent: Schema.optionalKey(Json),
        isError: Schema.Boolean
      })).check(Schema.isMaxLength(3))
    })
    const Conversation = Schema.Struct({
      systemPrompt: Schema.optionalKey(Schema.String),
      exchanges: Schema.NonEmptyArray(Exchange).check(Schema.isMaxLength(3)),
      last: Schema.String
    })

    const toBlock = <A extends { readonly type: string }>(block: A | typeof File.Type) => {
      if (!("subtype" in block)) return block
      const { subtype, type, ...rest } = block
      return { ...rest, type, mimeType: `${type}/${subtype}` }
    }

    /** Builds a valid request from a generated conversation. */
    const toRequest = (
      { exchanges, last, systemPrompt }: typeof Conversation.Type
    ): SamplingRequest.SamplingRequest => {
      const messages = exchanges.flatMap(({ asked, askedMeta, calls, said }, index) => {
        const id = (number: number) => `${index}-${number}`
        const uses = calls.map(({ _meta, input, name }, number) => ({
          type: "tool_use",
          id: id(number),
          name,
          input,
          ..._meta && { _meta }
        }))
        const results = calls.map(({ content, isError, structuredContent }, number) => ({
          type: "tool_result",
          toolUseId: id(number),
          content: content.map(toBlock),
          ...(structuredContent && { structuredContent }),
          ...(isError && { isError })
        }))
        return [
          { role: "user", content: asked.map(toBlock), ...askedMeta && { _meta: askedMeta } },
          ...(said.length + uses.length > 0 ? [{ role: "assistant", content: [...said.map(toBlock), ...uses] }] : []),
          ...(results.length > 0 ? [{ role: "user", content: results }] : [])
        ]
      })
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the sampler checks the messages
      const valid = messages as unknown as ReadonlyArray<SamplingMessage.SamplingMessage>
      return {
        ...(systemPrompt !== undefined && { systemPrompt }),
        messages: [...valid, { role: "user", content: [text(last)] }],
        maxTokens: 77,
        temperature: 0.5,
        stopSequences: ["."],
        metadata: { user: "u" },
        modelPreferences: { hints: [{ name: "fast" }], speedPriority: 1 },
        tools: [
          { name: "a.b", description: "B", inputSchema: { type: "object", properties: { c: { $ref: "#/$defs/d" } } } },
          { name: "e", inputSchema: { type: "object" } }
        ],
        toolChoice: { mode: "required" }
      }
    }

    /** Puts single blocks into lists, because one block and a list of one block mean the same. */
    const inLists = (request: SamplingRequest.SamplingRequest | undefined) => ({
      ...request,
      messages: request?.messages.map(({ content, ...message }) => ({ ...message, content: toList(content) }))
    })

    const toList = (content: Content.Content | ReadonlyArray<Content.Content>) => [content].flat()

    it.effect.prop(
      "a conversation passes through both conversions unchanged",
      [Arbitrary.schema(Conversation)],
      ([conversation]) =>
        Effect.gen(function*() {
          const arrived = Sampler.Sampler.use((sampler) => sampler.createMessage(toRequest(conversation))).pipe(
            Effect.andThen(Effect.map(TestSampler.requests, (requests) => inLists(requests[0])))
          )
          const direct = yield* Effect.provide(arrived, TestSampler.scripted(["ok"]))
          const composed = yield* Effect.provide(arrived, Layer.provideMerge(both, TestSampler.scripted(["ok"])))
          assert.deepStrictEqual(composed, direct)
        })
    )

    it.effect("an answer passes through both conversions unchanged, except for its source", () =>
      Effect.gen(function*() {
        const replies = [
          {
            content: [text("a"), image, audio, toolUse("1")],
            model: "m",
            stopReason: "toolUse",
            usage: { inputTokens: 1, outputTokens: 2 }
          },
          { content: text("a"), model: "m", stopReason: "stopSequence", usage: { outputTokens: 2 } },
          { content: [], model: "m", stopReason: "house rule" },
          { content: [], model: "m" }
        ]
        for (const reply of replies) {
          const answer = yield* Sampler.Sampler.use((sampler) => sampler.createMessage({ ...hello, tools: [tool] }))
            .pipe(
              Effect.provide(Layer.provide(both, TestSampler.scripted([reply])))
            )
          assert.deepStrictEqual(answer, {
            ...reply,
            content: toList(reply.content),
            role: "assistant",
            source: { kind: "provider", name: "composed" },
            passedOver: []
          })
        }
      }))

    suite(it, {
      takesTools: true,
      run: (scenario) =>
        Effect.suspend(() => {
          const sent: Array<SamplingRequest.SamplingRequest> = []
          const arrived: Array<SamplingRequest.SamplingRequest> = []
          const composed = LanguageModelSampler.layer({
            name: "composed",
            configure: (request) => {
              sent.push(request)
              return configure(request)
            }
          })
          const source = ProviderSampler.layer({
            name: "scripted",
            tools: true,
            createMessage: (request) => Effect.sync(() => scenario.model(request, arrived.push(json(request)) - 1))
          })
          const layer = composed.pipe(Layer.provide(SamplerLanguageModel.layer), Layer.provide(source))
          return Effect.map(Effect.provide(scenario.run, layer, { local: true }), (report) => ({
            report,
            // A language model does not distinguish the default choice from `auto`.
            requests: arrived.map((request, index) =>
              withChoice(request, request.toolChoice ?? sent[index]?.toolChoice)
            )
          }))
        })
    })

    it.effect("an error passes through both conversions unchanged", () =>
      Effect.gen(function*() {
        const rejected = new SamplingError.SamplingRejected({ message: "The user said no." })
        const error = yield* Effect.flip(Sampler.sample("Hi")).pipe(
          Effect.provide(Layer.provide(both, TestSampler.failing(rejected)))
        )
        assert.deepStrictEqual(error, rejected)
      }))

    it.effect("a tool loop and sampleObject work through both conversions", () =>
      Effect.gen(function*() {
        const Weather = Tool.make("weather", {
          parameters: Schema.Struct({ city: Schema.String }),
          success: Schema.String
        })
        const toolkit = Toolkit.make(Weather)
        const sampler = yield* Sampler.Sampler
        const reply = yield* sampler.sample("Weather?", { toolkit }).pipe(
          Effect.provide(toolkit.toLayer({ weather: ({ city }) => Effect.succeed(`sunny in ${city}`) }))
        )
        assert.strictEqual(reply.text, "Take no umbrella.")
        assert.strictEqual(reply.turns, 2)
        const { value } = yield* sampler.sampleObject(Schema.Struct({ n: Schema.Finite }), "Count")
        assert.deepStrictEqual(value, { n: 1 })
      }).pipe(Effect.provide(Layer.provide(
        both,
        TestSampler.scripted([
          { content: toolUse("1"), stopReason: "toolUse" },
          "Take no umbrella.",
          { content: { type: "tool_use", id: "1", name: "final_answer", input: { n: 1 } } }
        ])
      ))))
  })
})
