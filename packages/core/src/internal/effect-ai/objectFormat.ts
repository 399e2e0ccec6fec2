import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { ResponseFormat } from "../../SamplingRequest.ts"
import { decodeJson } from "../objects/jsonForm.ts"
import { jsonIn } from "../objects/jsonIn.ts"
import { isRecord } from "../objects/jsonSchema.ts"
import { makeTarget } from "../objects/structuredOutput.ts"

/** The format in which a language model is asked for an object, and the way to find the object in its answer. */
export interface ObjectFormat {
  readonly responseFormat: ResponseFormat
  /** Returns the first JSON value in a text that fits the schema, else the first JSON value, else the text itself. */
  readonly jsonText: (text: string) => Effect.Effect<string>
}

export const makeObjectFormat = (name: string, schema: Schema.Constraint): ObjectFormat => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- generateObject itself requires the services that decoding needs
  const decode = decodeJson(schema) as (
    json: unknown
  ) => Effect.Effect<unknown, unknown>
  return {
    responseFormat: { name, schema: makeTarget(schema).jsonSchema },
    jsonText: (text) =>
      Effect.suspend(() => {
        const candidates = jsonIn(text).flatMap(asAnswers)
        if (candidates.length === 0) return Effect.succeed(text)
        return Effect.map(
          Effect.findFirst(candidates, (candidate) => Effect.isSuccess(decode(candidate))),
          (fitting) => JSON.stringify(Option.getOrElse(fitting, () => candidates[0]))
        )
      })
  }
}

/** A value that is not an object is requested under the key `value`, so the content of that key may be the answer. */
const asAnswers = (json: unknown): ReadonlyArray<unknown> =>
  isRecord(json) && Object.keys(json).length === 1 && Object.hasOwn(json, "value") ? [json, json["value"]] : [json]
