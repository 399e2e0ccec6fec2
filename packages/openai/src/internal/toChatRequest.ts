import type { SamplingUnsupported } from "@effect-sampling/core/SamplingError"
import { InvalidRequest } from "@effect-sampling/core/SamplingError"
import type { SamplingRequest, ToolDefinition } from "@effect-sampling/core/SamplingRequest"
import { identity } from "effect/Function"
import * as Result from "effect/Result"
import type OpenAI from "openai"
import type { ChatRequest } from "./ChatRequest.ts"
import { toJson, toJsonObject } from "./json.ts"
import { toResponseFormat } from "./responseFormat.ts"
import { toChatMessages } from "./toChatMessages.ts"
import type { ToolNames } from "./toolNames.ts"
import type { Vendor } from "./vendorFields.ts"

interface ChatRequestOptions extends Vendor {
  readonly model: string
  readonly store: boolean | undefined
}

export const toChatRequest = (
  options: ChatRequestOptions,
  request: SamplingRequest,
  names: ToolNames
): Result.Result<ChatRequest, SamplingUnsupported | InvalidRequest> =>
  Result.flatMap(
    Result.try({
      try: () => convert(options, request, names),
      catch: () => invalid("it contains a value that JSON cannot represent, such as a cycle or a BigInt")
    }),
    identity
  )

const convert = (
  options: ChatRequestOptions,
  request: SamplingRequest,
  names: ToolNames
): Result.Result<ChatRequest, SamplingUnsupported | InvalidRequest> =>
  Result.gen(function*() {
    const { provider } = options
    const stop = request.stopSequences ?? []
    if (stop.length > 4) {
      return yield* Result.fail(
        invalid(`stopSequences has ${stop.length} entries, and the provider "${provider}" accepts at most 4`)
      )
    }
    const hasTools = request.tools !== undefined && request.tools.length > 0
    if (request.toolChoice?.mode === "required" && !hasTools) {
      return yield* Result.fail(invalid(`toolChoice is "required", but there are no tools to choose from`))
    }
    const metadata = options.store === true ? yield* toMetadata(provider, request.metadata ?? {}) : undefined
    return {
      model: options.model,
      messages: yield* toChatMessages(options, request, names),
      ...(request.temperature !== undefined && { temperature: request.temperature }),
      ...(stop.length > 0 && { stop: stop.map((text) => text.toWellFormed()) }),
      ...(hasTools && {
        tools: request.tools.map((tool) => toTool(tool, names)),
        ...(request.toolChoice !== undefined && { tool_choice: request.toolChoice.mode ?? "auto" })
      }),
      ...(request.responseFormat !== undefined && { response_format: toResponseFormat(request.responseFormat) }),
      ...(options.store !== undefined && { store: options.store }),
      ...(metadata !== undefined && { metadata })
    }
  })

const toTool = (tool: ToolDefinition, names: ToolNames): OpenAI.Chat.ChatCompletionFunctionTool => {
  const description = tool.description ?? tool.title
  return {
    type: "function",
    function: {
      name: names.toWire(tool.name),
      ...(description !== undefined && { description: description.toWellFormed() }),
      parameters: { type: "object", ...toJsonObject(tool.inputSchema) }
    }
  }
}

/** Converts metadata. OpenAI accepts 16 pairs of strings, with keys up to 64 characters and values up to 512. */
const toMetadata = (
  provider: string,
  metadata: Readonly<Record<string, unknown>>
): Result.Result<Record<string, string> | undefined, InvalidRequest> => {
  const pairs = Object.entries(metadata).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, typeof value === "string" ? value.toWellFormed() : toJson(value)] as const]
  )
  const problem = pairs.length > 16
    ? `metadata has ${pairs.length} pairs, and the provider "${provider}" accepts at most 16`
    : pairs.some(([key, value]) => key.length > 64 || value.length > 512)
    ? `metadata has a key over 64 or a value over 512 characters, which the provider "${provider}" does not accept`
    : undefined
  if (problem !== undefined) return Result.fail(invalid(problem))
  return Result.succeed(pairs.length === 0 ? undefined : Object.fromEntries(pairs))
}

const invalid = (problem: string): InvalidRequest =>
  new InvalidRequest({ message: `The sampling request is invalid and was not sent: ${problem}` })
