import * as Tool from "effect/ai/Tool"
import * as JsonPointer from "effect/JsonPointer"
import * as Result from "effect/Result"

export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * The input schema of a tool, whose root MCP wants to be of the type object and not a reference.
 *
 * Source: MCP 2025-11-25, `schema.ts`, `Tool.inputSchema`: `type: "object"`.
 */
export const inputSchema = (tool: Tool.Any): JsonSchema => {
  const schema = inlineRoot(Tool.getJsonSchema(tool))
  return "type" in schema ? schema : { type: "object", ...schema }
}

/** The schema under the key `value` of an object, where it is none itself. References still resolve from the root. */
export const objectSchema = (schema: JsonSchema): { readonly schema: JsonSchema; readonly isWrapped: boolean } => {
  const root = inlineRoot(schema)
  if (root["type"] === "object") return { schema: root, isWrapped: false }
  const { $defs, ...value } = withoutDialect(schema)
  return {
    schema: {
      type: "object",
      properties: { value },
      required: ["value"],
      additionalProperties: false,
      ...($defs !== undefined && { $defs })
    },
    isWrapped: true
  }
}

const withoutDialect = (given: JsonSchema): JsonSchema => {
  const { $schema: _, ...schema } = given
  return schema
}

/** A root that is nothing but a reference is replaced by what it stands for. References to references end somewhere. */
const inlineRoot = (schema: JsonSchema, left = 8): JsonSchema => {
  const { $defs, $ref, ...rest } = withoutDialect(schema)
  const target = typeof $ref === "string" && isRecord($defs) ? $defs[definitionName($ref)] : undefined
  return isRecord(target) && left > 0
    ? inlineRoot({ ...target, ...rest, $defs }, left - 1)
    : withoutDialect(schema)
}

/** The key that `#/$defs/key` names: an escaped token of a JSON pointer, percent-encoded as the fragment of a URI. */
const definitionName = (ref: string): string => {
  const token = ref.replace(/^#\/\$defs\//, "")
  return JsonPointer.unescapeToken(Result.getOrElse(Result.try(() => decodeURIComponent(token)), () => token))
}

export const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)
