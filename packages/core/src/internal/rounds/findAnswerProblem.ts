import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ClientRequest } from "../../ClientConnection.ts"
import { CreateMessageResult } from "../../SamplingResponse.ts"
import { ElicitResult, ListRootsResult } from "../clientResults.ts"
import { compiled } from "../compiled.ts"
import { formatIssue } from "../issues.ts"
import { isRefusal } from "../request/isRefusal.ts"

const decoders = {
  "sampling/createMessage": Schema.decodeUnknownResult(compiled(CreateMessageResult)),
  "elicitation/create": Schema.decodeUnknownResult(compiled(ElicitResult)),
  "roots/list": Schema.decodeUnknownResult(compiled(ListRootsResult))
}

/** Returns what is wrong with an answer to a request of this method, or undefined if it is valid. */
export const findAnswerProblem = (method: ClientRequest["method"], answer: unknown): string | undefined => {
  if (method === "sampling/createMessage" && isRefusal(answer)) return undefined
  const decoded: Result.Result<unknown, Schema.SchemaError> = decoders[method](answer)
  return Result.isFailure(decoded) ? formatIssue(decoded.failure.issue) : undefined
}
