import {
  ModelPreferences,
  Sampler,
  SamplingError,
  SamplingMessage,
  type SamplingPrompt,
  type SamplingRequest
} from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Option, type Tracer } from "effect"
import { Prompt } from "effect/ai"
import { audio, hello, image, recordSpans, response, text, tool, toolResult, toolUse } from "./fixtures/domain.ts"

const { assistant, user } = SamplingMessage

/** A sampler that records the requests that reach its source. */
const recording = (fields: Parameters<typeof response>[0] = {}) => {
  const sent: Array<SamplingRequest.SamplingRequest> = []
  const sampler = Sampler.make({
    capabilities: Effect.succeed({ sampling: true, tools: true, jsonSchema: false }),
    createMessage: (request) => Effect.sync(() => (sent.push(request), response(fields)))
  })
  return { sent, sampler }
}

const failing = (error: SamplingError.SamplingError) =>
  Sampler.make({
    capabilities: Effect.succeed({ sampling: true, tools: true, jsonSchema: false }),
    createMessage: () => Effect.fail(error)
  })

const rejected = new SamplingError.SamplingRejected({ message: "no" })

/** A request as callers pass it who have no types, or whose data come from elsewhere. */
const untyped = (request: unknown): SamplingRequest.SamplingRequest =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the request is wrong on purpose
  request as SamplingRequest.SamplingRequest

const messages = (...content: ReadonlyArray<unknown>) => ({ ...hello, messages: content })

const block = (content: unknown) => messages({ role: "user", content })

