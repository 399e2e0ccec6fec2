/**
 * For adapters: the MCP definitions of the tools of a Toolkit, and the MCP results of their calls.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Tool from "effect/ai/Tool"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { ClientUnsupported, Requires } from "../Client.ts"
import { fromModelOutput } from "../internal/effect-ai/fromModelOutput.ts"
import { encodeJson } from "../internal/objects/jsonForm.ts"
import { isObjectSchema, isRecord, jsonSchemaOf, parametersSchema } from "../internal/objects/jsonSchema.ts"
import { SamplingUnsupported } from "../SamplingError.ts"
import type { ToolOutcome } from "../ToolDispatch.ts"
import * as Advice from "./Advice.ts"
import * as HandlerFailure from "./HandlerFailure.ts"
import { visible, wellFormed } from "./Text.ts"

/**
 * A JSON Schema with an object at its root.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectSchema {
  readonly type: "object"
  readonly [keyword: string]: unknown
}

/**
 * The definition of a tool in the answer to `tools/list`.
 *
 * Source: MCP 2025-11-25, `Tool`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServedTool {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly inputSchema: ObjectSchema
  readonly outputSchema?: ObjectSchema
  readonly annotations: {
    readonly title?: string
    readonly readOnlyHint: boolean
    readonly destructiveHint: boolean
    readonly idempotentHint: boolean
    readonly openWorldHint: boolean
  }
  readonly _meta?: Record<string, unknown>
}

/**
 * The result of `tools/call`. It is a type alias because the SDKs type results with an index signature, to which an
 * interface is not assignable.
 *
 * Source: MCP 2025-11-25, `CallToolResult`.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolResult = {
  readonly content: Array<ReturnType<typeof fromModelOutput>>
  readonly structuredContent?: Record<string, unknown>
  readonly isError?: boolean
}

/**
 * Builds the definition of a tool for `tools/list`. It throws if the parameters are not an object, because MCP allows
 * nothing else.
 *
 * @category constructors
 * @since 0.1.0
 */
export const definition = (tool: Tool.Any): ServedTool => {
  const inputSchema = parametersSchema(tool)
  if (!isObjectSchema(inputSchema)) {
    throw new Error(
      `The tool "${tool.name}" cannot be served over MCP: its parameters must be an object. ` +
        "Use Schema.Struct, or leave parameters out."
    )
  }
  const outputSchema = tool.toModelOutput === undefined ? jsonSchemaOf(tool.successSchema) : undefined
  const description = Tool.getDescription(tool)
  const title = Context.getOrUndefined(tool.annotations, Tool.Title)
  const meta = Context.getOrUndefined(tool.annotations, Tool.Meta)
  return wellFormed({
    name: tool.name,
    inputSchema,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(outputSchema !== undefined && isObjectSchema(outputSchema) && { outputSchema }),
    ...(meta !== undefined && { _meta: meta }),
    annotations: {
      ...(title !== undefined && { title }),
      readOnlyHint: Context.get(tool.annotations, Tool.Readonly),
      // Effect's default is true, and some hosts show it also for a tool that only reads.
      destructiveHint: !Context.get(tool.annotations, Tool.Readonly) && Context.get(tool.annotations, Tool.Destructive),
      idempotentHint: Context.get(tool.annotations, Tool.Idempotent),
      openWorldHint: Context.get(tool.annotations, Tool.OpenWorld)
    }
  })
}

/**
 * The conversion from the outcomes of one tool's calls to MCP results.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToResult {
  readonly onSuccess: (outcome: ToolOutcome) => ToolResult
  /**
   * Reports a typed error with its message, and logs the advice for the operator. Reports a defect with a generic text, or
   * with its message and stack if `Development.ShowDefects` is set, and logs its cause.
   */
  readonly onFailure: (cause: Cause.Cause<unknown>) => Effect.Effect<ToolResult>
}

/**
 * Builds the conversion from the outcomes of one tool's calls to MCP results.
 *
 * Source: MCP 2025-11-25, tools, "Error Handling".
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (tool: Tool.Any, { outputSchema }: ServedTool): ToResult => {
  const isOwnFailure = Schema.is(tool.failureSchema)
  const hasRequirements = Context.get(tool.annotations, Requires).length > 0
  // What a tool requires is checked before its handler runs, so its `failure` need not say how that fails.
  const isDeclared = (error: unknown): boolean => isOwnFailure(error) || (hasRequirements && isUnsupported(error))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a failure whose schema needs services fails to encode here and is reported like a defect
  const encodeFailure = encodeJson(tool.failureSchema as Schema.Codec<unknown>)
  const hasOutputSchema = outputSchema !== undefined

  const declaredFailure = (error: unknown): ToolResult | undefined => {
    const message = HandlerFailure.messageOf(error)
    if (message !== undefined) return ofError(message)
    const encoded = Effect.runSyncExit(encodeFailure(error))
    return Exit.isSuccess(encoded) ? ofError(toText(encoded.value)) : undefined
  }

  const success = (outcome: ToolOutcome): ToolResult => {
    if (outcome.modelOutput !== undefined) return wellFormed({ content: outcome.modelOutput.map(fromModelOutput) })
    const encoded = wellFormed(outcome.encodedResult)
    const content: ToolResult["content"] = encoded === undefined || encoded === null
      ? []
      : [{ type: "text", text: toText(encoded) }]
    return hasOutputSchema && isRecord(encoded) ? { content, structuredContent: { ...encoded } } : { content }
  }

  const failure = (error: unknown): ToolResult | undefined =>
    AiError.isAiError(error) && error.reason._tag === "ToolParameterValidationError"
      // The description goes to the client, so the model can correct its arguments.
      ? ofError(`Invalid arguments for the tool "${tool.name}": ${error.reason.description}`)
      : isDeclared(error)
      ? declaredFailure(error)
      : undefined

  return {
    onSuccess: (outcome) =>
      outcome.isFailure ? failure(outcome.result) ?? ofError(toText(outcome.encodedResult)) : success(outcome),
    onFailure: (cause) => {
      const what = `The tool "${tool.name}"`
      for (const { error } of Cause.hasDies(cause) ? [] : cause.reasons.filter(Cause.isFailReason)) {
        const declared = failure(error)
        if (declared !== undefined) return Effect.as(Advice.log(error, what), declared)
      }
      return Effect.map(HandlerFailure.defectText(cause, what), ofError)
    }
  }
}

const isUnsupported = Schema.is(Schema.Union([SamplingUnsupported, ClientUnsupported]))

/**
 * Builds an error result whose text the model can read. Invisible characters in it are escaped.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofError = (text: string): ToolResult => ({
  isError: true,
  content: [{ type: "text", text: visible(text) }]
})

/**
 * The result of a call that the server interrupted. A client that cancelled its call receives no answer at all.
 *
 * @category constructors
 * @since 0.1.0
 */
export const interrupted: ToolResult = ofError(HandlerFailure.interruptedText)

const toText = (encoded: unknown): string => typeof encoded === "string" ? encoded : JSON.stringify(encoded) ?? ""
