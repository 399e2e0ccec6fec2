/**
 * The conversions between the values of users' Schemas and JSON, in the form that the JSON Schema of each describes.
 * That is not the form that a Schema itself encodes to, which may hold dates, maps and other values that are not JSON.
 */
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import { decodeForeign, decodeForeignEffect } from "../absentNulls.ts"

/** Returns a decoder for the JSON form of a Schema's values. A null that the Schema does not accept counts as absent. */
export const decodeJson = <S extends Schema.Constraint>(
  schema: S,
  defaults?: SchemaAST.ParseOptions
): (
  json: unknown,
  options?: SchemaAST.ParseOptions
) => Effect.Effect<S["Type"], Schema.SchemaError, S["DecodingServices"]> =>
  decodeForeignEffect(Schema.toCodecJson(schema), defaults)

/** Works like {@link decodeJson}, for a Schema that decodes at once and without services. */
export const decodeJsonResult = <A>(
  schema: Schema.ConstraintDecoder<A>,
  defaults?: SchemaAST.ParseOptions
): (json: unknown) => Result.Result<A, Schema.SchemaError> => decodeForeign(Schema.toCodecJson(schema), defaults)

/**
 * Returns an encoder to the JSON form of a Schema's values. `Schema.Unknown` and declarations without a codec do not
 * know that form: where they hold values that are not JSON, the whole value takes the form that `JSON.stringify` gives
 * it, unless that does not fit the JSON Schema.
 */
export const encodeJson = <S extends Schema.Constraint>(
  schema: S
): (value: unknown) => Effect.Effect<unknown, Schema.SchemaError, S["EncodingServices"]> => {
  const codec = Schema.toCodecJson(schema)
  const encode = Schema.encodeUnknownEffect(codec)
  const encodeItself = Schema.encodeUnknownEffect(schema)
  const fits = Schema.decodeUnknownEffect(Schema.toEncoded(codec))
  return (value) =>
    Effect.catchEager(encode(value), (error) =>
      encodeItself(value).pipe(
        Effect.flatMap((own) => Effect.try((): unknown => JSON.parse(JSON.stringify(own) ?? "null"))),
        Effect.flatMap((json) => fits(json)),
        Effect.mapError(() => error)
      ))
}

/** Returns the conversion from the JSON form of a Schema's values to the form that the Schema itself encodes to. */
export const fromJson = (schema: Schema.Constraint) => decodeJson(Schema.toEncoded(schema))

/** Returns the conversion from the form that a Schema itself encodes to, to the JSON form of the Schema's values. */
export const toJson = (schema: Schema.Constraint) => encodeJson(Schema.toEncoded(schema))
