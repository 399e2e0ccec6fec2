import { Content, Sampler } from "@effect-sampling/core"
import * as Advice from "@effect-sampling/core/wire/Advice"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { createMessage, setup } from "./support.ts"

const received = (reply: OpenAiServer.Reply, request: Parameters<typeof createMessage>[0] = {}) =>
  createMessage(request).pipe(Effect.provide(setup(reply)))

const failed = (reply: OpenAiServer.Reply) => Effect.flip(received(reply))

const json = (body: unknown): OpenAiServer.Reply => OpenAiServer.raw({ body: JSON.stringify(body) })

const choice = (message: unknown, finish_reason?: string | null): OpenAiServer.Reply =>
  json({ choices: [{ message, finish_reason }] })

const tools = [{ name: "search", inputSchema: { type: "object" } }]
const call = { id: "c1", function: { name: "search", arguments: `{"q":"x"}` } }
const searchUse: Content.ToolUseContent = { type: "tool_use", id: "c1", name: "search", input: { q: "x" } }

describe("stop reasons", () => {
  const cases: ReadonlyArray<[finish: string, stopReason: string]> = [
    ["stop", "endTurn"],
    ["length", "maxTokens"],
    ["content_filter", "contentFilter"],
    ["tool_calls", "endTurn"],
    ["MAX_TOKENS", "maxTokens"],
    ["max_tokens", "maxTokens"],
    ["model_length", "maxTokens"],
    ["STOP", "endTurn"],
    ["eos", "endTurn"],
    ["SAFETY", "contentFilter"],
    ["something_new", "something_new"]
  ]
  for (const [finishReason, stopReason] of cases) {
    it.live(`the finish reason ${finishReason} without tool calls becomes the stop reason ${stopReason}`, () =>
      Effect.gen(function*() {
        const response = yield* received({ content: "Hello", finishReason })
        assert.strictEqual(response.stopReason, stopReason)
        assert.deepStrictEqual(response.content, { type: "text", text: "Hello" })
      }))
  }

  for (const finish of ["tool_calls", "function_call", "stop", null, undefined]) {
    it.live(`a reply with tool calls and the finish reason ${finish} has the stop reason toolUse`, () =>
      Effect.gen(function*() {
        const response = yield* received(choice({ content: null, tool_calls: [call] }, finish), { tools })
        assert.strictEqual(response.stopReason, "toolUse")
        assert.deepStrictEqual(response.content, [searchUse])
      }))
  }

  for (const finishReason of ["error", "network_error", "insufficient_system_resource"]) {
    it.live(`half a text with the finish reason ${finishReason} is a ProviderError`, () =>
      Effect.gen(function*() {
        const error = yield* failed(choice({ content: "half a te" }, finishReason))
        assert.deepInclude(error, { _tag: "ProviderError", provider: "openai", reason: "unavailable" })
        assert.notInclude(error.message, "half")
      }))
  }

  it.live("half a text beside the error of its choice is a ProviderError", () =>
    Effect.gen(function*() {
      const error = yield* failed(
        json({ choices: [{ message: { content: "half a te" }, error: { code: 502, message: "SECRET" } }] })
      )
      assert.deepInclude(error, { _tag: "ProviderError", reason: "unavailable" })
      assert.notInclude(error.message, "SECRET")
    }))

  const filtered: Record<string, OpenAiServer.Reply> = {
    "an empty text": choice({ content: "" }, "content_filter"),
    "no text": choice({ content: null }, "content_filter"),
    "no message": json({ choices: [{ finish_reason: "content_filter" }] }),
    "a vendor's own word": choice({}, "content_filter: PROHIBITED_CONTENT")
  }
  for (const [what, reply] of Object.entries(filtered)) {
    it.live(`an empty reply that a content filter caused (${what}) is a ProviderError`, () =>
      Effect.gen(function*() {
        const error = yield* failed(reply)
        assert.deepInclude(error, { _tag: "ProviderError", provider: "openai", reason: "contentFilter" })
      }))
  }

  it.live("a reply has no stop reason and no usage if the server reports none", () =>
    Effect.gen(function*() {
      const response = yield* received(choice({ content: "Hello" }))
      assert.notProperty(response, "stopReason")
      assert.strictEqual(response.model, "gpt-4.1-mini")
      assert.notProperty(response, "usage")
    }))

  it.live("a refusal has the stop reason refusal and its text as content", () =>
    Effect.gen(function*() {
      const response = yield* received({ refusal: "I cannot help with that." })
      assert.strictEqual(response.stopReason, "refusal")
      assert.deepStrictEqual(response.content, { type: "text", text: "I cannot help with that." })
    }))

  it.live("the stop reason is stopSequence if the server reports one of the request's stop sequences", () =>
    Effect.gen(function*() {
      const reply = json({ choices: [{ message: { content: "a" }, finish_reason: "stop", stop_reason: "END" }] })
      assert.strictEqual((yield* received(reply, { stopSequences: ["END"] })).stopReason, "stopSequence")
      assert.strictEqual((yield* received(reply)).stopReason, "endTurn")
    }))

  it.live("an empty reply that the token limit cut short is truncated, not an error", () =>
    Effect.gen(function*() {
      const reply = yield* Sampler.sample("Think")
      assert.strictEqual(reply.text, "")
      assert.isTrue(reply.truncated)
    }).pipe(Effect.provide(setup({ content: null, finishReason: "length" }))))
})

