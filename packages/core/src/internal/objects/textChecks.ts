import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import { isRecord } from "./jsonSchema.ts"
import type { JsonSchema } from "./jsonSchema.ts"

/**
 * Returns the limits of each text field as its author wrote them. Effect loosens them in JSON Schema, whose lengths
 * count code points and whose patterns have no flags.
 */
export const textChecks = (schema: Schema.Constraint): ReadonlyMap<PropertyKey, JsonSchema> => {
  const { ast } = Schema.toEncoded(Schema.toCodecJson(schema))
  return new Map(ast._tag === "Objects" ? ast.propertySignatures.map(({ name, type }) => [name, limitsOf(type)]) : [])
}

const limitsOf = (ast: SchemaAST.AST): JsonSchema => {
  // An optional field is a union with null.
  if (ast._tag === "Union") return Object.assign({}, ...ast.types.map(limitsOf))
  return ast._tag === "String" ? Object.assign({}, ...(ast.checks ?? []).map(limitsOfCheck)) : {}
}

const limitsOfCheck = (check: SchemaAST.Check<unknown>): JsonSchema => {
  if (check._tag === "FilterGroup") return Object.assign({}, ...check.checks.map(limitsOfCheck))
  // Effect describes a check for generators of values, in the same terms for all checks.
  const constraint = check.annotations?.["arbitraryConstraint"]
  if (!isRecord(constraint)) return {}
  const { maxLength, minLength, patterns } = constraint
  const pattern: unknown = Array.isArray(patterns) ? patterns.find(hasNoFlags)?.source : undefined
  return {
    ...(typeof minLength === "number" && { minLength }),
    ...(typeof maxLength === "number" && { maxLength }),
    ...(typeof pattern === "string" && { pattern })
  }
}

/** Flags such as `i` change what a pattern matches. */
const hasNoFlags = (pattern: { readonly flags?: string }): boolean => /^[dgu]*$/.test(pattern.flags ?? "")