describe("Sampler", () => {
  describe("make", () => {
    it.effect.each<[string, unknown, string]>([
      ["null", null, "Expected object"],
      ["text", "hi", "Expected object"],
      ["no messages", { maxTokens: 1 }, "messages: Missing key"],
      ["empty messages", messages(), "messages: Expected a value with a length of at least 1"],
      ["messages that are not a list", { ...hello, messages: {} }, "messages: Expected array"],
      ["a number among the messages", messages(user("a"), 5), "messages[1]: Expected object"],
      [
        "a system message",
        messages({ role: "system", content: text("a") }),
        `messages[0].role: Expected "user" | "assistant"`
      ],
      ["a message without content", block([]), "messages[0].content: Expected a value with a length of at least 1"],
      ["a wrong block", block([text("a"), { type: "text", text: 5 }]), "messages[0].content[1].text: Expected string"],
      [
        "an image that is not base64",
        block({ ...image, data: "?" }),
        "messages[0].content.data: Expected a base64 encoded string"
      ],
      ["no maxTokens", { messages: [user("a")] }, "maxTokens: Missing key"],
      ["maxTokens 0", { ...hello, maxTokens: 0 }, "maxTokens: Expected a value greater than 0"],
      ["negative maxTokens", { ...hello, maxTokens: -1 }, "maxTokens: Expected a value greater than 0"],
      ["fractional maxTokens", { ...hello, maxTokens: 1.5 }, "maxTokens: Expected an integer"],
      ["maxTokens NaN", { ...hello, maxTokens: Number.NaN }, "maxTokens: Expected an integer"],
      ["maxTokens as text", { ...hello, maxTokens: "5" }, "maxTokens: Expected number"],
      ["temperature NaN", { ...hello, temperature: Number.NaN }, "temperature: Expected a finite number"],
      ["an infinite temperature", { ...hello, temperature: Infinity }, "temperature: Expected a finite number"],
      [
        "an unknown includeContext",
        { ...hello, includeContext: "all" },
        `includeContext: Expected "none" | "thisServer" | "allServers"`
      ],
      [
        "a hint that is not text",
        { ...hello, modelPreferences: { hints: [{ name: 5 }] } },
        "modelPreferences.hints[0].name: Expected string"
      ],
      [
        "a priority above 1",
        { ...hello, modelPreferences: { costPriority: 1.1 } },
        "modelPreferences.costPriority: Expected a value between 0 and 1"
      ],
      [
        "a priority below 0",
        { ...hello, modelPreferences: { speedPriority: -0.1 } },
        "modelPreferences.speedPriority: Expected a value between 0 and 1"
      ],
      [
        "a priority NaN",
        { ...hello, modelPreferences: { intelligencePriority: Number.NaN } },
        "modelPreferences.intelligencePriority: Expected a finite number"
      ],
      ["stop sequences as text", { ...hello, stopSequences: "END" }, "stopSequences: Expected array"],
      ["metadata as a list", { ...hello, metadata: [] }, "metadata: Expected object"],
      [
        "a tool without a name",
        { ...hello, tools: [{ ...tool, name: "" }] },
        "tools[0].name: Expected a value with a length of at least 1"
      ],
      ["a tool without a schema", { ...hello, tools: [{ name: "a" }] }, "tools[0].inputSchema: Missing key"],
      [
        "an unknown tool choice",
        { ...hello, toolChoice: { mode: "any" } },
        `toolChoice.mode: Expected "auto" | "required" | "none"`
      ],
      [
        "a result without its call",
        messages(user(toolResult("a"))),
        `messages[0]: the result for "a" has no matching tool_use in the message before it`
      ],
      ["a call without its result", messages(assistant(toolUse("a"))), `messages[0]: the tool_use "a" is not answered`],
      [
        "results mixed with text",
        messages(assistant(toolUse("a")), user([toolResult("a"), text("b")])),
        "messages[1]: a message with tool results must hold nothing else"
      ],
      [
        "calls that share an id",
        messages(assistant([toolUse("a"), toolUse("a")]), user(toolResult("a"))),
        `messages[0]: two tool_use blocks share the id "a"`
      ]
    ])(
      "a request with %s is refused before it is sent, with an error that names the place",
      ([, request, problem]) =>
        Effect.gen(function*() {
          const { sampler, sent } = recording()
          const error = yield* Effect.flip(sampler.createMessage(untyped(request)))
          assert.strictEqual(error._tag, "InvalidRequest")
          assert.strictEqual(error.message.split(": ").slice(1).join(": ").split("; ")[0], problem)
          assert.deepStrictEqual(sent, [])
        })
    )

    it.effect("the error of an invalid request lists every problem", () =>
      Effect.gen(function*() {
        const { sampler } = recording()
        const error = yield* Effect.flip(
          sampler.createMessage(untyped({ messages: [], maxTokens: 0, temperature: "hot" }))
        )
        assert.strictEqual(
          error.message,
          "The sampling request is invalid and was not sent: messages: Expected a value with a length of at least 1; " +
            "maxTokens: Expected a value greater than 0; temperature: Expected number"
        )
      }))

    it.effect("a sampler sends 10 MB of text", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording()
        yield* sampler.sample("x".repeat(10_000_000))
        assert.strictEqual(JSON.stringify(sent).length > 10_000_000, true)
      }))

    it.effect("lone surrogates in the texts of a request are replaced, as in UTF-8", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording()
        const cut = "smile \ud83d"
        const repaired = "smile \ufffd"
        const conversation = (value: string) => ({
          maxTokens: 1,
          systemPrompt: value,
          stopSequences: [value],
          messages: [
            user([text(value), image]),
            assistant([toolUse("1"), toolUse("2")]),
            user([
              { ...toolResult("1"), content: [text(value), image] },
              {
                ...toolResult("2"),
                content: [{ type: "resource" as const, resource: { uri: "a", text: value } }]
              }
            ])
          ]
        })
        yield* sampler.createMessage(conversation(cut))
        yield* sampler.createMessage(conversation("smile 😀"))
        yield* sampler.createMessage({ ...hello, systemPrompt: cut })
        yield* sampler.createMessage({ ...hello, stopSequences: ["END", cut] })
        assert.deepStrictEqual<unknown>(sent, [
          conversation(repaired),
          conversation("smile 😀"),
          { ...hello, systemPrompt: repaired },
          { ...hello, stopSequences: ["END", repaired] }
        ])
      }))

    it.effect("a sampling effect does nothing before it runs, and asks again on each run", () =>
      Effect.gen(function*() {
        let calls = 0
        const sampler = Sampler.make({
          capabilities: Effect.succeed({ sampling: true, tools: false, jsonSchema: false }),
          createMessage: () => {
            calls++
            return Effect.succeed(response())
          }
        })
        const ask = sampler.createMessage(hello)
        const sample = sampler.sample("hi")
        assert.strictEqual(calls, 0)
        yield* ask
        yield* ask
        yield* sample
        yield* sample
        assert.strictEqual(calls, 4)
      }))

    it.effect("an interrupted sample interrupts the source", () =>
      Effect.gen(function*() {
        const started = yield* Latch.make()
        let interrupted = false
        const sampler = Sampler.make({
          capabilities: Effect.succeed({ sampling: true, tools: false, jsonSchema: false }),
          createMessage: () =>
            started.open.pipe(
              Effect.andThen(Effect.never),
              Effect.onInterrupt(() => Effect.sync(() => (interrupted = true)))
            )
        })
        const fiber = yield* Effect.forkChild(sampler.sample("hi"))
        yield* started.await
        yield* Fiber.interrupt(fiber)
        assert.isTrue(interrupted)
      }))

    it.effect("a sampler fails with the error of its source", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Effect.flip(failing(rejected).createMessage(hello)), rejected)
        assert.strictEqual(yield* Effect.flip(failing(rejected).sample("hi")), rejected)
      }))

    describe("invalid answers", () => {
      const invalid = (request: SamplingRequest.SamplingRequest, fields: Parameters<typeof response>[0]) =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(recording(fields).sampler.createMessage(request))
          assert.strictEqual(error._tag, "InvalidResponse")
          return error.message
        })
      const withTools = { ...hello, tools: [tool] }

      it.effect("an answer with a tool call is refused when the request offered no tools", () =>
        Effect.gen(function*() {
          const message = yield* invalid(hello, { content: toolUse("a") })
          assert.include(message, "calls a tool, but the request offered no tools")
          yield* invalid({ ...hello, tools: [] }, { content: [text("a"), toolUse("a")] })
        }))

      it.effect("an answer with a tool result is refused", () =>
        Effect.gen(function*() {
          assert.include(yield* invalid(withTools, { content: toolResult("a") }), "tool_result")
        }))

      it.effect("an answer with two tool calls of one id is refused", () =>
        Effect.gen(function*() {
          const message = yield* invalid(withTools, { content: [toolUse("a"), toolUse("b"), toolUse("a")] })
          assert.include(message, `two tool_use blocks share the id "a"`)
        }))

      it.effect("an answer with tool calls is accepted when the request offered tools", () =>
        Effect.gen(function*() {
          const content = [text("ok"), toolUse("a"), toolUse("b")]
          const { sampler } = recording({ content })
          assert.deepStrictEqual((yield* sampler.createMessage(withTools)).content, content)
        }))
    })
  })

  describe("sample", () => {
    it.effect("sample asks for 512 tokens by default, and sets no other option", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording()
        yield* sampler.sample("hi")
        yield* sampler.sample("hi", {})
        assert.deepStrictEqual(sent, [
          { messages: [user("hi")], maxTokens: 512 },
          { messages: [user("hi")], maxTokens: 512 }
        ])
      }))

    it.effect("sample passes every option to the source", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording()
        const preferences = { hints: [{ name: "a" }], costPriority: 0.5 }
        yield* sampler.sample("hi", {
          systemPrompt: "Be brief.",
          temperature: 0,
          maxTokens: 7,
          modelPreferences: preferences,
          includeContext: "thisServer",
          stopSequences: ["END"],
          metadata: { a: 1 }
        })
        assert.deepStrictEqual(sent, [{
          messages: [user("hi")],
          systemPrompt: "Be brief.",
          temperature: 0,
          maxTokens: 7,
          modelPreferences: preferences,
          includeContext: "thisServer",
          stopSequences: ["END"],
          metadata: { a: 1 }
        }])
      }))

    it.effect("sample omits options that are undefined", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording()
        yield* sampler.sample("hi", {
          systemPrompt: undefined,
          temperature: undefined,
          maxTokens: undefined,
          modelPreferences: undefined,
          includeContext: undefined,
          stopSequences: undefined,
          metadata: undefined
        })
        assert.deepStrictEqual(sent.map((request) => Object.keys(request).toSorted()), [["maxTokens", "messages"]])
      }))

    it.effect("sample accepts one model hint or a list of hints", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording()
        yield* sampler.sample("hi", { modelPreferences: "a" })
        yield* sampler.sample("hi", { modelPreferences: ["a", "b"] })
        assert.deepStrictEqual(sent.map((request) => request.modelPreferences), [
          ModelPreferences.make("a"),
          ModelPreferences.make(["a", "b"])
        ])
      }))

    it.effect("sample appends its system prompt to that of an effect/ai prompt", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording()
        const prompt = Prompt.make([{ role: "system", content: "Be brief." }, { role: "user", content: "hi" }])
        yield* sampler.sample(prompt, { systemPrompt: "Be kind." })
        yield* sampler.sample(prompt)
        yield* sampler.sample("hi", { systemPrompt: "Be kind." })
        assert.deepStrictEqual(sent.map((request) => request.systemPrompt), [
          "Be brief.\n\nBe kind.",
          "Be brief.",
          "Be kind."
        ])
      }))

    it.effect("sample joins the texts of the reply, and keeps every block", () =>
      Effect.gen(function*() {
        const content = [text("a"), image, text("b"), audio]
        const reply = yield* recording({ content }).sampler.sample("hi")
        assert.strictEqual(reply.text, "ab")
        assert.deepStrictEqual(reply.content, content)
        assert.deepStrictEqual((yield* recording({ content: image }).sampler.sample("hi")).content, [image])
        assert.strictEqual((yield* recording({ content: [] }).sampler.sample("hi")).text, "")
      }))

    it.effect("sample returns the model, stop reason, source, usage and passed-over errors", () =>
      Effect.gen(function*() {
        const fields = {
          model: "m",
          stopReason: "endTurn",
          source: { kind: "client" as const, name: "editor" },
          usage: { inputTokens: 1, outputTokens: 2 },
          passedOver: [rejected]
        }
        const { content: _, history: __, text: ___, ...rest } = yield* recording(fields).sampler.sample("hi")
        assert.deepStrictEqual(rest, { ...fields, truncated: false, turns: 1 })
      }))

    it.effect("sample leaves the stop reason and usage undefined when the source does not state them", () =>
      Effect.gen(function*() {
        const reply = yield* recording().sampler.sample("hi")
        assert.isUndefined(reply.stopReason)
        assert.isUndefined(reply.usage)
        assert.isFalse(reply.truncated)
      }))

    it.effect("a sample is truncated when maxTokens cut the reply", () =>
      Effect.gen(function*() {
        assert.isTrue((yield* recording({ stopReason: "maxTokens" }).sampler.sample("hi")).truncated)
        assert.isFalse((yield* recording({ stopReason: "stopSequence" }).sampler.sample("hi")).truncated)
      }))

    it.effect("the history of a sample can be continued", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording({ content: [text("Paris"), text(".")] })
        const first = yield* sampler.sample("The capital of France?")
        const second = yield* sampler.sample([...first.history, "And of Italy?"])
        const reply = assistant([text("Paris"), text(".")])
        assert.deepStrictEqual(sent[1]!.messages, [user("The capital of France?"), reply, user("And of Italy?")])
        assert.deepStrictEqual(second.history, [...sent[1]!.messages, reply])
      }))

    it.effect("an empty reply is left out of the history, so the history can be continued", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording({ content: [] })
        const first = yield* sampler.sample("hi")
        assert.deepStrictEqual(first.history, [user("hi")])
        yield* sampler.sample([...first.history, "still there?"])
        assert.strictEqual(sent.length, 2)
      }))

    it.effect("the error of a wrong element in a prompt list names its place", () =>
      Effect.gen(function*() {
        const { sampler, sent } = recording()
        const error = yield* Effect.flip(sampler.sample(["a", untypedMessage(5)]))
        assert.strictEqual(
          error.message,
          "The sampling request is invalid and was not sent: messages[1]: Expected object"
        )
        assert.deepStrictEqual(sent, [])
      }))

    it.effect.each<[string, [prompt: SamplingPrompt.Input, options?: { readonly maxTokens: number }]]>([
      ["an empty list", [[]]],
      ["maxTokens 0", ["hi", { maxTokens: 0 }]],
      ["a prompt that MCP cannot carry", [Prompt.fromMessages([
        Prompt.assistantMessage({ content: [Prompt.reasoningPart({ text: "hmm" })] })
      ])]]
    ])("sample refuses %s before it sends anything", ([, args]) =>
      Effect.gen(function*() {
        const { sampler, sent } = recording()
        const error = yield* Effect.flip(sampler.sample(...args))
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.deepStrictEqual(sent, [])
      }))

    it.effect("Sampler.sample uses the Sampler service", () =>
      Effect.gen(function*() {
        const { sampler } = recording()
        const reply = yield* Sampler.sample("hi").pipe(Effect.provideService(Sampler.Sampler, sampler))
        assert.strictEqual(reply.text, "Hello")
      }))
  })

  describe("span", () => {
    const traced = (
      fields: Parameters<typeof response>[0],
      use: (sampler: Sampler.Sampler["Service"]) => Effect.Effect<unknown, unknown>
    ) =>
      Effect.gen(function*() {
        const { layer, spans } = recordSpans()
        yield* use(recording(fields).sampler).pipe(Effect.provide(layer))
        return spans
      })

    it.effect("the span of a sample has the name of the MCP method, the options and the answer's source", () =>
      Effect.gen(function*() {
        const [span, ...others] = yield* traced({
          stopReason: "endTurn",
          usage: { inputTokens: 3, outputTokens: 4 }
        }, (sampler) => sampler.sample("hi", { temperature: 0.5 }))
        assert.deepStrictEqual(others, [])
        assert.strictEqual(span!.name, "sampling/createMessage")
        assert.strictEqual(span!.kind, "client")
        assert.deepStrictEqual(Object.fromEntries(span!.attributes), {
          "mcp.method.name": "sampling/createMessage",
          "gen_ai.operation.name": "chat",
          "gen_ai.request.max_tokens": 512,
          "gen_ai.request.temperature": 0.5,
          "sampling.source.kind": "provider",
          "sampling.source.name": "test",
          "gen_ai.provider.name": "test",
          "gen_ai.response.model": "test-model",
          "gen_ai.response.finish_reasons": ["endTurn"],
          "gen_ai.usage.input_tokens": 3,
          "gen_ai.usage.output_tokens": 4
        })
      }))

    it.effect("the span of a sample names no provider when a client answered", () =>
      Effect.gen(function*() {
        const [span] = yield* traced({ source: { kind: "client", name: "editor" } }, (sampler) => sampler.sample("hi"))
        assert.isFalse(span!.attributes.has("gen_ai.provider.name"))
        assert.strictEqual(span!.attributes.get("sampling.source.name"), "editor")
      }))

    it.effect("the span of a sample holds no prompt, no reply and no error message", () =>
      Effect.gen(function*() {
        const secret = "SECRET"
        const [span] = yield* traced({
          content: text(secret),
          passedOver: [
            new SamplingError.ClientError({ code: 1, message: `cannot answer ${secret}` }),
            new SamplingError.SamplingUnsupported({ missing: "sampling", message: secret }),
            new SamplingError.ProviderError({ provider: "openai", reason: "rateLimit", message: secret })
          ]
        }, (sampler) =>
          sampler.sample([secret, assistant(secret)], {
            systemPrompt: secret,
            stopSequences: [secret],
            metadata: { [secret]: secret },
            modelPreferences: secret
          }))
        assert.deepStrictEqual(span!.attributes.get("sampling.passed_over"), [
          "ClientError",
          "SamplingUnsupported: sampling",
          "ProviderError: rateLimit"
        ])
        assert.notInclude(dump(span!), secret)
      }))

    it.effect("the span of a sample truncates what the client chose", () =>
      Effect.gen(function*() {
        const long = "x".repeat(1_000_000)
        const [span] = yield* traced({
          model: long,
          stopReason: long,
          source: { kind: "client", name: long }
        }, (sampler) => sampler.sample("hi"))
        assert.isBelow(dump(span!).length, 2000)
      }))

    it.effect("a sample opens no span without a tracer", () =>
      Effect.gen(function*() {
        const sampler = Sampler.make({
          capabilities: Effect.succeed({ sampling: true, tools: false, jsonSchema: false }),
          createMessage: () =>
            Effect.map(Effect.option(Effect.currentSpan), (span) => {
              assert.isTrue(Option.isNone(span))
              return response({})
            })
        })
        const reply = yield* sampler.sample("hi")
        assert.strictEqual(reply.text, "Hello")
      }))

    it.effect("a request that is not sent opens no span", () =>
      Effect.gen(function*() {
        const spans = yield* traced({}, (sampler) => Effect.flip(sampler.sample([])))
        assert.deepStrictEqual(spans, [])
      }))

    it.effect("the span of a sample ends when the source fails", () =>
      Effect.gen(function*() {
        const { layer, spans } = recordSpans()
        yield* failing(rejected).sample("hi").pipe(Effect.flip, Effect.provide(layer))
        assert.strictEqual(spans[0]!.status._tag, "Ended")
      }))
  })
})

const untypedMessage = (message: unknown): SamplingMessage.SamplingMessage =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the message is wrong on purpose
  message as SamplingMessage.SamplingMessage

const dump = (span: Tracer.NativeSpan): string => JSON.stringify([span.name, [...span.attributes], span.events.length])
