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
  if ("method" in message && !("result" in message) && !("error" in message)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Protocol checks requests and notifications itself
    return message as JSONRPCMessage
  }
  if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) return message
  const id: unknown = Reflect.get(message, "id")
  return typeof id === "number" || typeof id === "string"
    ? malformedAnswer(
      id,
      "its JSON-RPC response is malformed: it needs jsonrpc \"2.0\" and either an object as result or an error with code and message"
    )
    : undefined
}

/** A message over the size limit, as far as its first and last bytes tell. */
export interface OversizedMessage {
  readonly kind: "answer" | "request"
  readonly id: RequestId
}

/**
 * What a message over the size limit is: SDK clients write the id at the end, others at the start. Undefined when its id
 * cannot be told.
 */
export const oversizedMessage = (head: string, tail: string): OversizedMessage | undefined => {
  const found = idAtStart.exec(head) ?? idAtEnd.exec(tail)
  if (found === null) return undefined
  const id: unknown = JSON.parse(found[1]!)
  if (typeof id !== "number" && typeof id !== "string") return undefined
  return { kind: methodAtStart.test(head) || methodAtEnd.test(tail) ? "request" : "answer", id }
}

/** The error response to the server that stands for an answer over the size limit, if it is one. */
export const oversizedAnswer = (head: string, tail: string, problem: string): JSONRPCErrorResponse | undefined => {
  const message = oversizedMessage(head, tail)
  return message?.kind === "answer" ? malformedAnswer(message.id, problem) : undefined
}

// Each looks at the outermost object only: what comes before its first or after its last inner brace.
const idAtStart = /^\s*\{[^{[]*?"id"\s*:\s*(\d+|"[^"\\{[]*")\s*,/
const idAtEnd = /,\s*"id"\s*:\s*(\d+|"[^"\\]*")\s*(?:,\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*)*\}\s*$/
const methodAtStart = /^\s*\{[^{[]*"method"\s*:/
const methodAtEnd = /,\s*"method"\s*:\s*"[^"\\]*"\s*(?:,\s*"(?:jsonrpc|id)"\s*:\s*(?:\d+|"[^"\\]*")\s*)*\}\s*$/
