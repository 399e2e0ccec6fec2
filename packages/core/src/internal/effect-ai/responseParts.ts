import type * as Response from "effect/ai/Response"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type { Content, TextContent, ToolUseContent } from "../../Content.ts"
import { blocks } from "../../Content.ts"
import type { SamplingResponse, Usage } from "../../SamplingResponse.ts"
import { addVendorFields } from "../ownMeta.ts"
import { quote } from "../quote.ts"
import { toFinishReason } from "../stopReasons.ts"
import { invalidArguments, toToolUse } from "../toolArguments.ts"
import { toOptions } from "./promptOptions.ts"

/** Converts an answer to response parts. If `json` is given, it replaces all text of the answer. */
export const toParts = (response: SamplingResponse, json?: string): Array<Response.PartEncoded> => [
  toMetadataPart(response),
  ...(json === undefined ? [] : [{ type: "text" as const, text: json }]),
  ...blocks(response.content).flatMap((block): Array<Response.PartEncoded> =>
    block.type !== "text" ? toPart(block) : json === undefined ? [{ type: "text", text: block.text }] : []
  ),
  toFinishPart(response)
]

/** Converts an answer to the parts of a stream, with each text as one chunk. */
export const toStreamParts = (response: SamplingResponse): Array<Response.StreamPartEncoded> => [
  toMetadataPart(response),
  ...blocks(response.content).flatMap((block, index): Array<Response.StreamPartEncoded> =>
    block.type === "text"
      ? [
        { type: "text-start", id: String(index) },
        { type: "text-delta", id: String(index), delta: block.text },
        { type: "text-end", id: String(index) }
      ]
      : toPart(block)
  ),
  toFinishPart(response)
]

const toPart = (
  block: Exclude<Content, TextContent>
): Array<Response.FilePartEncoded | Response.ToolCallPartEncoded> => {
  switch (block.type) {
    case "image":
    case "audio":
      return [{ type: "file", mediaType: block.mimeType, data: block.data }]
    case "tool_use":
      return [{
        type: "tool-call",
        id: block.id,
        name: block.name,
        // `effect/ai` finds that arguments which are not an object do not fit.
        params: invalidArguments(block) ?? block.input,
        providerExecuted: false,
        ...(block._meta !== undefined && { metadata: toOptions({ _meta: block._meta }).options })
      }]
    // This does not happen: a sampler rejects an answer that holds a tool_result.
    case "tool_result":
      return []
  }
}

const toMetadataPart = (response: SamplingResponse): Response.ResponseMetadataPartEncoded => ({
  type: "response-metadata",
  modelId: response.model
})

const toFinishPart = (response: SamplingResponse): Response.FinishPartEncoded => ({
  type: "finish",
  reason: finishReasonOf(response),
  usage: {
    inputTokens: response.usage?.inputTokens === undefined ? {} : { total: response.usage.inputTokens },
    outputTokens: response.usage?.outputTokens === undefined ? {} : { total: response.usage.outputTokens }
  },
  metadata: {
    sampling: {
      source: { kind: response.source.kind, name: response.source.name },
      passedOver: response.passedOver.map((error) => error._tag),
      ...(response.stopReason !== undefined && { stopReason: response.stopReason })
    }
  }
})

/**
 * Converts a stop reason. `effect/ai` runs the tool calls of an answer only if its reason is `tool-calls`, so an answer
 * with calls gets that reason unless it was cut off or filtered.
 */
const finishReasonOf = ({ content, stopReason }: SamplingResponse): Response.FinishReason => {
  const reason = stopReason === undefined ? "unknown" : toFinishReason(stopReason)
  return reason !== "length" && reason !== "content-filter" &&
      blocks(content).some((block) => block.type === "tool_use")
    ? "tool-calls"
    : reason
}

