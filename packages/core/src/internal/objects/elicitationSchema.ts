import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { isRecord } from "./jsonSchema.ts"
import type { JsonSchema } from "./jsonSchema.ts"

/**
 * Converts a schema to the JSON Schema of an elicitation, or fails with the reason why it cannot be one. MCP lets a
 * server ask a user only for a flat object of primitives.
 *
 * Source: MCP 2025-11-25, elicitation, "Requested Schema".
 */
export const toRequestedSchema = (schema: Schema.Constraint): Result.Result<JsonSchema, string> =>
  Result.flatMap(
    Result.try({ try: () => Schema.toJsonSchemaDocument(schema).schema, catch: () => "schema: It has no JSON form" }),
    (json) => {
      const properties = json["properties"]
      if (json["type"] !== "object" || !isRecord(properties)) return Result.fail("schema: Expected a Schema.Struct")
      const fields = Object.entries(properties).map(([name, property]) => [name, toPrimitive(property)] as const)
      const wrong = fields.find(([, primitive]) => primitive === undefined)
      return wrong === undefined
        ? Result.succeed({
          type: "object",
          properties: Object.fromEntries(fields),
          ...(json["required"] !== undefined && { required: json["required"] })
        })
        : Result.fail(`schema.${wrong[0]}: Expected a string, a number, a boolean, literals, or an array of literals`)
    }
  )

const keywords = new Set([
  "type",
  "title",
  "description",
  "default",
  "enum",
  "minimum",
  "maximum",
  "minLength",
  "maxLength"
])

const toPrimitive = (property: unknown): JsonSchema | undefined => {
  if (!isRecord(property)) return undefined
  const { anyOf, items, type } = property
  // `Schema.optional` becomes a union with null; a form only needs the schema of the value.
  if (Array.isArray(anyOf) && anyOf.length === 2 && isRecord(anyOf[1]) && anyOf[1]["type"] === "null") {
    return toPrimitive({ ...property, anyOf: undefined, ...anyOf[0] })
  }
  if (type === "array") {
    const choice = toPrimitive(items)
    return choice?.["enum"] === undefined ? undefined : { ...pick(property), items: choice }
  }
  return type === "string" || type === "number" || type === "integer" || type === "boolean" ? pick(property) : undefined
}

const pick = (property: JsonSchema): JsonSchema =>
  Object.fromEntries(
    Object.entries(property).filter(([keyword, value]) => keywords.has(keyword) && !isSafeBound(value))
  )

/** The limits of safe integers come from the number type, not from the author, so a form should not show them. */
const isSafeBound = (value: unknown): boolean =>
  typeof value === "number" && Math.abs(value) === Number.MAX_SAFE_INTEGER
