import * as Content from "@effect-sampling/core/Content"
import type { Outcome } from "@effect-sampling/core/ToolDispatch"
import * as AiError from "effect/ai/AiError"
import * as Tool from "effect/ai/Tool"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { internalError, messageOf } from "./failures.ts"

/** MCP's `Tool`, in wire form. */
export interface ToolDefinition {
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
  readonly _meta?: Readonly<Record<string, unknown>>
}

/** MCP's `CallToolResult`, in wire form. */
export interface ToolResult {
  readonly content: ReadonlyArray<ReturnType<typeof Content.fromModelOutput>>
  readonly structuredContent?: Readonly<Record<string, unknown>>
  readonly isError?: boolean
}

/** The definition that `tools/list` shows. Dies when the parameters are not an object: MCP allows nothing else. */
export const toolDefinition = (tool: Tool.Any): ToolDefinition => {
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

type ObjectSchema = Readonly<Record<string, unknown>> & { readonly type: "object" }

/** The schema with an object at its root, also when the root is a reference to one; undefined for anything else. */
const objectSchema = (schema: Readonly<Record<string, unknown>>): ObjectSchema | undefined => {
  const root = resolveRoot(schema)
  return root["type"] === "object" ? { ...root, type: "object" } : undefined
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

/** How the end of a call is told to the client. */
export const makeToResult = (tool: Tool.Any, definition: ToolDefinition) => {
  const isDeclared = Schema.is(tool.failureSchema)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a failure whose schema needs services fails to encode here and becomes an internal error
  const encodeFailure = Schema.encodeUnknownExit(tool.failureSchema as Schema.Codec<unknown>)
  const hasOutputSchema = definition.outputSchema !== undefined

  const declaredFailure = (error: unknown): ToolResult => {
    const message = messageOf(error)
    if (message !== undefined) return errorResult(message)
    const encoded = encodeFailure(error)
    return errorResult(Exit.isSuccess(encoded) ? toText(encoded.value) : internalError)
  }

  const success = (outcome: Outcome): ToolResult => {
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
      // MCP 2025-11-25, tools, "Error Handling": so that the model can correct itself.
      ? errorResult(`Invalid arguments for the tool "${tool.name}": ${error.reason.description}`)
      : isDeclared(error)
      ? declaredFailure(error)
      : undefined

  return {
    onSuccess: (outcome: Outcome): ToolResult =>
      outcome.isFailure ? failure(outcome.result) ?? errorResult(toText(outcome.encodedResult)) : success(outcome),
    onFailure: (cause: Cause.Cause<unknown>): Effect.Effect<ToolResult> => {
      const declared = Cause.hasDies(cause)
        ? undefined
        : cause.reasons.filter(Cause.isFailReason).map(({ error }) => failure(error)).find((it) => it !== undefined)
      return declared === undefined
        ? Effect.as(Effect.logError(`The tool "${tool.name}" failed`, cause), errorResult(internalError))
        : Effect.succeed(declared)
    }
  }
}

export const errorResult = (text: string): ToolResult => ({ isError: true, content: [{ type: "text", text }] })

const toText = (encoded: unknown): string => typeof encoded === "string" ? encoded : JSON.stringify(encoded) ?? ""

const isRecord = (u: unknown): u is Record<string, unknown> => typeof u === "object" && u !== null && !Array.isArray(u)
