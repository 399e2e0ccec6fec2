import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { InvalidRequest } from "../../SamplingError.ts"
import { SamplingRequest } from "../../SamplingRequest.ts"
import { compiled } from "../compiled.ts"
import { formatIssue } from "../issues.ts"
import { findPairingProblem } from "../loop/toolPairing.ts"
import { wellFormed } from "../wellFormed.ts"
import { withoutEmpty } from "./emptyContent.ts"

const isRequest = Schema.is(compiled(SamplingRequest))

const decode = Schema.decodeUnknownResult(SamplingRequest, { errors: "all" })

/**
 * Checks a caller's request against all rules before anything is sent. Leaves out what is empty, and replaces lone surrogates
 * in texts.
 */
export const validateRequest = (request: unknown): Result.Result<SamplingRequest, InvalidRequest> => {
  if (!isRequest(request)) {
    const decoded = decode(request)
    return Result.fail(invalidRequest(Result.isFailure(decoded) ? formatIssue(decoded.failure.issue) : "not a request"))
  }
  const problem = findPairingProblem(request.messages)
  if (problem !== undefined) return Result.fail(invalidRequest(problem))
  const messages = withoutEmpty(request.messages)
  if (messages.length === 0) return Result.fail(invalidRequest("messages: No message has any content"))
  return Result.succeed(wellFormed(messages === request.messages ? request : { ...request, messages }))
}

export const invalidRequest = (problem: string): InvalidRequest =>
  new InvalidRequest({ message: `The sampling request is invalid and was not sent: ${problem}` })
