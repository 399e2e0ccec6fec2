/**
 * Tools of a Toolkit as MCP shows them, and the end of their calls as MCP tells it: for adapters.
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
import * as Content from "../Content.ts"
import type { ToolOutcome } from "../ToolDispatch.ts"
import * as HandlerFailure from "./HandlerFailure.ts"

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
 * What `tools/list` shows of a tool.
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
 * What `tools/call` answers. The SDKs type results with an index signature, which only a type alias fits.
 *
 * Source: MCP 2025-11-25, `CallToolResult`.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolResult = {
  readonly content: Array<ReturnType<typeof Content.fromModelOutput>>
  readonly structuredContent?: Record<string, unknown>
  readonly isError?: boolean
}

/**
 * The definition that `tools/list` shows. Dies when the parameters are not an object: MCP allows nothing else.
 *
 * @category constructors
 * @since 0.1.0
 */
export const definition = (tool: Tool.Any): ServedTool => {
  const inputSchema = objectSchema(Tool.getJsonSchema(tool))
  if (inputSchema === undefined) {
    throw new Error(
      `The tool "${tool.name}" cannot be served over MCP: its parameters must be an object. ` +
        "Use Schema.Struct, or leave parameters out."
    )
  }
  const outputSchema = tool.toModelOutput === undefined
    ? objectSchema(Tool.getJsonSchemaFromSchema(tool.successSchema))
    : undefined
  const description = Tool.getDescription(tool)
  const title = Context.getOrUndefined(tool.annotations, Tool.Title)
  const meta = Context.getOrUndefined(tool.annotations, Tool.Meta)
  return {
    name: tool.name,
    inputSchema,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(outputSchema !== undefined && { outputSchema }),
    ...(meta !== undefined && { _meta: meta }),
    annotations: {
      ...(title !== undefined && { title }),
      readOnlyHint: Context.get(tool.annotations, Tool.Readonly),
      destructiveHint: Context.get(tool.annotations, Tool.Destructive),
      idempotentHint: Context.get(tool.annotations, Tool.Idempotent),
      openWorldHint: Context.get(tool.annotations, Tool.OpenWorld)
    }
  }
}

/** The schema with an object at its root, also when the root is a reference to one; undefined for anything else. */
const objectSchema = (schema: Readonly<Record<string, unknown>>): ObjectSchema | undefined => {
  const root = resolveRoot(schema)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its type is "object", the only thing that the type asks for
  return root["type"] === "object" ? root as ObjectSchema : undefined
}

const resolveRoot = (schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const reference = typeof schema["$ref"] === "string" ? /^#\/\$defs\/(.+)$/.exec(schema["$ref"]) : null
  const definitions = schema["$defs"]
  if (reference === null || typeof definitions !== "object" || definitions === null) return schema
  const target: unknown = Reflect.get(definitions, unescapePointer(reference[1]!))
  return typeof target === "object" && target !== null ? { ...target, $defs: definitions } : schema
}

/** RFC 6901, sections 3 and 6: identifiers such as `@scope/Person` are escaped in a reference. */
const unescapePointer = (token: string): string => decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~")

/**
 * How the end of the calls of one tool is told to the client.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToResult {
  readonly onSuccess: (outcome: ToolOutcome) => ToolResult
  /**
   * A typed error is told with its message, a defect with a generic text; then its cause is logged.
   */
  readonly onFailure: (cause: Cause.Cause<unknown>) => Effect.Effect<ToolResult>
}

/**
 * Prepares how the end of the calls of one tool is told to the client.
 *
 * Source: MCP 2025-11-25, tools, "Error Handling".
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (tool: Tool.Any, { outputSchema }: ServedTool): ToResult => {
  const isDeclared = Schema.is(tool.failureSchema)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a failure whose schema needs services fails to encode here and becomes an internal error
  const encodeFailure = Schema.encodeUnknownExit(tool.failureSchema as Schema.Codec<unknown>)
  const hasOutputSchema = outputSchema !== undefined

  const declaredFailure = (error: unknown): ToolResult => {
    const message = HandlerFailure.messageOf(error)
    if (message !== undefined) return ofError(message)
    const encoded = encodeFailure(error)
    return ofError(Exit.isSuccess(encoded) ? toText(encoded.value) : HandlerFailure.internalErrorText)
  }

  const success = (outcome: ToolOutcome): ToolResult => {
    if (outcome.modelOutput !== undefined) return { content: outcome.modelOutput.map(Content.fromModelOutput) }
    const content: ToolResult["content"] = outcome.encodedResult === undefined || outcome.encodedResult === null
      ? []
      : [{ type: "text", text: toText(outcome.encodedResult) }]
    return hasOutputSchema && isRecord(outcome.encodedResult)
      ? { content, structuredContent: { ...outcome.encodedResult } }
      : { content }
  }

  const failure = (error: unknown): ToolResult | undefined =>
    AiError.isAiError(error) && error.reason._tag === "ToolParameterValidationError"
      // So that the model can correct itself.
      ? ofError(`Invalid arguments for the tool "${tool.name}": ${error.reason.description}`)
      : isDeclared(error)
      ? declaredFailure(error)
      : undefined

  return {
    onSuccess: (outcome) =>
      outcome.isFailure ? failure(outcome.result) ?? ofError(toText(outcome.encodedResult)) : success(outcome),
    onFailure: (cause) => {
      const declared = Cause.hasDies(cause)
        ? undefined
        : cause.reasons.filter(Cause.isFailReason).map(({ error }) => failure(error)).find((it) => it !== undefined)
      return declared === undefined
        ? Effect.as(
          Effect.logError(`The tool "${tool.name}" failed`, cause),
          ofError(HandlerFailure.internalErrorText)
        )
        : Effect.succeed(declared)
    }
  }
}

/**
 * A failure, told so that the model can read it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofError = (text: string): ToolResult => ({ isError: true, content: [{ type: "text", text }] })

/**
 * The end of a call that was interrupted by the server: a client that cancelled gets no answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const interrupted: ToolResult = ofError(HandlerFailure.interruptedText)

const toText = (encoded: unknown): string => typeof encoded === "string" ? encoded : JSON.stringify(encoded) ?? ""

const isRecord = (u: unknown): u is Record<string, unknown> => typeof u === "object" && u !== null && !Array.isArray(u)
