import * as Result from "effect/Result"
import { blocks } from "../../Content.ts"
import { ClientError, InvalidResponse, ProviderError, SamplingRejected } from "../../SamplingError.ts"
import type { SamplingError } from "../../SamplingError.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import type { SamplingResponse } from "../../SamplingResponse.ts"
import { quote } from "../quote.ts"
import { withoutReasoning } from "../reasoning.ts"
import { toStopReason } from "../stopReasons.ts"
import type { StopReason } from "../stopReasons.ts"
import { findPairingBreach } from "./toolPairing.ts"

/**
 * Decides, once for all sources, whether a response is an answer. Returns it with its stop reason in MCP's words, and
 * without the reasoning that its model wrote into its text.
 *
 * A response whose generation failed is never an answer, even if it holds half of a text. A response that a content
 * filter or a refusal left empty is none either: a tool would otherwise return an empty text as its result. What a
 * filter cut short after some content is an answer, and its stop reason says what happened.
 */
export const checkAnswer = (
  request: SamplingRequest,
  given: SamplingResponse
): Result.Result<SamplingResponse, SamplingError> => {
  const { stopReason } = given
  const known = stopReason === undefined ? undefined : toStopReason(stopReason)
  const content = withoutReasoning(request, given.content)
  const response = content === given.content && (known === undefined || known === stopReason)
    ? given
    : { ...given, content, ...(known !== undefined && { stopReason: known }) }
  const failure = known === undefined ? undefined : failureOf(response, known)
  if (failure !== undefined) return Result.fail(failure)
  const problem = findPairingBreach(request, response)
  return problem === undefined
    ? Result.succeed(response)
    : Result.fail(
      new InvalidResponse({
        message: `The answer of the ${response.source.kind} ${quote(response.source.name)} is not a valid sampling ` +
          `result: ${problem}.`
      })
    )
}

const failureOf = (response: SamplingResponse, stopReason: StopReason): SamplingError | undefined =>
  stopReason === "error"
    ? brokenOff(response)
    : (stopReason === "contentFilter" || stopReason === "refusal") && isEmpty(response)
    ? withheld(response, stopReason)
    : undefined

const isEmpty = ({ content }: SamplingResponse): boolean =>
  blocks(content).every((block) => block.type === "text" && block.text.trim() === "")

const brokenOff = ({ source: { kind, name } }: SamplingResponse): SamplingError =>
  kind === "provider"
    ? new ProviderError({
      provider: name,
      reason: "unavailable",
      message:
        `The provider "${name}" failed while its model was answering, so the reply is incomplete. Try again later.`
    })
    : new ClientError({
      code: internalError,
      message: `The model of the ${kind} ${quote(name)} failed while it was answering, so the reply is incomplete. ` +
        "Try again later."
    })

const internalError = -32_603

const withheld = ({ source: { kind, name } }: SamplingResponse, stopReason: StopReason): SamplingError => {
  const cause = stopReason === "refusal" ? "its model refused" : "a content filter withheld the reply"
  return kind === "provider"
    ? new ProviderError({
      provider: name,
      reason: "contentFilter",
      message: `The provider "${name}" returned no content, because ${cause}. Change the prompt.`
    })
    : new SamplingRejected({
      message: `The ${kind} ${quote(name)} returned no content, because ${cause}. Change the prompt.`
    })
}
