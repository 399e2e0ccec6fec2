import type { Content, SamplingRequest } from "@effect-sampling/core"
import { Sampler, SamplingMessage } from "@effect-sampling/core"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createMessage, lastBody, setup } from "./support.ts"

const { assistant, user } = SamplingMessage

/** Returns the body that the server received. The server has checked that OpenAI would accept it. */
const sent = (request: Partial<SamplingRequest.SamplingRequest>, options?: Parameters<typeof setup>[1]) =>
  Effect.gen(function*() {
    yield* createMessage(request)
    return yield* lastBody
  }).pipe(Effect.provide(setup({}, options)))

/** Returns the error, and asserts that nothing was sent. */
const refused = (request: Partial<SamplingRequest.SamplingRequest>, options?: Parameters<typeof setup>[1]) =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(createMessage(request))
    const server = yield* OpenAiServer.OpenAiServer
    assert.deepStrictEqual(yield* server.requests, [])
    return error
  }).pipe(Effect.provide(setup({}, options)))

const search = { name: "search", description: "Searches", inputSchema: { type: "object" } }
const use = (id: string, name = "search", input: Record<string, unknown> = {}): Content.ToolUseContent => ({
  type: "tool_use",
  id,
  name,
  input
})
const result = (
  toolUseId: string,
  content: Content.ToolResultContent["content"],
  more: Partial<Content.ToolResultContent> = {}
): Content.ToolResultContent => ({ type: "tool_result", toolUseId, content, ...more })

/** Returns the messages that a tool result becomes. */
const answered = (content: Content.ToolResultContent["content"], more?: Partial<Content.ToolResultContent>) =>
  Effect.map(
    sent({ messages: [user("Find"), assistant([use("c1")]), user([result("c1", content, more)])] }),
    ({ messages }): ReadonlyArray<unknown> => Array.isArray(messages) ? messages.slice(2) : []
  )

describe("the request", () => {
  it.live("a request starts with the system prompt and contains only the parameters that were set", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sent({ systemPrompt: "Be brief", messages: [user("Hi")], maxTokens: 7 }), {
        model: "gpt-4.1-mini",
        messages: [{ role: "system", content: "Be brief" }, { role: "user", content: "Hi" }],
        max_tokens: 7
      })
      assert.deepStrictEqual((yield* sent({ systemPrompt: "" }))["messages"], [{ role: "user", content: "Hi" }])
    }))

  it.live("a request carries a temperature of 0, the stop sequences and the whole conversation", () =>
    Effect.gen(function*() {
      const body = yield* sent({
        messages: [user("Capital of France?"), assistant("Paris."), user("And Italy?")],
        temperature: 0,
        stopSequences: ["\n", "END"]
      })
      assert.strictEqual(body["temperature"], 0)
      assert.deepStrictEqual(body["stop"], ["\n", "END"])
      assert.deepStrictEqual(body["messages"], [
        { role: "user", content: "Capital of France?" },
        { role: "assistant", content: "Paris." },
        { role: "user", content: "And Italy?" }
      ])
    }))

  it.live("a request omits empty stop sequences, empty tools, and a tool choice without tools", () =>
    Effect.gen(function*() {
      const body = yield* sent({ stopSequences: [], tools: [], toolChoice: { mode: "auto" } })
      assert.notProperty(body, "stop")
      assert.notProperty(body, "tools")
      assert.notProperty(body, "tool_choice")
      assert.notProperty(yield* sent({ toolChoice: { mode: "none" } }), "tool_choice")
    }))

  it.live("more than 4 stop sequences, or a required tool choice without tools, is an InvalidRequest", () =>
    Effect.gen(function*() {
      const stops = yield* refused({ stopSequences: ["1", "2", "3", "4", "5"] })
      assert.strictEqual(stops._tag, "InvalidRequest")
      assert.include(stops.message, "stopSequences has 5 entries")
      const choice = yield* refused({ toolChoice: { mode: "required" } })
      assert.strictEqual(choice._tag, "InvalidRequest")
      assert.include(choice.message, `toolChoice is "required"`)
    }))

  it.live("includeContext is ignored, because a provider has no context of MCP servers", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sent({ includeContext: "allServers" }), yield* sent({}))
    }))

  it.live("lone surrogates are replaced in every text of a request", () =>
    Effect.gen(function*() {
      const broken = "a\ud800b"
      const body = yield* sent({
        systemPrompt: broken,
        messages: [
          user(broken),
          assistant([use("c1", "search", { query: broken, list: [broken] })]),
          user([result("c1", [{ type: "text", text: broken }], { structuredContent: { text: broken } })])
        ],
        stopSequences: [broken],
        tools: [{ ...search, description: broken, inputSchema: { description: broken } }],
        metadata: { broken }
      }, { store: true })
      assert.notInclude(JSON.stringify(body), "\\ud800")
      assert.include(JSON.stringify(body), "a\ufffdb")
    }))

  it.live("a value that JSON cannot represent is an InvalidRequest", () =>
    Effect.gen(function*() {
      const cycle: Record<string, unknown> = {}
      cycle["self"] = cycle
      for (const input of [cycle, { big: 1n }]) {
        const error = yield* refused({
          messages: [user("Find"), assistant([use("c1", "search", input)]), user([result("c1", [])])]
        })
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.include(error.message, "JSON")
      }
    }))
})

