import {
  type ProviderSampler,
  Sampler,
  SamplerLanguageModel,
  SamplingError,
  type SamplingRequest,
  TestSampler
} from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Layer, Option, Schema, Stream } from "effect"
import { AiError, Chat, LanguageModel, Prompt, Tool, Toolkit } from "effect/ai"
import { audio, image, response, text } from "./fixtures/domain.ts"

const model = (replies: ReadonlyArray<ProviderSampler.Reply | SamplingError.SamplingError>) =>
  Layer.provideMerge(SamplerLanguageModel.layer, TestSampler.scripted(replies))

const call = (id: string, name: string, input: Readonly<Record<string, unknown>> = {}): ProviderSampler.Reply => ({
  content: { type: "tool_use", id, name, input },
  stopReason: "toolUse"
})

const lastRequest = Effect.map(TestSampler.requests, (requests) => requests.at(-1))

const Weather = Tool.make("weather", {
  description: "The weather in a city",
  parameters: Schema.Struct({ city: Schema.String }),
  success: Schema.Struct({ sky: Schema.String })
})
const Clock = Tool.make("clock", { success: Schema.String })
const Tools = Toolkit.make(Weather, Clock)
const handlers = Tools.toLayer({
  weather: ({ city }) => Effect.succeed({ sky: `sunny in ${city}` }),
  clock: () => Effect.succeed("noon")
})

const failWith = (error: SamplingError.SamplingError) =>
  LanguageModel.generateText({ prompt: "Hi" }).pipe(
    Effect.flip,
    Effect.provide(Layer.provide(SamplerLanguageModel.layer, TestSampler.failing(error)))
  )

