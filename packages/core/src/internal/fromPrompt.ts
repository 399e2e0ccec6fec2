import type * as Prompt from "effect/ai/Prompt"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type { AudioContent, Content, ImageContent, TextContent } from "../Content.ts"
import type { SamplingMessage } from "../SamplingMessage.ts"
import type { Resolved } from "../SamplingPrompt.ts"

/** An `effect/ai` prompt in MCP's terms, or the first thing in it that MCP sampling cannot carry. */
export const fromPrompt = (prompt: Prompt.Prompt): Result.Result<Resolved, string> =>
  Result.gen(function*() {
    const system: Array<string> = []
    const messages: Array<SamplingMessage> = []
    for (const [index, message] of prompt.content.entries()) {
      const place = `prompt.content[${index}]`
      switch (message.role) {
        case "system": {
          if (messages.length > 0) {
            return yield* Result.fail(
              `${place}: MCP sampling has one system prompt, before all messages; move this system message to the start`
            )
          }
          system.push(message.content)
          break
        }
        case "user": {
          const content: Array<Content> = []
          for (const part of message.content) content.push(yield* textOrFile(part, place))
          messages.push({ role: "user", content: one(content) })
          break
        }
        case "assistant": {
          const content: Array<Content> = []
          for (const part of message.content) content.push(yield* assistantPart(part, place))
          messages.push({ role: "assistant", content: one(content) })
          break
        }
        case "tool": {
          const content: Array<Content> = []
          for (const part of message.content) content.push(yield* toolPart(part, place))
          messages.push({ role: "user", content })
        }
      }
    }
    return { systemPrompt: system.length > 0 ? system.join("\n\n") : undefined, messages }
  })

const one = (content: ReadonlyArray<Content>): Content | ReadonlyArray<Content> =>
  content.length === 1 ? content[0]! : content

const cannot = (place: string, what: string): Result.Result<never, string> =>
  Result.fail(`${place}: MCP sampling cannot carry ${what}`)

type Block = TextContent | ImageContent | AudioContent

const textOrFile = (part: Prompt.TextPart | Prompt.FilePart, place: string): Result.Result<Block, string> => {
  if (part.type === "text") return Result.succeed({ type: "text", text: part.text })
  const type = part.mediaType.startsWith("image/") ? "image" : part.mediaType.startsWith("audio/") ? "audio" : undefined
  if (type === undefined) return cannot(place, `a file of type "${part.mediaType}", only images and audio`)
  if (part.mediaType.endsWith("/*")) return cannot(place, `a file of the open type "${part.mediaType}"`)
  if (typeof part.data === "string") return Result.succeed({ type, data: part.data, mimeType: part.mediaType })
  return part.data instanceof Uint8Array
    ? Result.succeed({ type, data: Base64.encode(part.data), mimeType: part.mediaType })
    : cannot(place, "a file by URL; load it and pass its bytes")
}

const assistantPart = (part: Prompt.AssistantMessagePart, place: string): Result.Result<Content, string> => {
  switch (part.type) {
    case "text":
    case "file":
      return textOrFile(part, place)
    case "tool-call":
      return part.providerExecuted
        ? cannot(place, `the call of "${part.name}" that the provider executed itself`)
        : isRecord(part.params)
        ? Result.succeed({ type: "tool_use", id: part.id, name: part.name, input: part.params })
        : cannot(place, `the call of "${part.name}": its parameters are not an object`)
    case "reasoning":
    case "tool-result":
    case "tool-approval-request":
      return cannot(place, `a "${part.type}" part of an assistant message`)
  }
}

const toolPart = (part: Prompt.ToolMessagePart, place: string): Result.Result<Content, string> =>
  Result.gen(function*() {
    if (part.type !== "tool-result") return yield* cannot(place, `a "${part.type}" part`)
    const content: Array<Block> = []
    if (part.modelOutput === undefined) content.push({ type: "text", text: resultText(part.result) })
    else for (const output of part.modelOutput) content.push(yield* textOrFile(output, place))
    return { type: "tool_result", toolUseId: part.id, content, ...(part.isFailure && { isError: true }) }
  })

const resultText = (result: unknown): string => typeof result === "string" ? result : JSON.stringify(result) ?? ""

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)