describe("content", () => {
  it.live("text, images and audio of a user message are sent in order", () =>
    Effect.gen(function*() {
      const body = yield* sent({
        messages: [user([
          { type: "text", text: "What is this?" },
          { type: "image", data: "AAAA", mimeType: "image/png" },
          { type: "image", data: "AAAA", mimeType: "Image/JPG" },
          { type: "audio", data: "BBBB", mimeType: "audio/x-wav" },
          { type: "audio", data: "BBBB", mimeType: "audio/mpeg" }
        ])]
      })
      assert.deepStrictEqual(body["messages"], [{
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
          { type: "image_url", image_url: { url: "data:image/jpeg;base64,AAAA" } },
          { type: "input_audio", input_audio: { data: "BBBB", format: "wav" } },
          { type: "input_audio", input_audio: { data: "BBBB", format: "mp3" } }
        ]
      }])
    }))

  for (const mimeType of ["image/png", "image/jpeg", "image/gif", "image/webp"]) {
    it.live(`an image of type ${mimeType} is sent as a data URL`, () =>
      Effect.gen(function*() {
        const body = yield* sent({ messages: [user({ type: "image", data: "AAAA", mimeType })] })
        assert.include(JSON.stringify(body["messages"]), `data:${mimeType};base64,AAAA`)
      }))
  }

  const unsupported: ReadonlyArray<{ what: string; message: SamplingMessage.SamplingMessage; says: string }> = [
    { what: "an SVG image", message: user({ type: "image", data: "AAAA", mimeType: "image/svg+xml" }), says: "image" },
    { what: "Ogg audio", message: user({ type: "audio", data: "AAAA", mimeType: "audio/ogg" }), says: "audio" },
    {
      what: "an image in an assistant message",
      message: assistant([{ type: "image", data: "AAAA", mimeType: "image/png" }]),
      says: "an assistant message with image content"
    },
    {
      what: "audio in an assistant message",
      message: assistant([{ type: "audio", data: "AAAA", mimeType: "audio/wav" }]),
      says: "an assistant message with audio content"
    }
  ]
  for (const { message, says, what } of unsupported) {
    it.live(`${what} fails with SamplingUnsupported before anything is sent`, () =>
      Effect.gen(function*() {
        const error = yield* refused({ messages: [user("Hi"), message] })
        assert.strictEqual(error._tag, "SamplingUnsupported")
        assert.propertyVal(error, "missing", "content")
        assert.include(error.message, "messages[1]")
        assert.include(error.message, says)
      }))
  }

  it.live("the texts of a user message stay separate, and the texts of an assistant message are joined", () =>
    Effect.gen(function*() {
      const texts = [{ type: "text" as const, text: "a" }, { type: "text" as const, text: "b" }]
      const body = yield* sent({ messages: [user(texts), assistant(texts)] })
      assert.deepStrictEqual(body["messages"], [{ role: "user", content: texts }, { role: "assistant", content: "ab" }])
    }))
})

