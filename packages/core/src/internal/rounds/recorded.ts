import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ReplayMismatch } from "../../SamplingError.ts"
import { formatIssue } from "../issues.ts"
import { quoteStep } from "./failures.ts"
import { CurrentRun } from "./RoundRun.ts"

/**
 * Runs an effect as a once-step: later rounds of the call return its recorded result. `canMove` is true if the name
 * determines the result, so any fiber may take the record.
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
      // A value that does not fit its own schema is a bug of the caller.
      encode: (value) => Effect.orDie(Schema.encodeEffect(codec)(value)),
      decode: (value) => Effect.mapError(Schema.decodeUnknownEffect(codec)(value), (error) => misfit(name, error))
    })
  })

const misfit = (name: string, error: Schema.SchemaError): ReplayMismatch =>
  new ReplayMismatch({
    expected: `a result of the once-step ${quoteStep(name)} that fits its schema`,
    found: "a result that does not fit",
    message:
      `The recorded result of the once-step ${quoteStep(name)} does not fit its schema: ${formatIssue(error.issue)}. ` +
      "Servers that share calls must run the same code, or accept the results that the others recorded."
  })
