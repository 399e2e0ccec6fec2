import type * as Prompt from "effect/ai/Prompt"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type {
  AudioContent,
  Content,
  ImageContent,
  TextContent,
  ToolResultContent,
  ToolUseContent
} from "../../Content.ts"
import { EmbeddedResource, ResourceLink } from "../../Content.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import { isRecord } from "../objects/jsonSchema.ts"
import { quote } from "../quote.ts"
import { toToolUse } from "../toolArguments.ts"
import { commonOf, fromOptions, metaOf } from "./promptOptions.ts"

interface InMcpTerms {
  readonly systemPrompt: string | undefined
  readonly messages: ReadonlyArray<SamplingMessage>
}

/** Converts an `effect/ai` prompt to MCP messages, or fails with the first part that MCP sampling cannot carry. */
export const fromPrompt = (prompt: Prompt.Prompt): Result.Result<InMcpTerms, string> =>
  Result.gen(function*() {
    const system: Array<string> = []
    const messages: Array<SamplingMessage> = []
    // Collects the results of consecutive tool messages, because MCP requires all results of a turn in one message.
    let results: Array<Content> | undefined
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
          const content = one(yield* convert(message.content, place, textOrFile))
          messages.push({ role: "user", content, ...metaOf(message.options) })
          break
        }
        case "assistant": {
          const content = one(yield* convert(message.content, place, assistantPart))
          messages.push({ role: "assistant", content, ...metaOf(message.options) })
          break
        }
        case "tool": {
          const content = yield* convert(message.content, place, toolPart)
          if (results !== undefined) results.push(...content)
          else messages.push({ role: "user", content: results = content, ...metaOf(message.options) })
          continue
        }
      }
      results = undefined
    }
    return { systemPrompt: system.length > 0 ? system.join("\n\n") : undefined, messages }
  })

const one = (content: ReadonlyArray<Content>): Content | ReadonlyArray<Content> =>
  content.length === 1 ? content[0]! : content

/** Converts parts, or fails with the position of the first part that MCP sampling cannot carry. */
const convert = <Part>(
  parts: ReadonlyArray<Part>,
  place: string,
  toContent: (part: Part) => Result.Result<Content, string>
): Result.Result<Array<Content>, string> =>
  Result.gen(function*() {
    const content: Array<Content> = []
    for (const [index, part] of parts.entries()) {
      content.push(
        yield* Result.mapError(
          toContent(part),
          (what) => `${place}.content[${index}]: MCP sampling cannot carry ${what}`
        )
      )
    }
    return content
  })

type Block = TextContent | ImageContent | AudioContent

const textOrFile = (part: Prompt.TextPart | Prompt.FilePart): Result.Result<Block, string> => {
  const common = commonOf(part.options)
  if (part.type === "text") return Result.succeed({ type: "text", text: part.text, ...common })
  const { data, mediaType } = part
  const type = mediaType.startsWith("image/") ? "image" : mediaType.startsWith("audio/") ? "audio" : undefined
  if (type === undefined) return Result.fail(`a file of type ${quote(mediaType)}, only images and audio`)
  if (mediaType.endsWith("/*")) return Result.fail(`a file of the open type ${quote(mediaType)}`)
  if (typeof data === "string") return Result.succeed({ type, data, mimeType: mediaType, ...common })
  return data instanceof Uint8Array
    ? Result.succeed({ type, data: Base64.encode(data), mimeType: mediaType, ...common })
    : Result.fail("a file by URL; load it and pass its bytes")
}

const assistantPart = (part: Prompt.AssistantMessagePart): Result.Result<Content, string> => {
  switch (part.type) {
    case "text":
    case "file":
      return textOrFile(part)
    case "tool-call":
      return part.providerExecuted
        ? Result.fail(`the call of ${quote(part.name)} that the provider executed itself`)
        // A text is what `SamplerLanguageModel` makes of arguments that are not an object.
        : isRecord(part.params) || typeof part.params === "string"
        ? Result.succeed(withMeta(
          toToolUse({ id: part.id, name: part.name, arguments: part.params }, part.id),
          metaOf(part.options)._meta
        ))
        : Result.fail(`the call of ${quote(part.name)}: its parameters are not an object`)
    case "reasoning":
    case "tool-result":
    case "tool-approval-request":
      return Result.fail(`a "${part.type}" part of an assistant message`)
  }
}

const withMeta = (call: ToolUseContent, meta: ToolUseContent["_meta"]): ToolUseContent =>
  meta === undefined ? call : { ...call, _meta: { ...meta, ...call._meta } }

const toolPart = (part: Prompt.ToolMessagePart): Result.Result<Content, string> =>
  Result.gen(function*() {
    if (part.type !== "tool-result") return yield* Result.fail(`a "${part.type}" part`)
    const content: Array<ToolResultContent["content"][number]> = []
    if (part.modelOutput === undefined) content.push({ type: "text", text: yield* resultText(part) })
    else for (const output of part.modelOutput) content.push(toResource(output) ?? (yield* textOrFile(output)))
    const isStructured = fromOptions(part.options)["structured"] === true
    return {
      type: "tool_result",
      toolUseId: part.id,
      content,
      ...(isStructured && isRecord(part.result) && { structuredContent: part.result }),
      ...(part.isFailure && { isError: true }),
      ...metaOf(part.options)
    }
  })

const isResource = Schema.is(Schema.Union([ResourceLink, EmbeddedResource]))

/** Restores a resource that was written as JSON text because prompts cannot hold resources. */
const toResource = (part: Prompt.ToolModelOutputPart): ResourceLink | EmbeddedResource | undefined => {
  if (part.type !== "text" || fromOptions(part.options)["resource"] !== true) return undefined
  const parsed = Result.try((): unknown => JSON.parse(part.text))
  return Result.isSuccess(parsed) && isResource(parsed.success) ? parsed.success : undefined
}

const resultText = ({ name, result }: Prompt.ToolResultPart): Result.Result<string, string> =>
  typeof result === "string" || result === undefined
    ? Result.succeed(result ?? "")
    : Result.try({
      try: () => JSON.stringify(result),
      catch: () => `the result of ${quote(name)}: it is not JSON`
    })
