import { SamplingMessage, SamplingPrompt } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { Prompt } from "effect/ai"
import { image, text, toolResult, toolUse } from "./fixtures/domain.ts"

const { assistant, user } = SamplingMessage

const resolve = (input: SamplingPrompt.Input) => Result.getOrThrow(SamplingPrompt.resolve(input))

const problem = (input: SamplingPrompt.Input): string => {
  const result = SamplingPrompt.resolve(input)
  assert.isTrue(Result.isFailure(result))
  return Result.isFailure(result) ? result.failure.message : ""
}

const userParts = (...content: ReadonlyArray<Prompt.UserMessagePart>) =>
  Prompt.fromMessages([Prompt.userMessage({ content })])

const assistantParts = (...content: ReadonlyArray<Prompt.AssistantMessagePart>) =>
  Prompt.fromMessages([Prompt.assistantMessage({ content })])

const toolParts = (...content: ReadonlyArray<Prompt.ToolMessagePart>) => Prompt.toolMessage({ content })

const call = (id: string, params: unknown = { city: "Paris" }) =>
  Prompt.toolCallPart({ id, name: "weather", params, providerExecuted: false })

const result = (id: string, value: unknown, isFailure = false) =>
  Prompt.toolResultPart({ id, name: "weather", result: value, isFailure, providerExecuted: false })

const file = (mediaType: string, data: string | Uint8Array | URL) => Prompt.filePart({ mediaType, data })

