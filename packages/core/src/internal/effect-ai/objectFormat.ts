import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ResponseFormat } from "../../SamplingRequest.ts"
import { removeAbsentNulls } from "../absentNulls.ts"
import { jsonIn, readings } from "../objects/jsonIn.ts"
import { isRecord } from "../objects/jsonSchema.ts"
import { makeTarget } from "../objects/structuredOutput.ts"

/** The format in which a language model is asked for an object, and the way to find the object in its answer. */
export interface ObjectFormat {
  readonly responseFormat: ResponseFormat
  /** Returns the last JSON value in a text that fits the schema, else the last JSON value, else the text itself. */
  readonly jsonText: (text: string) => Effect.Effect<string>
}

export const makeObjectFormat = (name: string, schema: Schema.Constraint): ObjectFormat => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- generateObject itself requires the services that decoding needs
  const codec = Schema.toCodecJson(schema) as unknown as Schema.Codec<unknown>
  const decode = Schema.decodeUnknownEffect(codec)
  // `effect/ai` decodes the text again, and takes no null for an absent member.
  const clean = removeAbsentNulls(codec)
  return {
    responseFormat: { name, schema: makeTarget(schema).jsonSchema },
    jsonText: (text) =>
      Effect.gen(function*() {
        const candidates = yield* Effect.forEach(
          jsonIn(text).values.toReversed().flatMap(readings).flatMap(asAnswers),
          clean
        )
        if (candidates.length === 0) return text
        const fitting = yield* Effect.findFirst(candidates, (candidate) => Effect.isSuccess(decode(candidate)))
        return JSON.stringify(Option.getOrElse(fitting, () => candidates[0]))
      })
  }
}

/** A value that is not an object is requested under the key `value`, so the content of that key may be the answer. */
const asAnswers = (json: unknown): ReadonlyArray<unknown> =>
  isRecord(json) && Object.keys(json).length === 1 && Object.hasOwn(json, "value") ? [json, json["value"]] : [json]
