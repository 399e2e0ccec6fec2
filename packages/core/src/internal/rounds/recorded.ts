import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { ReplayMismatch } from "../../SamplingError.ts"
import { formatIssue } from "../issues.ts"
import { quoteStep } from "./failures.ts"
import type { Outcome } from "./Journal.ts"
import { CurrentRun } from "./RoundRun.ts"

/** The name of a once-step, and the Schemas of its outcomes. `isShared`: see `Step` of the run. */
export interface Recording<Success extends Schema.Constraint, Failure extends Schema.Constraint> {
  readonly name: string
  readonly success: Success
  readonly failure: Failure
  readonly isShared: boolean
}

/** The services of the Schemas of a once-step. */
export type RecordingServices<Success extends Schema.Constraint, Failure extends Schema.Constraint> =
  | Success["DecodingServices"]
  | Success["EncodingServices"]
  | Failure["DecodingServices"]
  | Failure["EncodingServices"]

/** Runs an effect as a once-step: later rounds of the call return its recorded outcome, a failure as well. */
export const recorded = <Success extends Schema.Constraint, Failure extends Schema.Constraint, R>(
  effect: Effect.Effect<Success["Type"], Failure["Type"], R>,
  { failure, isShared, name, success }: Recording<Success, Failure>
): Effect.Effect<Success["Type"], Failure["Type"], R | RecordingServices<Success, Failure>> =>
  Effect.flatMap(CurrentRun, (run) => {
    if (run === undefined) return effect
    const ofSuccess = Schema.toCodecJson(success)
    const ofFailure = Schema.toCodecJson(failure)
    return run.step<Success["Type"], Failure["Type"], R | RecordingServices<Success, Failure>>({
      name,
      isShared,
      effect,
      encode: (exit) => {
        const outcome = Exit.isSuccess(exit)
          ? toOutcome("Success", Schema.encodeEffect(ofSuccess)(exit.value))
          : isFailure(exit.cause)
          ? toOutcome("Failure", Schema.encodeEffect(ofFailure)(exit.cause.reasons.find(Cause.isFailReason)!.error))
          : Effect.undefined
        // A value that does not fit its own schema is a bug of the caller.
        return Effect.orDie(outcome)
      },
      decode: ({ _tag, value }): Effect.Effect<
        Effect.Effect<Success["Type"], Failure["Type"]>,
        ReplayMismatch,
        RecordingServices<Success, Failure>
      > =>
        _tag === "Success"
          ? Effect.mapBoth(Schema.decodeUnknownEffect(ofSuccess)(value), {
            onFailure: (error) => misfit(name, error),
            onSuccess: (decoded) => Effect.succeed(decoded)
          })
          : Effect.mapBoth(Schema.decodeUnknownEffect(ofFailure)(value), {
            onFailure: (error) => misfit(name, error),
            onSuccess: (decoded) => Effect.fail(decoded)
          })
    })
  })

const toOutcome = <E, R>(
  tag: Outcome["_tag"],
  encoded: Effect.Effect<unknown, E, R>
): Effect.Effect<Outcome, E, R> => Effect.map(encoded, (value) => ({ _tag: tag, value }))

/** Returns whether a cause is a failure and nothing else. Interruptions and defects are no outcomes. */
const isFailure = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.length > 0 && cause.reasons.every(Cause.isFailReason)

const misfit = (name: string, error: Schema.SchemaError): ReplayMismatch =>
  new ReplayMismatch({
    expected: `an outcome of the once-step ${quoteStep(name)} that fits its schemas`,
    found: "an outcome that does not fit",
    message:
      `The recorded outcome of the once-step ${quoteStep(name)} does not fit its schemas: ${
        formatIssue(error.issue)
      }. ` +
      "Servers that share calls must run the same code, or accept the outcomes that the others recorded."
  })
