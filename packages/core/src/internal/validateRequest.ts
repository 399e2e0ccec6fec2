import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { InvalidRequest } from "../SamplingError.ts"
import { SamplingRequest } from "../SamplingRequest.ts"
import { compiled } from "./compiled.ts"
import { formatIssue } from "./issues.ts"
import { findPairingProblem } from "./toolPairing.ts"
import { wellFormedRequest } from "./wellFormed.ts"

const decode = Schema.decodeUnknownResult(compiled(SamplingRequest), { errors: "all" })

/** A request as callers wrote it, checked against every rule before anything is sent. */
export const validateRequest = (request: unknown): Result.Result<SamplingRequest, InvalidRequest> => {
  const decoded = decode(request)
  if (Result.isFailure(decoded)) return Result.fail(invalidRequest(formatIssue(decoded.failure.issue)))
  const problem = findPairingProblem(decoded.success.messages)
  return problem === undefined
    ? Result.succeed(wellFormedRequest(decoded.success))
    : Result.fail(invalidRequest(problem))
}

export const invalidRequest = (problem: string): InvalidRequest =>
  new InvalidRequest({ message: `The sampling request is invalid and was not sent: ${problem}` })
