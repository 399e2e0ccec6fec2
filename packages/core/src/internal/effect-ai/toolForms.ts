/**
 * The conversions between the JSON of tool calls and results, and the form in which `effect/ai` passes them around:
 * the one that the Schemas of the tools themselves encode to.
 */
import * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Content } from "../../Content.ts"
import { blocks } from "../../Content.ts"
import type { SamplingResponse } from "../../SamplingResponse.ts"
import { fromJson, toJson } from "../objects/jsonForm.ts"
import { isRecord } from "../objects/jsonSchema.ts"

type Tools = ReadonlyArray<Tool.Any>

/** Converts the arguments of an answer's calls from JSON. */
export const fromJsonCalls = (response: SamplingResponse, tools: Tools): Effect.Effect<SamplingResponse> =>
  blocks(response.content).every(({ type }) => type !== "tool_use")
    ? Effect.succeed(response)
    : Effect.map(
      Effect.forEach(blocks(response.content), (block): Effect.Effect<Content> => {
        const schema = block.type === "tool_use" ? parametersOf(tools, block.name) : undefined
        return block.type !== "tool_use" || schema === undefined
          ? Effect.succeed(block)
          : Effect.map(
            orSame(fromJson(schema), block.input),
            (input) => isRecord(input) ? { ...block, input } : block
          )
      }),
      (content) => ({ ...response, content })
    )

/** Converts the arguments and results of a prompt's calls to JSON. */
export const toJsonPrompt = (prompt: Prompt.Prompt, tools: Tools): Effect.Effect<Prompt.Prompt> =>
  Effect.map(Effect.forEach(prompt.content, (message) => toJsonMessage(message, tools)), Prompt.fromMessages)

const toJsonMessage = (message: Prompt.Message, tools: Tools): Effect.Effect<Prompt.Message> => {
  switch (message.role) {
    case "assistant":
      return Effect.map(
        Effect.forEach(
          message.content,
          (part): Effect.Effect<Prompt.AssistantMessagePart> =>
            part.type === "tool-call" ? toJsonCall(part, tools) : Effect.succeed(part)
        ),
        (content) => Prompt.assistantMessage({ content, options: message.options })
      )
    case "tool":
      return Effect.map(
        Effect.forEach(
          message.content,
          (part): Effect.Effect<Prompt.ToolMessagePart> =>
            part.type === "tool-result" ? toJsonResult(part, tools) : Effect.succeed(part)
        ),
        (content) => Prompt.toolMessage({ content, options: message.options })
      )
    case "system":
    case "user":
      return Effect.succeed(message)
  }
}

const toJsonCall = (part: Prompt.ToolCallPart, tools: Tools): Effect.Effect<Prompt.ToolCallPart> => {
  const schema = parametersOf(tools, part.name)
  const { id, name, options, providerExecuted } = part
  return schema === undefined ? Effect.succeed(part) : Effect.map(
    orSame(toJson(schema), part.params),
    (params) => Prompt.toolCallPart({ id, name, options, providerExecuted, params })
  )
}

const toJsonResult = (part: Prompt.ToolResultPart, tools: Tools): Effect.Effect<Prompt.ToolResultPart> => {
  const tool = tools.find(({ name }) => name === part.name)
  if (tool === undefined) return Effect.succeed(part)
  const { id, isFailure, modelOutput, name, options, providerExecuted } = part
  const common = { id, isFailure, name, options, providerExecuted, ...(modelOutput !== undefined && { modelOutput }) }
  return Effect.map(
    orSame(toJson(isFailure ? Tool.failureResultSchema(tool) : tool.successSchema), part.result),
    (result) => Prompt.toolResultPart({ ...common, result })
  )
}

/** Returns the Schema of a tool's parameters. A dynamic tool may have a plain JSON Schema instead. */
const parametersOf = (tools: Tools, name: string): Schema.Constraint | undefined => {
  const schema: unknown = tools.find((tool) => tool.name === name)?.parametersSchema
  return Schema.isSchema(schema) ? schema : undefined
}

/** Converts a value. One that does not fit stays as it is: whoever decodes it reports the problem. */
const orSame = (
  convert: (value: unknown) => Effect.Effect<unknown, unknown, unknown>,
  value: unknown
): Effect.Effect<unknown> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a Schema's encoded form decodes without services
  Effect.orElseSucceed(convert(value), () => value) as Effect.Effect<unknown>
