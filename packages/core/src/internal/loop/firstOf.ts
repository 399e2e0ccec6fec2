import * as Effect from "effect/Effect"
import type { SamplingError, SamplingUnsupported } from "../../SamplingError.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import type { SamplingResponse } from "../../SamplingResponse.ts"
import type { Primitive, SamplingRequirement } from "../sampleTypes.ts"
import { sourceAttributes } from "../trace/spanAttributes.ts"
import { traced } from "../trace/traced.ts"
import { SilenceLimit } from "./silence.ts"

export interface Options {
  /** Whether the next source is asked after this error. */
  readonly when: (error: SamplingError) => boolean
  /** The time without an answer or progress after which the next source is asked, in milliseconds. */
  readonly silenceMillis: number
}

/**
 * Asks the sources in order until one answers, or until one fails with an error for which `when` returns false. A source
 * that is silent for too long counts as one that cannot answer.
 */
export const firstOfPrimitives = (
  samplers: ReadonlyArray<Primitive>,
  { silenceMillis, when }: Options
): Primitive => {
  const movesOn = (error: SamplingError): boolean =>
    when(error) || (silenceMillis < Infinity && error._tag === "SamplingTimeout")
  const attempt = (
    index: number,
    request: SamplingRequest,
    passedOver: ReadonlyArray<SamplingError>
  ): Effect.Effect<SamplingResponse, SamplingError> => {
    const isLast = index + 1 === samplers.length
    const unlimited = samplers[index]!.createMessage(request)
    const asked = isLast || silenceMillis === Infinity
      ? unlimited
      : Effect.provideService(unlimited, SilenceLimit, silenceMillis)
    const answer = passedOver.length === 0
      ? asked
      : Effect.map(asked, (response) => ({ ...response, passedOver: [...passedOver, ...response.passedOver] }))
    return isLast
      ? answer
      : Effect.catchIf(answer, movesOn, (error) => attempt(index + 1, request, [...passedOver, error]))
  }
  const check = (index: number, requirement: SamplingRequirement): Effect.Effect<void, SamplingUnsupported> => {
    const checked = samplers[index]!.check(requirement)
    return index + 1 === samplers.length
      ? checked
      : Effect.catchIf(checked, when, () => check(index + 1, requirement))
  }
  return {
    check: (requirement) => check(0, requirement),
    createMessage: (request) => Effect.withFiber((fiber) => firstOfSpan(fiber, request, attempt(0, request, []))),
    capabilities: Effect.map(
      Effect.forEach(samplers, (sampler) => sampler.capabilities),
      // The capabilities of the first source that can be asked.
      (all) => all.find(({ sampling }) => sampling) ?? all.at(-1)!
    )
  }
}

const firstOfSpan = traced("Sampler.firstOf", {
  kind: "internal",
  requestAttributes: () => ({}),
  responseAttributes: sourceAttributes
})
