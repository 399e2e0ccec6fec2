import * as Tool from "effect/ai/Tool"
import * as JsonPointer from "effect/JsonPointer"
import * as Result from "effect/Result"

export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * Returns the input schema of a tool. MCP requires its root to have the type object, so a reference at the root is
 * inlined.
 *
 * Source: MCP 2025-11-25, `schema.ts`, `Tool.inputSchema`: `type: "object"`.
 */
export const inputSchema = (tool: Tool.Any): JsonSchema => {
  const schema = inlineRoot(Tool.getJsonSchema(tool))
  return "type" in schema ? schema : { type: "object", ...schema }
}

/**
 * Returns an object schema: the schema itself, or an object that holds it under the key `value`. References still
 * resolve from the root.
 */
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

/** Replaces a root that is only a reference by its target. `left` limits how many references are followed in a row. */
const inlineRoot = (schema: JsonSchema, left = 8): JsonSchema => {
  const { $defs, $ref, ...rest } = withoutDialect(schema)
  const target = typeof $ref === "string" && isRecord($defs) ? $defs[definitionName($ref)] : undefined
  return isRecord(target) && left > 0
    ? inlineRoot({ ...target, ...rest, $defs }, left - 1)
    : withoutDialect(schema)
}

/**
 * Returns the key that `#/$defs/key` names. In the reference it is an escaped token of a JSON pointer, percent-encoded
 * as the fragment of a URI.
 */
const definitionName = (ref: string): string => {
  const token = ref.replace(/^#\/\$defs\//, "")
  return JsonPointer.unescapeToken(Result.getOrElse(Result.try(() => decodeURIComponent(token)), () => token))
}

export const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)
