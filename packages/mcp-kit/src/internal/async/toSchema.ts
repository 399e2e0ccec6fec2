import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import type { StandardSchemaV1 } from "effect/StandardSchema"
import type { AnySchema, Output, StandardSchema } from "../../AsyncHandler.ts"

/** Returns a Schema of Effect as it is, and one of another library as a Schema of Effect. */
export const toSchema = <S extends AnySchema>(schema: S): Schema.Decoder<Output<S>> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Output` is the type that the schema decodes to
  (Schema.isSchema(schema) ? schema : toKnown(schema)) as Schema.Decoder<Output<S>>

const known = new WeakMap<object, Schema.Top>()

/** Effect compiles a Schema once, so each foreign schema has one Schema. */
const toKnown = (schema: unknown): Schema.Top => {
  if (!isStandardSchema(schema)) {
    throw new TypeError(
      "The schema is not one that can be turned into JSON Schema. Pass a Schema of Effect, or a schema of a library " +
        "that implements Standard JSON Schema, such as zod 4.2 or newer."
    )
  }
  const found = known.get(schema)
  if (found !== undefined) return found
  const made = fromStandard(schema)
  known.set(schema, made)
  return made
}

const isStandardSchema = (u: unknown): u is StandardSchema =>
  Predicate.hasProperty(u, "~standard") && Predicate.hasProperty(u["~standard"], "validate") &&
  Predicate.hasProperty(u["~standard"], "jsonSchema")

const fromStandard = ({ "~standard": standard }: StandardSchema): Schema.Top => {
  const { $schema: _, ...jsonSchema } = standard.jsonSchema.input({ target: "draft-2020-12" })
  const described = Schema.Json.check(Schema.makeFilter(() => true, { toJsonSchema: () => jsonSchema }))
  return described.pipe(Schema.decodeTo(Schema.Unknown, {
    decode: SchemaGetter.transformEffect((value: unknown) =>
      Effect.flatMap(
        Effect.promise(() => Promise.resolve(standard.validate(value))),
        (result) => result.issues === undefined ? Effect.succeed(result.value) : Effect.fail(toIssue(result.issues))
      )
    ),
    encode: SchemaGetter.forbidden(() => "A schema of another library cannot encode")
  }))
}

const toIssue = (issues: ReadonlyArray<StandardSchemaV1.Issue>): SchemaIssue.Issue => {
  const [first = new SchemaIssue.InvalidValue(), ...others] = issues.map(({ message, path = [] }) =>
    new SchemaIssue.Pointer(
      path.map((segment) => typeof segment === "object" ? segment.key : segment),
      new SchemaIssue.InvalidValue({ message })
    )
  )
  return others.length === 0 ? first : new SchemaIssue.Composite(Schema.Json.ast, [first, ...others])
}