describe("SamplingPrompt", () => {
  it("a string prompt becomes one user message", () => {
    assert.deepStrictEqual(resolve("hi"), { systemPrompt: undefined, messages: [user("hi")] })
  })

  it("a single message is a prompt", () => {
    assert.deepStrictEqual(resolve(assistant("hi")).messages, [assistant("hi")])
  })

  it("a list of strings and messages is a prompt, and each string becomes one user message", () => {
    const list = ["a", assistant("b"), "c"]
    assert.deepStrictEqual(resolve(list).messages, [user("a"), assistant("b"), user("c")])
    assert.deepStrictEqual(list, ["a", assistant("b"), "c"])
  })

  describe("effect/ai prompts", () => {
    it("the leading system messages of an effect/ai prompt become the system prompt", () => {
      const prompt = Prompt.make([
        { role: "system", content: "Be brief." },
        { role: "system", content: "Be kind." },
        { role: "user", content: "hi" }
      ])
      assert.deepStrictEqual(resolve(prompt), { systemPrompt: "Be brief.\n\nBe kind.", messages: [user("hi")] })
    })

    it("an effect/ai prompt without system messages has no system prompt", () => {
      assert.strictEqual(resolve(Prompt.make("hi")).systemPrompt, undefined)
    })

    it("an effect/ai prompt carries text, images and audio, as base64 or as bytes", () => {
      const prompt = userParts(
        Prompt.textPart({ text: "look" }),
        file("image/png", "AAAA"),
        file("image/png", new Uint8Array([0, 0, 0])),
        file("audio/wav", new Uint8Array([0, 0, 0]))
      )
      assert.deepStrictEqual(resolve(prompt).messages, [
        user([text("look"), image, image, { type: "audio", data: "AAAA", mimeType: "audio/wav" }])
      ])
    })

    it("an effect/ai prompt carries tool calls and their results", () => {
      const prompt = Prompt.fromMessages([
        Prompt.userMessage({ content: [Prompt.textPart({ text: "weather?" })] }),
        Prompt.assistantMessage({ content: [Prompt.textPart({ text: "let me see" }), call("1"), call("2")] }),
        toolParts(result("1", "21 °C"), result("2", { celsius: 21 }, true))
      ])
      assert.deepStrictEqual(resolve(prompt).messages, [
        user("weather?"),
        assistant([text("let me see"), toolUse("1"), toolUse("2")]),
        user([
          toolResult("1"),
          { type: "tool_result", toolUseId: "2", content: [text(`{"celsius":21}`)], isError: true }
        ])
      ])
    })

    it("the model output of a tool result replaces the result itself", () => {
      const part = Prompt.toolResultPart({
        id: "1",
        name: "weather",
        result: { secret: 1 },
        isFailure: false,
        providerExecuted: false,
        modelOutput: [Prompt.textPart({ text: "sunny" }), file("image/png", "AAAA")]
      })
      assert.deepStrictEqual(resolve(Prompt.fromMessages([toolParts(part)])).messages, [
        user([{ type: "tool_result", toolUseId: "1", content: [text("sunny"), image] }])
      ])
    })

    it("consecutive tool messages are joined, because MCP requires all results in one message", () => {
      const prompt = Prompt.fromMessages([
        Prompt.assistantMessage({ content: [call("1"), call("2")] }),
        toolParts(result("1", "21 °C")),
        toolParts(result("2", "21 °C"))
      ])
      assert.deepStrictEqual(resolve(prompt).messages, [
        assistant([toolUse("1"), toolUse("2")]),
        user([toolResult("1"), toolResult("2")])
      ])
    })

    it("tool messages of different turns stay separate", () => {
      const prompt = Prompt.fromMessages([
        Prompt.assistantMessage({ content: [call("1")] }),
        toolParts(result("1", "21 °C")),
        Prompt.assistantMessage({ content: [call("2")] }),
        toolParts(result("2", "21 °C"))
      ])
      assert.deepStrictEqual(resolve(prompt).messages, [
        assistant(toolUse("1")),
        user([toolResult("1")]),
        assistant(toolUse("2")),
        user([toolResult("2")])
      ])
    })

    it("an undefined tool result becomes an empty text", () => {
      const [message] = resolve(Prompt.fromMessages([toolParts(result("1", undefined))])).messages
      assert.deepStrictEqual(message, user([{ type: "tool_result", toolUseId: "1", content: [text("")] }]))
    })

    const circular: Record<string, unknown> = {}
    circular["self"] = circular

    it.each<[string, Prompt.Prompt, string]>([
      [
        "a system message between others",
        Prompt.make([{ role: "user", content: "a" }, { role: "system", content: "b" }]),
        "prompt.content[1]: MCP sampling has one system prompt, before all messages; move this system message to the start"
      ],
      [
        "a file that is neither an image nor audio",
        userParts(Prompt.textPart({ text: "a" }), file("application/pdf", "AAAA")),
        `prompt.content[0].content[1]: MCP sampling cannot carry a file of type "application/pdf", only images and audio`
      ],
      [
        "an open media type",
        userParts(file("image/*", "AAAA")),
        `prompt.content[0].content[0]: MCP sampling cannot carry a file of the open type "image/*"`
      ],
      [
        "a URL",
        userParts(file("image/png", new URL("https://example.com/a.png"))),
        "prompt.content[0].content[0]: MCP sampling cannot carry a file by URL; load it and pass its bytes"
      ],
      [
        "reasoning",
        assistantParts(Prompt.reasoningPart({ text: "hmm" })),
        `prompt.content[0].content[0]: MCP sampling cannot carry a "reasoning" part of an assistant message`
      ],
      [
        "a provider's own tool result",
        assistantParts(result("1", "x")),
        `prompt.content[0].content[0]: MCP sampling cannot carry a "tool-result" part of an assistant message`
      ],
      [
        "a provider's own tool call",
        assistantParts(Prompt.toolCallPart({ id: "1", name: "search", params: {}, providerExecuted: true })),
        `prompt.content[0].content[0]: MCP sampling cannot carry the call of "search" that the provider executed itself`
      ],
      [
        "a call whose parameters are not an object",
        assistantParts(call("1", [1])),
        `prompt.content[0].content[0]: MCP sampling cannot carry the call of "weather": its parameters are not an object`
      ],
      [
        "a request for approval",
        assistantParts(Prompt.toolApprovalRequestPart({ approvalId: "1", toolCallId: "2" })),
        `prompt.content[0].content[0]: MCP sampling cannot carry a "tool-approval-request" part of an assistant message`
      ],
      [
        "an approval",
        Prompt.fromMessages([toolParts(Prompt.toolApprovalResponsePart({ approvalId: "1", approved: true }))]),
        `prompt.content[0].content[0]: MCP sampling cannot carry a "tool-approval-response" part`
      ],
      [
        "a result with a BigInt",
        Prompt.fromMessages([toolParts(result("1", { n: 1n }))]),
        `prompt.content[0].content[0]: MCP sampling cannot carry the result of "weather": it is not JSON`
      ],
      [
        "a circular result",
        Prompt.fromMessages([toolParts(result("1", circular))]),
        `prompt.content[0].content[0]: MCP sampling cannot carry the result of "weather": it is not JSON`
      ]
    ])("an effect/ai prompt with %s is refused with an error that names the place", (_, prompt, message) => {
      assert.strictEqual(problem(prompt), `The sampling request is invalid and was not sent: ${message}`)
    })

    it("long tool names and media types are truncated in the error text", () => {
      const long = "x".repeat(1_000_000)
      const providerCall = Prompt.toolCallPart({ id: "1", name: long, params: {}, providerExecuted: true })
      for (const prompt of [userParts(file(long, "AAAA")), assistantParts(providerCall)]) {
        assert.isBelow(problem(prompt).length, 300)
      }
    })
  })
})