describe("SamplerLanguageModel", () => {
  describe("generateText", () => {
    it.effect("generateText asks the sampler, and returns the text, model, usage, finish reason and source", () =>
      Effect.gen(function*() {
        const reply = yield* LanguageModel.generateText({ prompt: "Hi" })
        assert.strictEqual(reply.text, "Hello")
        assert.strictEqual(reply.finishReason, "stop")
        assert.strictEqual(reply.usage.inputTokens.total, 3)
        assert.strictEqual(reply.usage.outputTokens.total, 4)
        const metadata = reply.content.find((part) => part.type === "response-metadata")
        assert.strictEqual(metadata?.modelId, "m1")
        const finish = reply.content.find((part) => part.type === "finish")
        assert.deepStrictEqual(finish?.metadata.sampling, {
          source: { kind: "provider", name: "test" },
          stopReason: "stopSequence",
          passedOver: []
        })
        assert.deepStrictEqual(yield* TestSampler.requests, [{
          messages: [{ role: "user", content: text("Hi") }],
          maxTokens: 4096
        }])
      }).pipe(Effect.provide(model([{
        content: "Hello",
        model: "m1",
        stopReason: "stopSequence",
        usage: { inputTokens: 3, outputTokens: 4 }
      }]))))

    it.effect("generateText returns the errors of the sources that were passed over", () =>
      Effect.gen(function*() {
        const { content } = yield* LanguageModel.generateText({ prompt: "Hi" })
        const finish = content.find((part) => part.type === "finish")
        assert.deepStrictEqual(finish?.metadata.sampling?.passedOver, ["SamplingUnsupported"])
      }).pipe(Effect.provide(Layer.provide(
        SamplerLanguageModel.layer,
        Sampler.fallback(
          TestSampler.failing(new SamplingError.SamplingUnsupported({ missing: "client", message: "none" })),
          TestSampler.scripted(["Hello"])
        )
      ))))

    it.effect("leading system messages become the system prompt, and files stay in the messages", () =>
      Effect.gen(function*() {
        yield* LanguageModel.generateText({
          prompt: [
            { role: "system", content: "Be brief." },
            { role: "system", content: "Be kind." },
            {
              role: "user",
              content: [
                { type: "text", text: "What is this?" },
                { type: "file", mediaType: "image/png", data: new Uint8Array([0, 0, 0]) }
              ]
            }
          ]
        })
        const request = yield* lastRequest
        assert.strictEqual(request?.systemPrompt, "Be brief.\n\nBe kind.")
        assert.deepStrictEqual(request?.messages, [{ role: "user", content: [text("What is this?"), image] }])
      }).pipe(Effect.provide(model(["A dot"]))))

    it.effect("images and audio of an answer become files", () =>
      Effect.gen(function*() {
        const { content } = yield* LanguageModel.generateText({ prompt: "Draw and sing" })
        const files = content.filter((part) => part.type === "file")
        assert.deepStrictEqual(files.map(({ data, mediaType }) => [mediaType, [...data]]), [
          ["image/png", [0, 0, 0]],
          ["audio/wav", [0, 0, 0]]
        ])
      }).pipe(Effect.provide(model([{ content: [image, audio] }]))))

    it.effect("SamplerLanguageModel.Options sets what effect/ai has no option for, with a default token limit", () =>
      Effect.gen(function*() {
        yield* LanguageModel.generateText({ prompt: "Hi" }).pipe(
          Effect.provideService(SamplerLanguageModel.Options, { temperature: 0, modelPreferences: "fast" })
        )
        yield* LanguageModel.generateText({ prompt: "Hi" }).pipe(
          Effect.provide(Layer.succeed(SamplerLanguageModel.Options, { maxTokens: 7, systemPrompt: "Be brief." }))
        )
        const [first, second] = yield* TestSampler.requests
        assert.strictEqual(first?.maxTokens, SamplerLanguageModel.defaultMaxTokens)
        assert.strictEqual(first?.temperature, 0)
        assert.deepStrictEqual(first?.modelPreferences, { hints: [{ name: "fast" }] })
        assert.strictEqual(second?.maxTokens, 7)
        assert.strictEqual(second?.systemPrompt, "Be brief.")
      }).pipe(Effect.provide(model(["a", "b"]))))

    it.effect("every stop reason maps to a finish reason, including those of vendors", () =>
      Effect.gen(function*() {
        const calling = [{ type: "tool_use" as const, id: "1", name: "clock", input: {} }]
        const cases: ReadonlyArray<[stopReason: string | undefined, content: typeof calling | string, string]> = [
          ["endTurn", "", "stop"],
          ["maxTokens", "", "length"],
          ["contentFilter", "a", "content-filter"],
          ["refusal", "a", "content-filter"],
          ["end_turn", "", "stop"],
          ["length", "", "length"],
          ["house rule", "", "other"],
          [undefined, "", "unknown"],
          ["toolUse", calling, "tool-calls"],
          ["endTurn", calling, "tool-calls"],
          ["house rule", calling, "tool-calls"],
          [undefined, calling, "tool-calls"],
          ["maxTokens", calling, "length"]
        ]
        for (const [stopReason, content, expected] of cases) {
          const reply = yield* LanguageModel.generateText({ prompt: "Hi", toolkit: Tools }).pipe(
            Effect.provide([model([{ content, stopReason }]), handlers])
          )
          assert.strictEqual(reply.finishReason, expected, stopReason)
          // A truncated call does not run.
          const isFailure = reply.toolResults.map((result) => result.isFailure)
          assert.deepStrictEqual(isFailure, typeof content === "string" ? [] : [expected === "length"], stopReason)
        }
      }))
  })

  describe("tools", () => {
    it.effect("tools of a language model are sent with their JSON Schemas, and effect/ai runs them", () =>
      Effect.gen(function*() {
        const reply = yield* LanguageModel.generateText({ prompt: "Weather in Rome?", toolkit: Tools })
        assert.deepStrictEqual(reply.toolResults.map(({ result }) => result), [{ sky: "sunny in Rome" }])
        assert.deepStrictEqual((yield* lastRequest)?.tools, [
          {
            name: "weather",
            description: "The weather in a city",
            inputSchema: {
              type: "object",
              properties: { city: { type: "string" } },
              required: ["city"],
              additionalProperties: true
            }
          },
          { name: "clock", inputSchema: { type: "object", additionalProperties: false } }
        ])
      }).pipe(Effect.provide([model([call("1", "weather", { city: "Rome" })]), handlers])))

    it.effect("tool calls of a language model can be left to the caller", () =>
      Effect.gen(function*() {
        const reply = yield* LanguageModel.generateText({
          prompt: "Weather?",
          toolkit: Tools,
          disableToolCallResolution: true
        })
        assert.deepStrictEqual(reply.toolCalls.map(({ name, params }) => [name, params]), [["weather", {
          city: "Rome"
        }]])
        assert.deepStrictEqual(reply.toolResults, [])
      }).pipe(Effect.provide(model([call("1", "weather", { city: "Rome" })]))))

    it.effect("a tool choice that names tools offers only those, because MCP cannot name a tool", () =>
      Effect.gen(function*() {
        const offered = (request: SamplingRequest.SamplingRequest | undefined) => [
          request?.tools?.map(({ name }) => name),
          request?.toolChoice?.mode
        ]
        const generate = (toolChoice: LanguageModel.ToolChoice<"weather" | "clock">) =>
          Effect.andThen(
            LanguageModel.generateText({ prompt: "Hi", toolkit: Tools, toolChoice }).pipe(
              Effect.provide(handlers)
            ),
            Effect.map(lastRequest, offered)
          )
        assert.deepStrictEqual(yield* generate("auto"), [["weather", "clock"], undefined])
        assert.deepStrictEqual(yield* generate("none"), [["weather", "clock"], "none"])
        assert.deepStrictEqual(yield* generate("required"), [["weather", "clock"], "required"])
        assert.deepStrictEqual(yield* generate({ tool: "clock" }), [["clock"], "required"])
        assert.deepStrictEqual(yield* generate({ oneOf: ["weather"] }), [["weather"], undefined])
        assert.deepStrictEqual(yield* generate({ mode: "required", oneOf: ["clock"] }), [["clock"], "required"])
        yield* LanguageModel.generateText({ prompt: "Hi" })
        assert.deepStrictEqual(yield* Effect.map(lastRequest, offered), [undefined, undefined])
      }).pipe(Effect.provide(model(["1", "2", "3", "4", "5", "6", "7"]))))

    it.effect("provider-defined tools fail before anything is sent", () =>
      Effect.gen(function*() {
        const Search = Tool.providerDefined({
          id: "acme.search",
          customName: "Search",
          providerName: "search",
          parameters: Schema.Struct({})
        })
        const error = yield* Effect.flip(LanguageModel.generateText({
          prompt: "Hi",
          toolkit: Toolkit.make(Search()),
          disableToolCallResolution: true
        }))
        assert.strictEqual(error.reason._tag, "ToolConfigurationError")
        assert.match(error.message, /Search.*MCP sampling cannot offer provider-defined tools/)
        assert.deepStrictEqual(yield* TestSampler.requests, [])
      }).pipe(Effect.provide(model([]))))

    it.effect("a call of an unknown tool fails, or is returned when validation is deferred", () =>
      Effect.gen(function*() {
        const options = { prompt: "Hi", toolkit: Tools, disableToolCallResolution: true } as const
        const error = yield* Effect.flip(LanguageModel.generateText(options))
        assert.strictEqual(error.reason._tag, "ToolNotFoundError")
        const reply = yield* LanguageModel.generateText({ ...options, toolCallValidation: "deferred" })
        assert.deepStrictEqual(reply.toolCalls.map(({ name }) => name), ["unknown"])
      }).pipe(Effect.provide(model([call("1", "unknown"), call("1", "unknown")]))))

    it.effect("tools run in a Chat turn by turn, with results in the form that MCP allows", () =>
      Effect.gen(function*() {
        const chat = yield* Chat.fromPrompt([{ role: "system", content: "Be brief." }])
        let reply = yield* chat.generateText({ prompt: "Umbrella in Rome?", toolkit: Tools })
        while (reply.toolCalls.length > 0) reply = yield* chat.generateText({ prompt: [], toolkit: Tools })
        assert.strictEqual(reply.text, "No umbrella.")
        const next = yield* chat.generateText({ prompt: "Thanks" })
        assert.strictEqual(next.text, "You are welcome.")
        const request = yield* lastRequest
        assert.strictEqual(request?.systemPrompt, "Be brief.")
        assert.deepStrictEqual(request?.messages, [
          { role: "user", content: text("Umbrella in Rome?") },
          {
            role: "assistant",
            content: [
              text("Let me see."),
              { type: "tool_use", id: "1", name: "weather", input: { city: "Rome" } },
              { type: "tool_use", id: "2", name: "clock", input: {} }
            ]
          },
          {
            role: "user",
            content: [
              { type: "tool_result", toolUseId: "1", content: [text(`{"sky":"sunny in Rome"}`)] },
              { type: "tool_result", toolUseId: "2", content: [text("noon")] }
            ]
          },
          { role: "assistant", content: text("No umbrella.") },
          { role: "user", content: text("Thanks") }
        ])
      }).pipe(Effect.provide([
        model([
          {
            content: [
              text("Let me see."),
              { type: "tool_use", id: "1", name: "weather", input: { city: "Rome" } },
              { type: "tool_use", id: "2", name: "clock", input: {} }
            ],
            stopReason: "toolUse"
          },
          "No umbrella.",
          "You are welcome."
        ]),
        handlers
      ])))

    it.effect("a tool that needs approval runs in a Chat when the approval comes", () =>
      Effect.gen(function*() {
        const Delete = Tool.make("delete", { success: Schema.String, needsApproval: true })
        const toolkit = Toolkit.make(Delete)
        const reply = yield* Effect.gen(function*() {
          const chat = yield* Chat.empty
          const asked = yield* chat.generateText({ prompt: "Delete it", toolkit })
          const approval = asked.content.find((part) => part.type === "tool-approval-request")
          const unanswered = yield* Effect.flip(chat.generateText({ prompt: "Go on", toolkit }))
          assert.strictEqual(unanswered.reason._tag, "InvalidRequestError")
          return yield* chat.generateText({
            prompt: [{
              role: "tool",
              content: [Prompt.toolApprovalResponsePart({ approvalId: approval?.approvalId ?? "", approved: true })]
            }],
            toolkit
          })
        }).pipe(Effect.provide(toolkit.toLayer({ delete: () => Effect.succeed("deleted") })))
        assert.strictEqual(reply.text, "Done")
        assert.deepStrictEqual((yield* lastRequest)?.messages.at(-1), {
          role: "user",
          content: [{ type: "tool_result", toolUseId: "1", content: [text("deleted")] }]
        })
      }).pipe(Effect.provide(model([call("1", "delete"), "Done"]))))
  })

  describe("generateObject", () => {
    const Invoice = Schema.Struct({ customer: Schema.String, due: Schema.Date })
    const json = `{"customer":"Acme","due":"2026-12-01T00:00:00.000Z"}`

    it.effect("generateObject asks by an instruction, and finds the JSON in prose and code fences", () =>
      Effect.gen(function*() {
        for (const _ of [1, 2, 3]) {
          const { text, value } = yield* LanguageModel.generateObject({ prompt: "Read", schema: Invoice })
          assert.strictEqual(value.due.toISOString(), "2026-12-01T00:00:00.000Z")
          assert.strictEqual(text, json)
        }
        const request = yield* lastRequest
        assert.match(request?.systemPrompt ?? "", /^Answer with one JSON value and nothing else.*"customer"/s)
        assert.strictEqual(request?.responseFormat, undefined)
      }).pipe(Effect.provide(model([
        json,
        `Here it is, as {agreed}:\n\`\`\`json\n${json}\n\`\`\`\nGoodbye`,
        { content: [text(json.slice(0, 9)), text(json.slice(9))] }
      ]))))

    it.effect("generateObject uses the JSON mode of a source that has one", () => {
      const requests: Array<SamplingRequest.SamplingRequest> = []
      const sampler = Layer.succeed(
        Sampler.Sampler,
        Sampler.make({
          capabilities: Effect.succeed({ sampling: true, tools: true, jsonSchema: true }),
          createMessage: (request) => Effect.sync(() => (requests.push(request), response({ content: text(json) })))
        })
      )
      return Effect.gen(function*() {
        const { value } = yield* LanguageModel.generateObject({
          prompt: "Read",
          schema: Invoice,
          objectName: "invoice"
        })
        assert.strictEqual(value.customer, "Acme")
        const [request] = requests
        assert.strictEqual(request?.responseFormat?.name, "invoice")
        assert.strictEqual(request?.responseFormat?.schema["type"], "object")
        assert.strictEqual(request?.systemPrompt, undefined)
      }).pipe(Effect.provide(Layer.provide(SamplerLanguageModel.layer, sampler)))
    })

    it.effect("generateObject asks for a list under a key, and accepts it with and without the key", () =>
      Effect.gen(function*() {
        const schema = Schema.Array(Schema.Finite)
        for (const _ of [1, 2]) {
          const { value } = yield* LanguageModel.generateObject({ prompt: "Count", schema })
          assert.deepStrictEqual(value, [1, 2])
        }
        assert.match((yield* lastRequest)?.systemPrompt ?? "", /"properties":\{"value":\{"type":"array"/)
      }).pipe(Effect.provide(model([`{"value":[1,2]}`, "[1,2]"]))))

    it.effect("generateObject fails with the answer when it does not fit, is not JSON or is empty", () =>
      Effect.gen(function*() {
        for (const answer of [`{"customer":5}`, "I cannot", ""]) {
          const error = yield* Effect.flip(LanguageModel.generateObject({ prompt: "Read", schema: Invoice }))
          assert(error.reason._tag === "StructuredOutputError")
          assert.strictEqual(error.reason.responseText, answer)
        }
      }).pipe(Effect.provide(model([`{"customer":5}`, "I cannot", ""]))))

    it.effect("generateObject refuses a schema without a JSON form before anything is sent", () =>
      Effect.gen(function*() {
        const schema = Schema.Struct({ [Symbol.for("a")]: Schema.String })
        const error = yield* Effect.flip(LanguageModel.generateObject({ prompt: "Read", schema }))
        assert.strictEqual(error.reason._tag, "UnsupportedSchemaError")
        assert.deepStrictEqual(yield* TestSampler.requests, [])
      }).pipe(Effect.provide(model([]))))
  })

  describe("streamText", () => {
    it.effect("streamText emits the whole answer as one chunk", () =>
      Effect.gen(function*() {
        const chunks = yield* LanguageModel.streamText({ prompt: "Hi" }).pipe(Stream.chunks, Stream.runCollect)
        assert.deepStrictEqual(chunks.map((chunk) => chunk.map(({ type }) => type)), [
          ["response-metadata", "text-start", "text-delta", "text-end", "file", "finish"]
        ])
      }).pipe(Effect.provide(model([{ content: [text("Hello"), image] }]))))

    it.effect("streamText runs tools in a Chat", () =>
      Effect.gen(function*() {
        const chat = yield* Chat.empty
        const first = yield* Stream.runCollect(chat.streamText({ prompt: "Time?", toolkit: Tools }))
        assert.deepStrictEqual(first.map(({ type }) => type), [
          "response-metadata",
          "tool-call",
          "tool-result",
          "finish"
        ])
        yield* Stream.runDrain(chat.streamText({ prompt: [], toolkit: Tools }))
        assert.deepStrictEqual((yield* lastRequest)?.messages.at(-1), {
          role: "user",
          content: [{ type: "tool_result", toolUseId: "1", content: [text("noon")] }]
        })
      }).pipe(Effect.provide([model([call("1", "clock"), "It is noon."]), handlers])))

    it.effect("streamText fails with the mapped error", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Stream.runDrain(LanguageModel.streamText({ prompt: "Hi" })))
        assert.strictEqual(error.message, "SamplerLanguageModel.streamText: no")
      }).pipe(Effect.provide(model([new SamplingError.SamplingRejected({ message: "no" })]))))
  })

  describe("errors", () => {
    const provider = (reason: SamplingError.ProviderErrorReason, status?: number) =>
      new SamplingError.ProviderError({
        provider: "acme",
        reason,
        message: "M",
        ...(status !== undefined && { status }),
        ...(reason === "rateLimit" && { retryAfterMillis: 1500 })
      })
    const cases: ReadonlyArray<[error: SamplingError.SamplingError, reason: string, isRetryable: boolean]> = [
      [new SamplingError.SamplingUnsupported({ missing: "sampling", message: "M" }), "InvalidRequestError", false],
      [new SamplingError.SamplingRejected({ message: "M" }), "UnknownError", false],
      [new SamplingError.SamplingTimeout({ afterMillis: 5, message: "M" }), "InternalProviderError", true],
      [new SamplingError.ConnectionLost({ message: "M" }), "UnknownError", false],
      [new SamplingError.ClientError({ code: -32603, message: "M" }), "InternalProviderError", true],
      [new SamplingError.ClientError({ code: -32602, message: "M" }), "InvalidRequestError", false],
      [new SamplingError.InvalidRequest({ message: "M" }), "InvalidRequestError", false],
      [new SamplingError.InvalidResponse({ message: "M" }), "InvalidResponseError", false],
      [
        new SamplingError.TurnLimitExceeded({
          maxTurns: 1,
          history: [{ role: "user", content: text("Hi") }],
          message: "M"
        }),
        "UnknownError",
        false
      ],
      [
        new SamplingError.StructuredOutputError({ attempts: [{ answer: "x", problem: "y" }], message: "M" }),
        "StructuredOutputError",
        true
      ],
      [provider("auth", 401), "AuthenticationError", false],
      [provider("rateLimit", 429), "RateLimitError", true],
      [provider("quota"), "QuotaExhaustedError", false],
      [provider("contextLength"), "InvalidRequestError", false],
      [provider("contentFilter"), "ContentPolicyError", false],
      [provider("notFound", 404), "InvalidRequestError", false],
      [provider("badRequest", 400), "InvalidRequestError", false],
      [provider("unavailable", 503), "InternalProviderError", true],
      [provider("timeout"), "InternalProviderError", true]
    ]

    it.effect("a SamplingError becomes the nearest AiError, and can be recovered from it, also after encoding", () =>
      Effect.gen(function*() {
        for (const [original, reason, isRetryable] of cases) {
          const error = yield* failWith(original)
          assert.strictEqual(error.reason._tag, reason, original._tag)
          assert.strictEqual(error.isRetryable, isRetryable, original._tag)
          if (reason !== "RateLimitError" && reason !== "QuotaExhaustedError") assert.match(error.message, /M$/)
          assert.deepStrictEqual(SamplerLanguageModel.samplingError(error), Option.some(original))
          const codec = Schema.toCodecJson(AiError.AiError)
          const wire = JSON.stringify(yield* Schema.encodeEffect(codec)(error))
          const decoded = yield* Schema.decodeUnknownEffect(codec)(JSON.parse(wire))
          assert.deepStrictEqual(SamplerLanguageModel.samplingError(decoded), Option.some(original))
        }
      }))

    it.effect("an AiError for a rate limit keeps the time to wait", () =>
      Effect.gen(function*() {
        const error = yield* failWith(provider("rateLimit"))
        assert.deepStrictEqual(error.retryAfter, Duration.millis(1500))
      }))

    it.effect("an AiError of another origin holds no SamplingError", () =>
      Effect.sync(() => {
        const make = (reason: AiError.AiErrorReason) => AiError.make({ module: "m", method: "m", reason })
        for (
          const reason of [
            new AiError.UnknownError({ metadata: { sampling: { _tag: "Forged" } } }),
            new AiError.UnknownError({}),
            new AiError.ToolNotFoundError({ toolName: "a", availableTools: [] })
          ]
        ) assert.deepStrictEqual(SamplerLanguageModel.samplingError(make(reason)), Option.none())
      }))

    it.effect("content that MCP cannot carry is refused before anything is sent, with its place", () =>
      Effect.gen(function*() {
        const prompts: ReadonlyArray<[prompt: Prompt.RawInput, message: RegExp]> = [
          [
            [{ role: "user", content: "a" }, { role: "system", content: "b" }],
            /prompt\.content\[1\].*one system prompt/
          ],
          [
            [{ role: "user", content: [{ type: "file", mediaType: "application/pdf", data: "AAAA" }] }],
            /prompt\.content\[0\]\.content\[0\].*application\/pdf/
          ],
          [
            [{ role: "user", content: "a" }, { role: "assistant", content: [{ type: "reasoning", text: "hm" }] }],
            /"reasoning" part/
          ],
          [[{ role: "system", content: "only" }], /messages/]
        ]
        for (const [prompt, message] of prompts) {
          const error = yield* Effect.flip(LanguageModel.generateText({ prompt }))
          assert.strictEqual(error.reason._tag, "InvalidRequestError")
          assert.match(error.message, message)
          const original = Option.getOrThrow(SamplerLanguageModel.samplingError(error))
          assert.strictEqual(original._tag, "InvalidRequest")
        }
        assert.deepStrictEqual(yield* TestSampler.requests, [])
      }).pipe(Effect.provide(model([]))))

    it.effect("an interrupted generateText interrupts the request", () =>
      Effect.gen(function*() {
        const started = yield* Deferred.make<void>()
        const stopped = yield* Deferred.make<void>()
        const sampler = TestSampler.fromFunction(() =>
          Deferred.succeed(started, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
          )
        )
        const fiber = yield* LanguageModel.generateText({ prompt: "Hi" }).pipe(
          Effect.provide(Layer.provide(SamplerLanguageModel.layer, sampler)),
          Effect.forkChild
        )
        yield* Deferred.await(started)
        yield* Fiber.interrupt(fiber)
        const exit = yield* Fiber.await(fiber)
        assert(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
        yield* Deferred.await(stopped)
      }))
  })
})
