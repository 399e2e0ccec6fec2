import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ReplayMismatch } from "../../SamplingError.ts"
import { formatIssue } from "../issues.ts"
import { quoteStep } from "./failures.ts"
import { CurrentRun } from "./RoundRun.ts"

/**
 * The effect, or, in a later round of the call, its recorded result. `canMove` where the name says everything about the
 * result, so that whoever comes for it may have it.
 */
export const recorded = <S extends Schema.Constraint, E, R>(
  effect: Effect.Effect<S["Type"], E, R>,
  { canMove, name, schema }: { readonly name: string; readonly schema: S; readonly canMove: boolean }
): Effect.Effect<S["Type"], E | ReplayMismatch, R | S["DecodingServices"] | S["EncodingServices"]> =>
  Effect.flatMap(CurrentRun, (run) => {
    if (run === undefined) return effect
    const codec = Schema.toCodecJson(schema)
    return run.step<S["Type"], E, R | S["DecodingServices"] | S["EncodingServices"]>({
      name,
      canMove,
      effect,
      // A value that its own schema does not take is a bug of the caller.
      encode: (value) => Effect.orDie(Schema.encodeEffect(codec)(value)),
      decode: (value) => Effect.mapError(Schema.decodeUnknownEffect(codec)(value), (error) => misfit(name, error))
    })
  })

const misfit = (name: string, error: Schema.SchemaError): ReplayMismatch =>
  new ReplayMismatch({
    expected: `a result of the step ${quoteStep(name)} that fits its schema`,
    found: "another one",
    message:
      `The recorded result of the step ${quoteStep(name)} does not fit its schema: ${formatIssue(error.issue)}. ` +
      "Servers that take turns in one call have to run the same code, or to read what the others wrote."
  })
