import * as Effect from "effect/Effect"
import { SamplingError } from "../../SamplingError.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import { SamplingResponse } from "../../SamplingResponse.ts"
import { digest } from "./digest.ts"
import { recorded } from "./recorded.ts"
import { CurrentRun } from "./RoundRun.ts"
import { toJson, toPlain } from "./toJson.ts"

/**
 * Records a provider's completion. Later rounds of a call return the same one, so it is neither requested nor paid for
 * again.
 */
export const recordedCompletion = (
  provider: string,
  request: SamplingRequest,
  completion: Effect.Effect<SamplingResponse, SamplingError>
): Effect.Effect<SamplingResponse, SamplingError> =>
  Effect.flatMap(CurrentRun, (run) => {
    const content = run === undefined ? undefined : toJson(request)
    return content === undefined
      ? completion
      : Effect.flatMap(digest(content), (hash) =>
        // A field that a provider sets to undefined has no JSON form, so it is removed.
        recorded(Effect.map(completion, toPlain), {
          name: `completion ${provider} ${hash}`,
          success: SamplingResponse,
          failure: SamplingError,
          isShared: true
        }))
  })