describe("tools", () => {
  it.live("tools and every tool choice are sent", () =>
    Effect.gen(function*() {
      const body = yield* sent({ tools: [search, { name: "now", title: "The time", inputSchema: {} }] })
      assert.deepStrictEqual(body["tools"], [
        { type: "function", function: { name: "search", description: "Searches", parameters: { type: "object" } } },
        { type: "function", function: { name: "now", description: "The time", parameters: { type: "object" } } }
      ])
      assert.notProperty(body, "tool_choice")
      for (const mode of ["auto", "required", "none"] as const) {
        assert.strictEqual((yield* sent({ tools: [search], toolChoice: { mode } }))["tool_choice"], mode)
      }
      assert.strictEqual((yield* sent({ tools: [search], toolChoice: {} }))["tool_choice"], "auto")
    }))

  it.live("tool calls and their results are sent even if the request has no tools", () =>
    Effect.gen(function*() {
      const body = yield* sent({
        messages: [
          user("Find"),
          assistant([{ type: "text", text: "One moment." }, use("c1", "search", { q: 1 }), use("c2", "now")]),
          user([result("c2", [{ type: "text", text: "noon" }]), result("c1", [])]),
          user("Well?")
        ]
      })
      assert.deepStrictEqual(body["messages"], [
        { role: "user", content: "Find" },
        {
          role: "assistant",
          content: "One moment.",
          tool_calls: [
            { id: "c1", type: "function", function: { name: "search", arguments: `{"q":1}` } },
            { id: "c2", type: "function", function: { name: "now", arguments: "{}" } }
          ]
        },
        { role: "tool", tool_call_id: "c2", content: "noon" },
        { role: "tool", tool_call_id: "c1", content: "" },
        { role: "assistant", content: "I have received the results of the tools." },
        { role: "user", content: "Well?" }
      ])
    }))

  it.live("the result of a failed tool tells the model that the tool failed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* answered([{ type: "text", text: "no such file" }], { isError: true }), [
        { role: "tool", tool_call_id: "c1", content: "The tool failed:\nno such file" }
      ])
    }))

  it.live("structured content is sent once, even if a text block repeats it", () =>
    Effect.gen(function*() {
      const structuredContent = { temperature: 20, unit: "C" }
      assert.deepStrictEqual(yield* answered([{ type: "text", text: "20 degrees" }], { structuredContent }), [
        { role: "tool", tool_call_id: "c1", content: `20 degrees\n{"temperature":20,"unit":"C"}` }
      ])
      const text = `{ "unit": "C", "temperature": 20 }`
      assert.deepStrictEqual(yield* answered([{ type: "text", text }], { structuredContent }), [
        { role: "tool", tool_call_id: "c1", content: text }
      ])
    }))

  it.live("resource links and text resources of a tool result are sent as text", () =>
    Effect.gen(function*() {
      const [message] = yield* answered([
        { type: "resource_link", uri: "file:///a", name: "a", description: "The file a" },
        { type: "resource", resource: { uri: "file:///b", mimeType: "text/plain", text: "contents of b" } }
      ])
      assert.deepStrictEqual(message, {
        role: "tool",
        tool_call_id: "c1",
        content: `Resource link: {"uri":"file:///a","name":"a","description":"The file a"}\n` +
          `Resource {"uri":"file:///b","mimeType":"text/plain"}:\ncontents of b`
      })
    }))

  it.live("images and audio of a tool result follow in a user message, after a message of the assistant", () =>
    Effect.gen(function*() {
      const messages = yield* answered([
        { type: "text", text: "Here:" },
        { type: "image", data: "AAAA", mimeType: "image/png" },
        { type: "audio", data: "BBBB", mimeType: "audio/wav" },
        { type: "resource", resource: { uri: "file:///i", mimeType: "image/gif", blob: "CCCC" } }
      ])
      assert.deepStrictEqual(messages, [
        {
          role: "tool",
          tool_call_id: "c1",
          content: "Here:\n[image 1 of this result is in the user message that follows]\n" +
            "[audio 2 of this result is in the user message that follows]\n" +
            `Resource {"uri":"file:///i","mimeType":"image/gif"}:\n` +
            "[image 3 of this result is in the user message that follows]"
        },
        { role: "assistant", content: "I have received the results of the tools." },
        {
          role: "user",
          content: [
            { type: "text", text: "From the result of tool call c1:" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
            { type: "input_audio", input_audio: { data: "BBBB", format: "wav" } },
            { type: "image_url", image_url: { url: "data:image/gif;base64,CCCC" } }
          ]
        }
      ])
    }))

  it.live("a binary resource other than an image or audio fails with SamplingUnsupported", () =>
    Effect.gen(function*() {
      const error = yield* refused({
        messages: [
          user("Find"),
          assistant([use("c1")]),
          user([result("c1", [{ type: "resource", resource: { uri: "file:///z", blob: "AAAA" } }])])
        ]
      })
      assert.strictEqual(error._tag, "SamplingUnsupported")
      assert.include(error.message, "messages[2] contains a binary resource")
    }))

  it.live("tool names that OpenAI refuses are replaced in the request and restored in the reply", () =>
    Effect.gen(function*() {
      const long = "x".repeat(70)
      const response = yield* createMessage({
        messages: [user("Find"), assistant([use("c1", "fs.read")]), user([result("c1", [])])],
        tools: ["fs_read", "fs.read", "fs/read", long].map((name) => ({ name, inputSchema: {} }))
      })
      const names = ["fs_read", "fs_read_2", "fs_read_3", "x".repeat(64)]
      const body = JSON.stringify(yield* lastBody)
      for (const name of names) assert.include(body, `"name":"${name}"`)
      assert.include(body, `"id":"c1","type":"function","function":{"name":"fs_read_2"`)
      assert.deepStrictEqual(
        [response.content].flat().map((block) => "name" in block ? block.name : ""),
        ["fs_read", "fs.read", "fs/read", long, "unknown"]
      )
    }).pipe(Effect.provide(setup({
      reply: (request) => ({
        toolCalls: [...(request.tools ?? []).map((tool) => tool.function.name), "unknown"].map((name) => ({
          name,
          arguments: {}
        }))
      })
    }))))

  it.live("a tool call id over 40 characters is shortened in the call and in its result alike", () =>
    Effect.gen(function*() {
      const long = "a".repeat(50)
      const body = yield* sent({
        messages: [
          user("Find"),
          assistant([use(long), use("call_1"), use(`${long}b`)]),
          user([result(`${long}b`, []), result(long, []), result("call_1", [])])
        ]
      })
      assert.notInclude(JSON.stringify(body), long)
      assert.deepStrictEqual(JSON.stringify(body).match(/"(id|tool_call_id)":"\w+"/g), [
        `"id":"call_2"`,
        `"id":"call_1"`,
        `"id":"call_3"`,
        `"tool_call_id":"call_3"`,
        `"tool_call_id":"call_2"`,
        `"tool_call_id":"call_1"`
      ])
    }))
})

