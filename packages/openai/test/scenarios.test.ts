import type { Content, ProviderSampler, SamplingMessage, SamplingRequest } from "@effect-sampling/core"
import { OpenAiServer } from "@effect-sampling/openai-server"
import type { Scenario } from "@effect-sampling/scenarios/Scenario"
import { suite } from "@effect-sampling/scenarios/suite"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { key, setup } from "./support.ts"

type Request = SamplingRequest.SamplingRequest

/** Converts a request to OpenAI's API to the sampling request that the scenarios check. */
const fromChat = (chat: OpenAiServer.ChatRequest): Request => {
  const system = chat.messages.flatMap((message) => message.role === "system" ? [textOf(message.content)] : [])
  const format = chat.response_format?.type === "json_schema" ? chat.response_format.json_schema : undefined
  return {
    messages: chat.messages.reduce(addMessage, []),
    maxTokens: chat.max_completion_tokens ?? chat.max_tokens ?? 0,
    ...(system.length > 0 && { systemPrompt: system.join("\n\n") }),
    ...(chat.tools !== undefined && {
      tools: chat.tools.map(({ function: { description, name, parameters } }) => ({
        name,
        inputSchema: parameters ?? {},
        ...(description !== undefined && { description })
      }))
    }),
    ...(chat.tool_choice !== undefined && { toolChoice: { mode: chat.tool_choice } }),
    ...(format !== undefined && { responseFormat: { name: format.name, schema: format.schema ?? {} } })
  }
}

/** Each tool result is a message of its own in OpenAI's API. MCP has one message for all of them. */
const addMessage = (
  messages: Array<SamplingMessage.SamplingMessage>,
  message: OpenAiServer.ChatMessage
): Array<SamplingMessage.SamplingMessage> => {
  switch (message.role) {
    case "system":
    case "developer":
      return messages
    case "user":
      return [...messages, {
        role: "user",
        content: typeof message.content === "string" ? [text(message.content)] : message.content.map(fromPart)
      }]
    case "assistant":
      return [...messages, {
        role: "assistant",
        content: [
          ...(message.content === undefined || message.content === null ? [] : [text(textOf(message.content))]),
          ...(message.tool_calls ?? []).map((call) => ({
            type: "tool_use" as const,
            id: call.id,
            name: call.function.name,
            input: JSON.parse(call.function.arguments)
          }))
        ]
      }]
    case "tool": {
      const last = messages.at(-1)?.content
      const before = last !== undefined && !("type" in last) && last[0]?.type === "tool_result" ? last : []
      const failed = textOf(message.content).startsWith("The tool failed:\n")
      const result: Content.ToolResultContent = {
        type: "tool_result",
        toolUseId: message.tool_call_id,
        content: [text(textOf(message.content).replace(/^The tool failed:\n/, ""))],
        ...(failed && { isError: true })
      }
      return [...before.length > 0 ? messages.slice(0, -1) : messages, { role: "user", content: [...before, result] }]
    }
  }
}

const text = (value: string): Content.TextContent => ({ type: "text", text: value })

const textOf = (content: string | ReadonlyArray<{ readonly text: string }>): string =>
  typeof content === "string" ? content : content.map((part) => part.text).join("")

const fromPart = (part: { readonly type: string }): Content.Content => {
  if ("text" in part) return text(String(part.text))
  const url = "image_url" in part ? String(Object(part.image_url).url) : ""
  return { type: "image", mimeType: url.slice(5, url.indexOf(";")), data: url.slice(url.indexOf(",") + 1) }
}

const finishReasons: Record<string, string> = { endTurn: "stop", toolUse: "tool_calls", maxTokens: "length" }

const toCompletion = (reply: ProviderSampler.Reply): OpenAiServer.Reply => {
  if (typeof reply === "string") return reply
  const content = typeof reply.content === "string" ? text(reply.content) : reply.content
  const blocks = "type" in content ? [content] : content
  const said = blocks.flatMap((block) => block.type === "text" ? [block.text] : [])
  return {
    content: said.length > 0 ? said.join("") : null,
    toolCalls: blocks.flatMap((block) =>
      block.type === "tool_use" ? [{ id: block.id, name: block.name, arguments: block.input }] : []
    ),
    finishReason: finishReasons[reply.stopReason ?? ""] ?? ""
  }
}

const run = (scenario: Scenario) =>
  Effect.gen(function*() {
    const server = yield* OpenAiServer.OpenAiServer
    const report = yield* scenario.run
    const received = yield* server.requests
    return {
      report,
      requests: received.map(({ accepted, body }) => {
        assert.isDefined(accepted, `refused: ${body}`)
        return fromChat(accepted)
      })
    }
  }).pipe(
    Effect.provide(
      setup({ apiKey: key, reply: (chat, index) => toCompletion(scenario.model(fromChat(chat), index)) }),
      { local: true }
    )
  )

describe("OpenAI's API", () => suite(it, { takesTools: true, run }))
