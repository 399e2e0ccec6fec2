import * as AiError from "effect/ai/AiError"
import type * as LanguageModel from "effect/ai/LanguageModel"
import * as Tool from "effect/ai/Tool"
import * as Result from "effect/Result"
import * as SamplingPrompt from "../../SamplingPrompt.ts"
import type { SamplingRequest, ToolDefinition } from "../../SamplingRequest.ts"
import { toDefinition } from "../loop/runCalls.ts"
import { toRequest } from "../loop/toSample.ts"
import type { SampleOptions } from "../sampleTypes.ts"
import { makeObjectFormat } from "./objectFormat.ts"
import type { ObjectFormat } from "./objectFormat.ts"
import { toReason } from "./toAiError.ts"

type ProviderOptions = LanguageModel.ProviderOptions

/** An MCP request, and the format of its answer if one was requested. */
export interface Asked {
  readonly request: SamplingRequest
  readonly format: ObjectFormat | undefined
}

/**
 * Converts the options of a language model's request to an MCP request, or fails with the first part that MCP sampling
 * cannot carry.
 */
export const fromProviderOptions = (
  options: ProviderOptions,
  sampleOptions: SampleOptions
): Result.Result<Asked, AiError.AiErrorReason> =>
  Result.gen(function*() {
    const prompt = yield* Result.mapError(SamplingPrompt.resolve(options.prompt), toReason)
    const request = { ...toRequest(prompt, sampleOptions), ...yield* toOffer(options) }
    if (options.responseFormat.type === "text") return { request, format: undefined }
    const format = yield* toObjectFormat(options.responseFormat)
    return { request: { ...request, responseFormat: format.responseFormat }, format }
  })

const toObjectFormat = (
  { objectName, schema }: Extract<ProviderOptions["responseFormat"], { readonly type: "json" }>
): Result.Result<ObjectFormat, AiError.AiErrorReason> =>
  Result.try({ try: () => makeObjectFormat(objectName, schema), catch: unsupportedSchema })

type Offer = Pick<SamplingRequest, "tools" | "toolChoice">

const toOffer = ({ toolChoice, tools }: ProviderOptions): Result.Result<Offer, AiError.AiErrorReason> =>
  Result.gen(function*() {
    const names = typeof toolChoice === "string"
      ? undefined
      : "tool" in toolChoice
      ? [toolChoice.tool]
      : toolChoice.oneOf
    const offered = names === undefined ? tools : tools.filter(({ name }) => names.includes(name))
    const missing = names?.find((name) => tools.every((tool) => tool.name !== name))
    if (missing !== undefined) {
      return yield* Result.fail(
        new AiError.InvalidRequestError({
          parameter: "toolChoice",
          description: `There is no tool "${missing}" to choose. The tools are: ${
            tools.map(({ name }) => name).join(", ")
          }`
        })
      )
    }
    const definitions: Array<ToolDefinition> = []
    for (const tool of offered) definitions.push(yield* toTool(tool))
    const mode = modeOf(toolChoice)
    if (definitions.length === 0) return {}
    return mode === "auto" ? { tools: definitions } : { tools: definitions, toolChoice: { mode } }
  })

/**
 * Returns the mode of a tool choice. MCP has no way to name the tool to call, so `toOffer` offers only the tools that
 * may be called.
 */
const modeOf = (toolChoice: ProviderOptions["toolChoice"]): "auto" | "required" | "none" =>
  typeof toolChoice === "string" ? toolChoice : "tool" in toolChoice ? "required" : toolChoice.mode ?? "auto"

const toTool = (tool: Tool.Any): Result.Result<ToolDefinition, AiError.AiErrorReason> =>
  Tool.isProviderDefined(tool)
    ? Result.fail(
      new AiError.ToolConfigurationError({
        toolName: tool.name,
        description:
          "A provider defines this tool, and MCP sampling cannot offer provider-defined tools: remove it from the " +
          "toolkit, or use a LanguageModel of that provider."
      })
    )
    : Result.try({ try: () => toDefinition(tool), catch: unsupportedSchema })

const unsupportedSchema = (error: unknown): AiError.UnsupportedSchemaError =>
  new AiError.UnsupportedSchemaError({ description: error instanceof Error ? error.message : String(error) })