describe("metadata", () => {
  it.live("metadata is sent only when store is true, with values other than strings as JSON", () =>
    Effect.gen(function*() {
      const metadata = { user: "u1", count: 3, nested: { a: [1] }, none: undefined }
      assert.deepStrictEqual(yield* sent({ metadata }), yield* sent({}))
      const body = yield* sent({ metadata }, { store: true })
      assert.strictEqual(body["store"], true)
      assert.deepStrictEqual(body["metadata"], { user: "u1", count: "3", nested: `{"a":[1]}` })
      assert.strictEqual((yield* sent({ metadata }, { store: false }))["store"], false)
    }))

  it.live("metadata over the limits of OpenAI is an InvalidRequest", () =>
    Effect.gen(function*() {
      const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "v"]))
      for (const metadata of [many, { ["k".repeat(65)]: "v" }, { k: "v".repeat(513) }]) {
        const error = yield* refused({ metadata }, { store: true })
        assert.strictEqual(error._tag, "InvalidRequest")
        assert.include(error.message, "metadata has")
      }
    }))
})

describe("the token limit", () => {
  it.live("the token limit is sent under its other name after the server refused the first, from then on", () =>
    Effect.gen(function*() {
      for (let call = 0; call < 3; call++) yield* Sampler.sample("Hi", { maxTokens: 9 })
      const { requests } = yield* OpenAiServer.OpenAiServer
      assert.deepStrictEqual(
        (yield* requests).map(({ accepted, body }) => [accepted !== undefined, Object.keys(JSON.parse(body)).at(-1)]),
        [
          [false, "max_tokens"],
          [true, "max_completion_tokens"],
          [true, "max_completion_tokens"],
          [true, "max_completion_tokens"]
        ]
      )
    }).pipe(Effect.provide(setup({ maxTokensParameter: "max_completion_tokens" }))))

  it.live("the token limit is max_tokens by default for a server other than OpenAI", () =>
    Effect.gen(function*() {
      yield* Sampler.sample("Hi", { maxTokens: 9 })
      const { requests } = yield* OpenAiServer.OpenAiServer
      assert.strictEqual((yield* requests).length, 1)
    }).pipe(Effect.provide(setup({ maxTokensParameter: "max_tokens" }))))

  it.live("the token limit keeps a configured name, and the request fails if the server refuses that name", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Sampler.sample("Hi"))
      assert.propertyVal(error, "reason", "badRequest")
      assert.include(error.message, "maxTokens")
      const { requests } = yield* OpenAiServer.OpenAiServer
      assert.strictEqual((yield* requests).length, 1)
    }).pipe(
      Effect.provide(setup({ maxTokensParameter: "max_tokens" }, { maxTokensParameter: "max_completion_tokens" }))
    ))

  it.live("the token limit keeps its name when the server refuses only its value", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Sampler.sample("Hi"))
      assert.propertyVal(error, "reason", "badRequest")
      const { requests } = yield* OpenAiServer.OpenAiServer
      assert.strictEqual((yield* requests).length, 1)
    }).pipe(Effect.provide(setup(
      OpenAiServer.failure(400, {
        message: "max_tokens is too large: 512. This model supports at most 16 completion tokens.",
        param: "max_tokens",
        code: "invalid_value"
      })
    ))))
})
