import * as Prompt from "effect/ai/Prompt"
import * as Content from "../Content.ts"
import type { SamplingMessage } from "../SamplingMessage.ts"

/**
 * Messages as an `effect/ai` prompt. A tool result is named by the call that it answers; one without a call in the
 * messages is named by its id.
 */
export const toPromptMessages = (messages: ReadonlyArray<SamplingMessage>): ReadonlyArray<Prompt.Message> => {
  const names = new Map<string, string>()
  return messages.flatMap((message): ReadonlyArray<Prompt.Message> => {
    const blocks = Content.blocks(message.content)
    if (message.role === "assistant") {
      const content = blocks.flatMap((block): ReadonlyArray<Prompt.AssistantMessagePart> => {
        if (block.type !== "tool_use") return block.type === "tool_result" ? [] : [toPart(block)]
        names.set(block.id, block.name)
        return [Prompt.toolCallPart({ id: block.id, name: block.name, params: block.input, providerExecuted: false })]
      })
      return [Prompt.assistantMessage({ content })]
    }
    const results = blocks.filter((block) => block.type === "tool_result")
    return results.length === 0
      ? [Prompt.userMessage({
        content: blocks.flatMap((block) =>
          block.type === "tool_use" || block.type === "tool_result" ? [] : [toPart(block)]
        )
      })]
      : [Prompt.toolMessage({ content: results.map((result) => toResultPart(result, names)) })]
  })
}

const toPart = (block: Content.TextContent | Content.ImageContent | Content.AudioContent) =>
  block.type === "text"
    ? Prompt.textPart({ text: block.text })
    : Prompt.filePart({ mediaType: block.mimeType, data: block.data })

const toResultPart = (result: Content.ToolResultContent, names: ReadonlyMap<string, string>): Prompt.ToolResultPart => {
  const onlyText = result.content.every((block) => block.type === "text")
  return Prompt.toolResultPart({
    id: result.toolUseId,
    name: names.get(result.toolUseId) ?? result.toolUseId,
    isFailure: result.isError ?? false,
    providerExecuted: false,
    result: result.structuredContent ?? Content.text(result.content.filter((block) => block.type === "text")),
    ...(!onlyText && { modelOutput: result.content.map(toOutputPart) })
  })
}

const toOutputPart = (block: Content.ToolResultContent["content"][number]): Prompt.ToolModelOutputPart => {
  switch (block.type) {
    case "text":
    case "image":
    case "audio":
      return toPart(block)
    case "resource_link":
    case "resource":
      return Prompt.textPart({ text: JSON.stringify(block) })
  }
}