/** The answer of a language model, converted to MCP content. */
export interface FromParts {
  readonly content: ReadonlyArray<Content>
  readonly model: string | undefined
  readonly stopReason: string | undefined
  readonly usage: Usage | undefined
}

type AnswerPart =
  | Response.Part<{}>
  | Response.ToolCallPart<string, unknown>
  | Response.ToolResultPart<string, unknown, unknown>

/**
 * Converts the answer of a language model, or fails with the part that MCP cannot carry. The metadata of a call, and the
 * reasoning before it, go with the call as fields of the provider: some models want them back within a tool loop.
 */
export const fromParts = (provider: string, parts: ReadonlyArray<AnswerPart>): Result.Result<FromParts, string> =>
  Result.gen(function*() {
    const content: Array<Content> = []
    let reasoning: Array<ReasoningFields> = []
    let model: string | undefined
    let finish: Response.FinishPart | undefined
    for (const part of parts) {
      switch (part.type) {
        case "text":
          content.push({ type: "text", text: part.text })
          break
        case "file":
          content.push(yield* fromFile(part))
          break
        case "tool-call":
          if (part.providerExecuted) break
          content.push(withFields(
            provider,
            toToolUse({ id: part.id, name: part.name, arguments: part.params }, part.id),
            { reasoning, metadata: part.metadata }
          ))
          reasoning = []
          break
        case "reasoning":
          reasoning.push({ text: part.text, metadata: part.metadata })
          break
        case "response-metadata":
          model = part.modelId ?? model
          break
        case "finish":
          finish = part
          break
        // Citations and the results of the provider's own tools are not part of an MCP answer.
        default:
          break
      }
    }
    const hasCalls = content.some((block) => block.type === "tool_use")
    return { content, model, stopReason: toStopReason(finish, hasCalls), usage: toUsage(finish) }
  })

interface ReasoningFields {
  readonly text: string
  readonly metadata: Response.ProviderMetadata
}

/** What a language model may want back together with a call. */
export interface CallFields {
  readonly reasoning: ReadonlyArray<ReasoningFields>
  readonly metadata: Response.ProviderMetadata
}

const withFields = (provider: string, call: ToolUseContent, fields: CallFields): ToolUseContent =>
  fields.reasoning.length === 0 && Object.keys(fields.metadata).length === 0
    ? call
    : addVendorFields(call, provider, { ...fields })

const fromFile = ({ data, mediaType }: Response.FilePart): Result.Result<Content, string> =>
  mediaType.startsWith("image/")
    ? Result.succeed({ type: "image", data: Base64.encode(data), mimeType: mediaType })
    : mediaType.startsWith("audio/")
    ? Result.succeed({ type: "audio", data: Base64.encode(data), mimeType: mediaType })
    : Result.fail(`it holds a file of type ${quote(mediaType)}, and MCP sampling carries only images and audio`)

const toStopReason = (finish: Response.FinishPart | undefined, hasCalls: boolean): string | undefined => {
  if (finish === undefined) return hasCalls ? "toolUse" : undefined
  const own = finish.metadata.sampling?.stopReason
  if (own !== undefined) return own
  switch (finish.reason) {
    case "stop":
      return hasCalls ? "toolUse" : "endTurn"
    case "tool-calls":
      return hasCalls ? "toolUse" : "endTurn"
    case "length":
      return "maxTokens"
    case "content-filter":
      return "contentFilter"
    case "error":
    case "pause":
    case "other":
      return finish.reason
    case "unknown":
      return hasCalls ? "toolUse" : undefined
  }
}

const toUsage = (finish: Response.FinishPart | undefined): Usage | undefined => {
  const inputTokens = toCount(finish?.usage.inputTokens.total)
  const outputTokens = toCount(finish?.usage.outputTokens.total)
  if (inputTokens === undefined && outputTokens === undefined) return undefined
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens })
  }
}

const toCount = (tokens: number | undefined): number | undefined =>
  tokens !== undefined && tokens >= 0 ? tokens : undefined
