import type { AudioContent, Content, ImageContent, ToolUseContent } from "@effect-sampling/core/Content"
import { blocks } from "@effect-sampling/core/Content"
import type { SamplingUnsupported } from "@effect-sampling/core/SamplingError"
import type { SamplingMessage } from "@effect-sampling/core/SamplingMessage"
import type { SamplingRequest } from "@effect-sampling/core/SamplingRequest"
import * as Result from "effect/Result"
import type OpenAI from "openai"
import { toJson } from "./json.ts"
import { mediaHeading } from "./resultMedia.ts"
import { makeToolIds } from "./toolIds.ts"
import type { ToolIds } from "./toolIds.ts"
import type { ToolNames } from "./toolNames.ts"
import { resultText } from "./toolResult.ts"
import { unsupportedContent } from "./unsupported.ts"
import { fieldsOf } from "./vendorFields.ts"
import type { Vendor } from "./vendorFields.ts"

type Message = OpenAI.Chat.ChatCompletionMessageParam
type Part = OpenAI.Chat.ChatCompletionContentPart

/** The context of a request that the conversion of each message needs. */
interface MessageContext extends Vendor {
  readonly names: ToolNames
  readonly ids: ToolIds
}

export const toChatMessages = (
  { endpoint, provider }: Vendor,
  request: SamplingRequest,
  names: ToolNames
): Result.Result<Array<Message>, SamplingUnsupported> =>
  Result.gen(function*() {
    const context = { provider, endpoint, names, ids: makeToolIds(request.messages) }
    const messages: Array<Message> = request.systemPrompt === undefined || request.systemPrompt === ""
      ? []
      : [{ role: "system", content: request.systemPrompt }]
    for (const [index, message] of request.messages.entries()) {
      const place = `messages[${index}]`
      if (message.role === "assistant") messages.push(yield* fromAssistant(context, message, place))
      else messages.push(...yield* fromUser(context, message, place))
    }
    return withBridges(messages)
  })

/**
 * Puts an assistant message between a tool message and a user message. Strict servers, among them Mistral and many chat
 * templates, want the assistant to speak after its tools.
 */
const withBridges = (messages: ReadonlyArray<Message>): Array<Message> =>
  messages.flatMap((message, index) =>
    message.role === "user" && messages[index - 1]?.role === "tool" ? [bridge, message] : [message]
  )

const bridge: Message = { role: "assistant", content: "I have received the results of the tools." }

const fromAssistant = (
  context: MessageContext,
  message: SamplingMessage,
  place: string
): Result.Result<Message, SamplingUnsupported> => {
  let text = ""
  const fields: Record<string, unknown> = {}
  const calls: Array<OpenAI.Chat.ChatCompletionMessageFunctionToolCall> = []
  for (const block of blocks(message.content)) {
    switch (block.type) {
      case "text":
        text += block.text
        break
      case "tool_use":
        calls.push(fromToolUse(context, block))
        Object.assign(fields, fieldsOf(context, block).message)
        break
      case "image":
      case "audio":
      case "tool_result":
        return unsupported(
          context,
          `${place} is an assistant message with ${block.type} content, which the API accepts only in user messages`
        )
    }
  }
  return Result.succeed(
    calls.length === 0
      ? { role: "assistant", content: text }
      : { ...fields, role: "assistant", content: text === "" ? null : text, tool_calls: calls }
  )
}

const fromToolUse = (
  context: MessageContext,
  block: ToolUseContent
): OpenAI.Chat.ChatCompletionMessageFunctionToolCall => ({
  ...fieldsOf(context, block).call,
  id: context.ids(block.id),
  type: "function",
  function: { name: context.names.toWire(block.name), arguments: toJson(block.input) }
})

const fromUser = (
  context: MessageContext,
  message: SamplingMessage,
  place: string
): Result.Result<Array<Message>, SamplingUnsupported> =>
  Result.gen(function*() {
    const answers: Array<Message> = []
    const parts: Array<Part> = []
    for (const block of blocks(message.content)) {
      if (block.type === "tool_result") {
        const id = context.ids(block.toolUseId)
        const attachments: Array<Part> = []
        const attach = (media: ImageContent | AudioContent) =>
          Result.map(toPart(context, media, place), (part) => {
            attachments.push(part)
            return `[${media.type} ${attachments.length} of this result is in the user message that follows]`
          })
        answers.push({
          role: "tool",
          tool_call_id: id,
          content: yield* resultText(context.provider, block, place, attach)
        })
        // A tool message accepts only text, so its images and audio follow in a user message.
        if (attachments.length > 0) {
          parts.push({ type: "text", text: mediaHeading(id) }, ...attachments)
        }
      } else parts.push(yield* toPart(context, block, place))
    }
    if (parts.length > 0 || answers.length === 0) {
      answers.push({ role: "user", content: onlyText(parts) ?? parts })
    }
    return answers
  })

/** Returns the text of a message that has no other part. Every compatible server accepts a plain string. */
const onlyText = (parts: ReadonlyArray<Part>): string | undefined => {
  const [first] = parts
  return first === undefined ? "" : parts.length === 1 && first.type === "text" ? first.text : undefined
}

const toPart = (
  context: MessageContext,
  block: Content,
  place: string
): Result.Result<Part, SamplingUnsupported> => {
  switch (block.type) {
    case "text":
      return Result.succeed({ type: "text", text: block.text })
    case "image": {
      const type = imageTypes.get(essence(block.mimeType))
      return type === undefined
        ? unsupported(
          context,
          `${place} contains an image that is not image/png, image/jpeg, image/gif or image/webp`
        )
        : Result.succeed({ type: "image_url", image_url: { url: `data:${type};base64,${block.data}` } })
    }
    case "audio": {
      const format = audioFormats.get(essence(block.mimeType))
      return format === undefined
        ? unsupported(context, `${place} contains audio that is not audio/wav or audio/mp3`)
        : Result.succeed({ type: "input_audio", input_audio: { data: block.data, format } })
    }
    case "tool_use":
    case "tool_result":
      return unsupported(
        context,
        `${place} is a user message with ${block.type} content, which the API does not accept there`
      )
  }
}

const unsupported = (context: MessageContext, problem: string): Result.Result<never, SamplingUnsupported> =>
  Result.fail(unsupportedContent(context.provider, problem))

const imageTypes: ReadonlyMap<string, string> = new Map([
  ["image/png", "image/png"],
  ["image/jpeg", "image/jpeg"],
  ["image/jpg", "image/jpeg"],
  ["image/gif", "image/gif"],
  ["image/webp", "image/webp"]
])

const audioFormats: ReadonlyMap<string, "wav" | "mp3"> = new Map([
  ["audio/wav", "wav"],
  ["audio/x-wav", "wav"],
  ["audio/wave", "wav"],
  ["audio/vnd.wave", "wav"],
  ["audio/mp3", "mp3"],
  ["audio/mpeg", "mp3"]
])

/** Normalises a MIME type: `Image/PNG; q=1` becomes `image/png`. */
const essence = (mimeType: string): string => mimeType.split(";", 1)[0]!.trim().toLowerCase()