describe("tool calls", () => {
  it.live("tool calls keep their order after the text", () =>
    Effect.gen(function*() {
      const response = yield* received({
        content: "One moment.",
        toolCalls: [{ id: "a", name: "search", arguments: { q: 1 } }, { id: "b", name: "search", arguments: {} }]
      }, { tools })
      assert.deepStrictEqual(response.content, [
        { type: "text", text: "One moment." },
        { type: "tool_use", id: "a", name: "search", input: { q: 1 } },
        { type: "tool_use", id: "b", name: "search", input: {} }
      ])
    }))

  it.live("tool calls in the deprecated form, with missing or repeated ids, or with object arguments are read", () =>
    Effect.gen(function*() {
      const legacy = yield* received(choice({ function_call: { name: "search", arguments: "" } }, "function_call"), {
        tools
      })
      assert.deepStrictEqual(legacy.content, [{ type: "tool_use", id: "call_0", name: "search", input: {} }])
      const many = yield* received(
        choice({
          tool_calls: [
            call,
            { ...call, function: { name: "search", arguments: { q: "x" } } },
            { function: { name: "search" } }
          ]
        }),
        { tools }
      )
      assert.deepStrictEqual(many.content, [
        searchUse,
        { ...searchUse, id: "call_1" },
        { ...searchUse, id: "call_2", input: {} }
      ])
    }))

  it.live("calls with arguments, a name or an id that are malformed give error results, and the loop goes on", () =>
    Effect.gen(function*() {
      const args = ["{", "[1]", `"text"`, `{"q":"x",}`, "{\"q\":\"a\nb\"}", "{}{}", "4"]
      const calls = [
        ...args.map((text, index) => ({ id: `bad${index}`, function: { name: "search", arguments: text } })),
        { id: "none", function: { name: null, arguments: "{}" } },
        { id: "empty" },
        { id: 7, function: { name: "search", arguments: JSON.stringify(`{"q":"twice"}`) } },
        { id: "good", function: { name: "search", arguments: `{"q":"once"}` } }
      ]
      const Search = Tool.make("search", { parameters: Schema.Struct({ q: Schema.String }), success: Schema.String })
      const toolkit = Toolkit.make(Search)
      const reply = yield* Sampler.sample("Hi", { toolkit }).pipe(
        Effect.provide(toolkit.toLayer({ search: ({ q }) => Effect.succeed(`found ${q}`) })),
        Effect.provide(setup([choice({ content: null, tool_calls: calls }, "tool_calls"), "done"]))
      )
      assert.strictEqual(reply.text, "done")
      const results = Content.blocks(reply.history[2]!.content).map((block) =>
        block.type === "tool_result" ? [block.toolUseId, block.isError === true, JSON.stringify(block.content)] : []
      )
      assert.deepStrictEqual(
        results.map(([id, isError]) => [id, isError]),
        [...calls.slice(0, 9).map(({ id }) => [String(id), true]), ["7", false], ["good", false]]
      )
      assert.include(String(results[0]![2]), "Invalid arguments")
      assert.include(String(results[7]![2]), "The call names no tool")
      assert.include(String(results[9]![2]), "found twice")
    }))

  it.live("null and [] as the arguments of a tool without parameters are {}", () =>
    Effect.gen(function*() {
      const args = ["null", "[]", "", null, "{}"]
      const tool_calls = args.map((text) => ({ function: { name: "search", arguments: text } }))
      const response = yield* received(choice({ content: null, tool_calls }, "tool_calls"), { tools })
      assert.deepStrictEqual(
        Content.blocks(response.content),
        args.map((_, index) => ({ type: "tool_use", id: `call_${index}`, name: "search", input: {} }))
      )
    }))

  it.live("a tool call that the token limit cut short is dropped, and the stop reason is maxTokens", () =>
    Effect.gen(function*() {
      const response = yield* received({
        toolCalls: [{ id: "c1", name: "search", arguments: { q: "x" } }, { name: "search", arguments: `{"q":"y` }],
        finishReason: "length"
      }, { tools })
      assert.strictEqual(response.stopReason, "maxTokens")
      assert.deepStrictEqual(response.content, [searchUse])
    }))
})

