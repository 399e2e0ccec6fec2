import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

interface Answer {
  readonly object: string
  readonly choices: ReadonlyArray<{ readonly message: unknown; readonly finish_reason: string }>
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number }
  readonly error: { readonly type: string; readonly param: string | null; readonly code: string | null }
}

/** Sends a plain HTTP request and returns the status and the parsed body of its answer. */
const post = (body: unknown, options: { readonly path?: string; readonly key?: string } = {}) =>
  Effect.gen(function*() {
    const { url } = yield* OpenAiServer.OpenAiServer
    return yield* Effect.promise(async () => {
      const response = await fetch(url + (options.path ?? "/chat/completions"), {
        method: "POST",
        headers: { authorization: `Bearer ${options.key ?? "k"}` },
        body: typeof body === "string" ? body : JSON.stringify(body)
      })
      const answer: Answer = JSON.parse(await response.text())
      return { status: response.status, body: answer }
    })
  })

const messages = [{ role: "user", content: "Hi" }]
const valid = { model: "gpt-x", messages }
const use = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } }
const tool = { type: "function", function: { name: "f", parameters: { type: "object" } } }

describe("OpenAiServer", () => {
  it.live("the scripted server answers as OpenAI does, and labels the text as scripted", () =>
    Effect.gen(function*() {
      const { body, status } = yield* post(valid)
      assert.strictEqual(status, 200)
      assert.strictEqual(body.object, "chat.completion")
      assert.deepStrictEqual(body.choices[0]?.message, {
        role: "assistant",
        content: "[scripted model] You said: Hi",
        refusal: null
      })
      assert.strictEqual(body.choices[0]?.finish_reason, "stop")
      assert.strictEqual(body.usage.total_tokens, body.usage.prompt_tokens + body.usage.completion_tokens)
    }).pipe(Effect.provide(OpenAiServer.layer())))

  it.live("the scripted server accepts a request with every parameter", () =>
    Effect.gen(function*() {
      const { status } = yield* post({
        ...valid,
        messages: [
          { role: "system", content: "Be brief" },
          { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] },
          { role: "assistant", content: null, tool_calls: [use] },
          { role: "tool", tool_call_id: "c1", content: "done" }
        ],
        max_completion_tokens: 1,
        temperature: 0,
        stop: ["a"],
        tools: [tool],
        tool_choice: "auto",
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "a",
            schema: { type: "object", properties: { b: {} }, required: ["b"], additionalProperties: false },
            strict: true
          }
        },
        store: true,
        metadata: { a: "b" }
      })
      assert.strictEqual(status, 200)
    }).pipe(Effect.provide(OpenAiServer.layer())))

  const refused: ReadonlyArray<[what: string, body: unknown, param: string | null]> = [
    ["a body that is not JSON", "{", null],
    ["an unknown parameter", { ...valid, maxTokens: 1 }, "maxTokens"],
    ["no model", { messages }, "model"],
    ["no messages", { ...valid, messages: [] }, "messages.0"],
    ["five stop sequences", { ...valid, stop: ["1", "2", "3", "4", "5"] }, "stop"],
    ["a tool choice without tools", { ...valid, tool_choice: "auto" }, "tool_choice"],
    ["metadata without store", { ...valid, metadata: { a: "b" } }, "metadata"],
    ["a temperature of 3", { ...valid, temperature: 3 }, "temperature"],
    [
      "a tool message without a call",
      { ...valid, messages: [...messages, { role: "tool", tool_call_id: "c1", content: "" }] },
      "messages.[1].role"
    ],
    [
      "a call without an answer",
      { ...valid, messages: [{ role: "assistant", content: null, tool_calls: [use] }, ...messages] },
      "messages.[1].role"
    ],
    ["an unknown response format", { ...valid, response_format: { type: "yaml" } }, "response_format"],
    [
      "a response format whose name has a dot",
      { ...valid, response_format: { type: "json_schema", json_schema: { name: "a.b", schema: { type: "object" } } } },
      "response_format.json_schema.name"
    ],
    [
      "a response format whose root is not an object",
      { ...valid, response_format: { type: "json_schema", json_schema: { name: "a", schema: { type: "array" } } } },
      "response_format"
    ],
    [
      "a strict response format with an open object",
      {
        ...valid,
        response_format: { type: "json_schema", json_schema: { name: "a", schema: { type: "object" }, strict: true } }
      },
      "response_format"
    ],
    [
      "a strict response format with an optional key",
      {
        ...valid,
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "a",
            schema: { type: "object", properties: { b: {} }, required: [], additionalProperties: false },
            strict: true
          }
        }
      },
      "response_format"
    ],
    [
      "a json_object format without the word JSON in a message",
      { ...valid, response_format: { type: "json_object" } },
      "messages"
    ],
    ["a tool name with a dot", { ...valid, tools: [{ ...tool, function: { name: "a.b" } }] }, "tools.0.function.name"]
  ]
  for (const [what, body, param] of refused) {
    it.live(`the scripted server refuses ${what}, as OpenAI does`, () =>
      Effect.gen(function*() {
        const answer = yield* post(body)
        assert.strictEqual(answer.status, 400)
        assert.strictEqual(answer.body.error.type, "invalid_request_error")
        assert.strictEqual(answer.body.error.param, param)
        const server = yield* OpenAiServer.OpenAiServer
        assert.deepStrictEqual((yield* server.requests).map(({ accepted }) => accepted), [undefined])
      }).pipe(Effect.provide(OpenAiServer.layer())))
  }

  it.live("the scripted server refuses a malformed image, malformed audio and a lone surrogate", () =>
    Effect.gen(function*() {
      for (
        const part of [
          { type: "image_url", image_url: { url: "data:image/tiff;base64,AAAA" } },
          { type: "image_url", image_url: "data:image/png;base64,AAAA" },
          { type: "input_audio", input_audio: { data: "AAAA", format: "ogg" } },
          { type: "text", text: "\ud800" }
        ]
      ) assert.strictEqual((yield* post({ ...valid, messages: [{ role: "user", content: [part] }] })).status, 400)
      assert.strictEqual((yield* post({ ...valid, messages: [{ role: "user", content: "😀" }] })).status, 200)
    }).pipe(Effect.provide(OpenAiServer.layer())))

  it.live("the scripted server requires its key and serves a single path", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* post(valid)).status, 401)
      assert.strictEqual((yield* post(valid, { key: "right" })).status, 200)
      assert.strictEqual((yield* post(valid, { key: "right", path: "/responses" })).status, 404)
    }).pipe(Effect.provide(OpenAiServer.layer({ apiKey: "right" }))))

  it.live("the scripted server accepts only the configured name of the token limit", () =>
    Effect.gen(function*() {
      const { body, status } = yield* post({ ...valid, max_tokens: 1 })
      assert.strictEqual(status, 400)
      assert.strictEqual(body.error.code, "unsupported_parameter")
      assert.strictEqual((yield* post({ ...valid, max_completion_tokens: 1 })).status, 200)
    }).pipe(Effect.provide(OpenAiServer.layer({ maxTokensParameter: "max_completion_tokens" }))))

  it.live("the scripted server answers with status 500 when its script ends or throws", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* post(valid)).status, 500)
      const thrown = yield* post(valid).pipe(Effect.provide(OpenAiServer.layer({
        reply: () => {
          throw new Error("no")
        }
      })))
      assert.strictEqual(thrown.status, 500)
    }).pipe(Effect.provide(OpenAiServer.layer({ reply: OpenAiServer.inOrder([]) }))))
})
