import * as Prompt from "effect/ai/Prompt"
import * as Content from "../../Content.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import { toOptions } from "./promptOptions.ts"

/** The whole conversation of a request: its system prompt first. */
export const toPrompt = ({ messages, systemPrompt }: SamplingRequest): Prompt.Prompt =>
  Prompt.fromMessages([
    ...(systemPrompt === undefined ? [] : [Prompt.systemMessage({ content: systemPrompt })]),
    ...toPromptMessages(messages)
  ])

/**
 * Messages as an `effect/ai` prompt. A tool result is named by the call that it answers; one without a call in the
 * messages is named by its id.
 */
export const toPromptMessages = (messages: ReadonlyArray<SamplingMessage>): ReadonlyArray<Prompt.Message> => {
  const names = new Map<string, string>()
  return messages.map((message): Prompt.Message => {
    const blocks = Content.blocks(message.content)
    const options = toOptions({ _meta: message._meta })
    if (message.role === "assistant") {
      const content = blocks.flatMap((block): ReadonlyArray<Prompt.AssistantMessagePart> => {
        if (block.type !== "tool_use") return block.type === "tool_result" ? [] : [toPart(block)]
        names.set(block.id, block.name)
        return [toCallPart(block)]
      })
      return Prompt.assistantMessage({ content, ...options })
    }
    const results = blocks.filter((block) => block.type === "tool_result")
    return results.length === 0
      ? Prompt.userMessage({
        content: blocks.flatMap((block) =>
          block.type === "tool_use" || block.type === "tool_result" ? [] : [toPart(block)]
        ),
        ...options
      })
      : Prompt.toolMessage({ content: results.map((result) => toResultPart(result, names)), ...options })
  })
}

const toPart = (block: Content.TextContent | Content.ImageContent | Content.AudioContent) => {
  const options = toOptions({ annotations: block.annotations, _meta: block._meta })
  return block.type === "text"
    ? Prompt.textPart({ text: block.text, ...options })
    : Prompt.filePart({ mediaType: block.mimeType, data: block.data, ...options })
}

const toCallPart = ({ _meta, id, input, name }: Content.ToolUseContent): Prompt.ToolCallPart =>
  Prompt.toolCallPart({ id, name, params: input, providerExecuted: false, ...toOptions({ _meta }) })

/** Where the result alone does not say what the model gets, `modelOutput` does. */
const toResultPart = (result: Content.ToolResultContent, names: ReadonlyMap<string, string>): Prompt.ToolResultPart => {
  const text = Content.text(result.content.filter((block) => block.type === "text"))
  const saysAll =
    result.content.every((block) =>
      block.type === "text" && block.annotations === undefined && block._meta === undefined
    ) && result.content.length <= 1 &&
    (result.structuredContent === undefined || text === JSON.stringify(result.structuredContent))
  return Prompt.toolResultPart({
    id: result.toolUseId,
    name: names.get(result.toolUseId) ?? result.toolUseId,
    isFailure: result.isError ?? false,
    providerExecuted: false,
    result: result.structuredContent ?? text,
    ...(!saysAll && { modelOutput: result.content.map(toOutputPart) }),
    ...toOptions({ structured: result.structuredContent === undefined ? undefined : true, _meta: result._meta })
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
      return Prompt.textPart({ text: JSON.stringify(block), ...toOptions({ resource: true }) })
  }
}
