import * as Prompt from "effect/ai/Prompt"
import * as Content from "../../Content.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import { isRecord } from "../objects/jsonSchema.ts"
import { vendorFieldsOf, withoutOwnMeta } from "../ownMeta.ts"
import { toOptions } from "./promptOptions.ts"
import type { CallFields } from "./responseParts.ts"

/** Converts a request to a prompt for a provider: its system prompt, followed by its messages. */
export const toPrompt = (provider: string, { messages, systemPrompt }: SamplingRequest): Prompt.Prompt =>
  Prompt.fromMessages([
    ...(systemPrompt === undefined ? [] : [Prompt.systemMessage({ content: systemPrompt })]),
    ...toPromptMessages(messages, provider)
  ])

/**
 * Converts messages to those of an `effect/ai` prompt. A tool result takes its name from the call that it answers. If
 * the messages hold no such call, its id serves as the name. A call takes back the fields that `provider` added to it.
 */
export const toPromptMessages = (
  messages: ReadonlyArray<SamplingMessage>,
  provider?: string
): ReadonlyArray<Prompt.Message> => {
  const names = new Map<string, string>()
  return messages.map((message): Prompt.Message => {
    const blocks = Content.blocks(message.content)
    const options = toOptions({ _meta: message._meta })
    if (message.role === "assistant") {
      const content = blocks.flatMap((block): ReadonlyArray<Prompt.AssistantMessagePart> => {
        if (block.type !== "tool_use") return block.type === "tool_result" ? [] : [toPart(block)]
        names.set(block.id, block.name)
        return toCallParts(block, provider)
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

const toCallParts = (
  block: Content.ToolUseContent,
  provider: string | undefined
): ReadonlyArray<Prompt.AssistantMessagePart> => {
  const { _meta, id, input, name } = withoutOwnMeta(block)
  const fields = provider === undefined ? undefined : vendorFieldsOf(block, provider)
  const { metadata = {}, reasoning = [] } = fields !== undefined && isCallFields(fields) ? fields : {}
  const options = { ...metadata, ...toOptions({ _meta }).options }
  return [
    ...reasoning.map(({ metadata, text }) => Prompt.reasoningPart({ text, options: metadata })),
    Prompt.toolCallPart({
      id,
      name,
      params: input,
      providerExecuted: false,
      ...(Object.keys(options).length > 0 && { options })
    })
  ]
}

const isCallFields = (fields: Readonly<Record<string, unknown>>): fields is CallFields & typeof fields =>
  Array.isArray(fields["reasoning"]) && isRecord(fields["metadata"])

/** Adds `modelOutput` if the result alone does not determine the content that the model receives. */
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