describe("lenience", () => {
  it.live("text parts are joined, and reasoning is dropped", () =>
    Effect.gen(function*() {
      const response = yield* received(choice({
        content: [{ type: "thinking", thinking: [] }, { type: "text", text: "Hel" }, { type: "text", text: "lo" }],
        reasoning_content: "hm"
      }, "stop"))
      assert.deepStrictEqual(response.content, { type: "text", text: "Hello" })
    }))

  it.live("a JSON body is accepted even if the server labels it as another type", () =>
    Effect.gen(function*() {
      const body = JSON.stringify({ choices: [{ message: { content: "Hello" } }] })
      const response = yield* received(OpenAiServer.raw({ headers: { "content-type": "text/plain" }, body }))
      assert.deepStrictEqual(response.content, { type: "text", text: "Hello" })
    }))

  it.live("a token count that is not a number is dropped from the usage", () =>
    Effect.gen(function*() {
      const message = { content: "Hello" }
      const usage = { prompt_tokens: "many", completion_tokens: 3 }
      assert.deepStrictEqual((yield* received(json({ choices: [{ message }], usage }))).usage, { outputTokens: 3 })
      assert.notProperty(yield* received(json({ choices: [{ message }], usage: null })), "usage")
    }))
})

describe("answers that are not a completion", () => {
  const cases: Record<string, OpenAiServer.Reply> = {
    "no choices": json({ choices: [] }),
    "null for choices": json({ choices: null }),
    "another object": json({ hello: "world" }),
    "a choice without a message": json({ choices: [{}] }),
    "an array": json([]),
    "null": json(null),
    "a number": json(4),
    "an empty body": OpenAiServer.raw({ body: "" }),
    "no content": OpenAiServer.raw({ status: 204, body: "" }),
    "truncated JSON": OpenAiServer.raw({ body: `{"choices":[{"mess` }),
    "HTML": OpenAiServer.raw({ headers: { "content-type": "text/html" }, body: "<h1>SECRET gateway</h1>" }),
    "HTML labelled as JSON": OpenAiServer.raw({ body: "<h1>SECRET gateway</h1>" })
  }
  for (const [what, reply] of Object.entries(cases)) {
    it.live(`an answer that is not a completion (${what}) is an InvalidResponse, and its advice says what to check`, () =>
      Effect.gen(function*() {
        const error = yield* failed(reply)
        assert.strictEqual(error._tag, "InvalidResponse")
        assert.match(Advice.of(error)!, /baseUrl|model/)
        assert.notInclude(error.message, "SECRET")
      }))
  }
})
