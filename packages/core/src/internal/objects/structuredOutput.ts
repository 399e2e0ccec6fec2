import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { formatIssue } from "../issues.ts"
import { decodeJson } from "./jsonForm.ts"
import { jsonIn, readings } from "./jsonIn.ts"
import { isRecord, jsonSchemaOf, objectSchema } from "./jsonSchema.ts"
import type { JsonSchema } from "./jsonSchema.ts"

/** A schema in the form in which a model is asked for it. */
export interface Target<A, R> {
  /**
   * The root is always an object: any other schema is wrapped under the key `value`. References resolve from this root.
   */
  readonly jsonSchema: JsonSchema
  /** Decodes a JSON value, or fails with a text that says what is wrong with it. */
  readonly decode: (json: unknown) => Effect.Effect<A, string, R>
}

export const makeTarget = <S extends Schema.Constraint>(schema: S): Target<S["Type"], S["DecodingServices"]> => {
  const root = objectSchema(jsonSchemaOf(schema))
  const decodeIssue = decodeJson(schema, { errors: "all" })
  const decode = (json: unknown) => Effect.mapError(decodeIssue(json), (error) => formatIssue(error.issue))
  const decodeWrapped = (json: unknown) =>
    isRecord(json) && Object.hasOwn(json, "value")
      ? Effect.mapError(decodeIssue(json["value"]), (error) =>
        formatIssue(new SchemaIssue.Pointer(["value"], error.issue)))
      : Effect.fail(`It is not an object with the key "value"`)
  return {
    jsonSchema: root.schema,
    decode: root.isWrapped
      // Some models answer without the wrapping object.
      ? (json) => Effect.catch(decodeWrapped(json), (problem) => Effect.mapError(decode(json), () => problem))
      : decode
  }
}

/**
 * Decodes the JSON in a text: the whole text, or the last value in it that fits, because models think aloud before they
 * answer.
 */
export const decodeText = <A, R>(target: Target<A, R>, text: string): Effect.Effect<A, string, R> =>
  Effect.suspend(() => {
    const { problem, values } = jsonIn(text)
    const candidates = values.toReversed().flatMap(readings)
    const last = readings(values.at(-1)).findLast(isRecord)
    const describe = last === undefined && (problem !== undefined || values.length === 0)
      ? Effect.fail(problem ?? "It holds no complete JSON value")
      : target.decode(last ?? values.at(-1))
    return candidates.length === 0
      ? describe
      : Effect.catch(Effect.firstSuccessOf(candidates.map(target.decode)), () => describe)
  })
