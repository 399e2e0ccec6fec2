import { ErrorCode, isJSONRPCErrorResponse, isJSONRPCResultResponse } from "@modelcontextprotocol/sdk/types.js"
import type { JSONRPCErrorResponse, JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js"

/**
 * Marks an error response that a transport of ours made up, because what the client sent could not be taken: the SDK
 * drops such messages in silence, and the request would wait for its time-out. The class identity cannot be forged.
 */
export class MalformedAnswer {
  readonly problem: string
  constructor(problem: string) {
    this.problem = problem
  }
}

export const malformedAnswer = (id: RequestId, problem: string): JSONRPCErrorResponse => ({
  jsonrpc: "2.0",
  id,
  error: { code: ErrorCode.InternalError, message: problem, data: new MalformedAnswer(problem) }
})

/**
 * An incoming message that the SDK can route: an answer whose envelope is broken becomes an error response to the same
 * request. Undefined when it is no message and belongs to no request.
 */
export const routable = (message: unknown): JSONRPCMessage | undefined => {
  if (typeof message !== "object" || message === null || Array.isArray(message)) return undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Protocol checks requests and notifications itself
  if ("method" in message) return message as JSONRPCMessage
  if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) return message
  const id: unknown = Reflect.get(message, "id")
  return typeof id === "number" || typeof id === "string"
    ? malformedAnswer(
      id,
      "its JSON-RPC response is malformed: it needs jsonrpc \"2.0\" and either an object as result or an error with code and message"
    )
    : undefined
}

/**
 * The answer that a message over the size limit stands for, told from its first and last bytes: SDK clients write the id
 * at the end, others at the start. Undefined when it is no answer or its id cannot be told.
 */
export const oversizedAnswer = (head: string, tail: string, problem: string): JSONRPCErrorResponse | undefined => {
  if (/^[^{]*\{[^{]*"method"\s*:/.test(head)) return undefined
  const id = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d+)\s*,/.exec(head) ??
    /,\s*"id"\s*:\s*(\d+)\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(tail)
  return id === null ? undefined : malformedAnswer(Number(id[1]), problem)
}
