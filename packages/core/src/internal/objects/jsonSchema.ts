import * as Tool from "effect/ai/Tool"
import * as JsonPointer from "effect/JsonPointer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

export type JsonSchema = Readonly<Record<string, unknown>>

/** A JSON Schema with an object at its root. */
export type ObjectSchema = JsonSchema & { readonly type: "object" }

/**
 * Returns the JSON Schema of a Schema's JSON codec. Definitions are inlined unless they are recursive, because some hosts
 * drop `$defs`. References, where there are any, resolve from the root.
 */
export const jsonSchemaOf = (schema: Schema.Constraint): JsonSchema => {
  const document = Schema.toJsonSchemaDocument(schema, { referencePolicy: () => undefined })
  // A Schema that was made of a JSON Schema has definitions of its own.
  const { $defs: own, ...schemaItself } = document.schema
  const root = withRoot({ ...schemaItself, $defs: { ...(isRecord(own) && own), ...document.definitions } })
  return isEmptyStruct(root) ? { type: "object", properties: {}, ...without(root, "not") } : root
}

/**
 * Returns the input schema of a tool. MCP requires its root to have the type object, so a reference at the root is
 * inlined. The plain JSON Schema of a dynamic tool stays as it is.
 *
 * Source: MCP 2025-11-25, `schema.ts`, `Tool.inputSchema`: `type: "object"`.
 */
export const inputSchema = (tool: Tool.Any): JsonSchema => {
  const schema = parametersSchema(tool)
  return "type" in schema ? schema : { type: "object", ...schema }
}

/** Returns the JSON Schema of a tool's parameters, which need not be an object. */
export const parametersSchema = (tool: Tool.Any): JsonSchema =>
  Tool.isDynamic(tool) && tool.jsonSchema !== undefined
    ? withRoot(tool.jsonSchema)
    : jsonSchemaOf(tool.parametersSchema)

export const isObjectSchema = (schema: JsonSchema): schema is ObjectSchema => schema["type"] === "object"

/** Returns an object schema: the schema itself, or an object that holds it under the key `value`. */
export const objectSchema = (schema: JsonSchema): { readonly schema: ObjectSchema; readonly isWrapped: boolean } => {
  if (isObjectSchema(schema)) return { schema, isWrapped: false }
  const { $defs, ...value } = schema
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

/** Inlines a root that is only a reference. `left` limits how many references are followed in a row. */
const withRoot = (given: JsonSchema, left = 8): JsonSchema => {
  const { $defs, $ref, ...rest } = without(given, "$schema")
  const target = typeof $ref === "string" ? definitionOf(given, $ref) : undefined
  if (isRecord(target) && left > 0) return withRoot({ ...target, ...rest, $defs }, left - 1)
  const isEmpty = isRecord($defs) && Object.keys($defs).length === 0
  return without(given, "$schema", ...(isEmpty ? ["$defs"] : []))
}

const without = (schema: JsonSchema, ...keywords: ReadonlyArray<string>): JsonSchema =>
  Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keywords.includes(keyword)))

/** A struct without fields accepts everything but null, which is how its JSON Schema says it. */
const isEmptyStruct = (schema: JsonSchema): boolean =>
  isRecord(schema["not"]) && schema["not"]["type"] === "null" &&
  ["type", "anyOf", "oneOf", "allOf", "$ref"].every((keyword) => !Object.hasOwn(schema, keyword))

/** Returns what a reference points to among the definitions of a schema. */
export const definitionOf = ({ $defs }: JsonSchema, ref: string): unknown => {
  const name = definitionName(ref)
  return isRecord($defs) && Object.hasOwn($defs, name) ? $defs[name] : undefined
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
