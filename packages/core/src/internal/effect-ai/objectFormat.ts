import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ResponseFormat } from "../../SamplingRequest.ts"
import { jsonIn } from "../objects/jsonIn.ts"
import { isRecord } from "../objects/jsonSchema.ts"
import { makeTarget } from "../objects/structuredOutput.ts"

/** How a language model is asked for an object, and how it is found in its answer. */
export interface ObjectFormat {
  readonly responseFormat: ResponseFormat
  /** The JSON in a text that fits the schema, else the first one, else the text. */
  readonly jsonText: (text: string) => Effect.Effect<string>
}

export const makeObjectFormat = (name: string, schema: Schema.Constraint): ObjectFormat => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- generateObject itself requires the services that decoding needs
  const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(schema)) as (
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

/** What is no object is asked for under the key `value`. */
const asAnswers = (json: unknown): ReadonlyArray<unknown> =>
  isRecord(json) && Object.keys(json).length === 1 && Object.hasOwn(json, "value") ? [json, json["value"]] : [json]
