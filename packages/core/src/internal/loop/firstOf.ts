import * as Effect from "effect/Effect"
import type { SamplingError } from "../../SamplingError.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import type { SamplingResponse } from "../../SamplingResponse.ts"
import type { Primitive } from "../sampleTypes.ts"
import { sourceAttributes } from "../trace/spanAttributes.ts"
import { traced } from "../trace/traced.ts"

/** Asks the sources in order until one answers, or until one fails with an error for which `when` returns false. */
export const firstOfPrimitives = (
  samplers: ReadonlyArray<Primitive>,
  when: (error: SamplingError) => boolean
): Primitive => {
  const attempt = (
    index: number,
    request: SamplingRequest,
    passedOver: ReadonlyArray<SamplingError>
  ): Effect.Effect<SamplingResponse, SamplingError> => {
    const asked = samplers[index]!.createMessage(request)
    const answer = passedOver.length === 0
      ? asked
      : Effect.map(asked, (response) => ({ ...response, passedOver: [...passedOver, ...response.passedOver] }))
    return index + 1 < samplers.length
      ? Effect.catchIf(answer, when, (error) => attempt(index + 1, request, [...passedOver, error]))
      : answer
  }
  return {
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
