/**
 * Messages that are too large to be read, as far as their first and last bytes tell: for adapters.
 *
 * @since 0.1.0
 */
import type { RequestId } from "../Sdk.ts"

/**
 * A message over the size limit, as far as its first and last bytes tell.
 *
 * @category models
 * @since 0.1.0
 */
export interface OversizedMessage {
  readonly kind: "answer" | "request"
  readonly id: RequestId
}

/**
 * What a message over the size limit is: SDK clients write the id at the end, others at the start. Undefined when its id
 * cannot be told.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (head: string, tail: string): OversizedMessage | undefined => {
  const found = idAtStart.exec(head) ?? idAtEnd.exec(tail)
  if (found === null) return undefined
  const id: unknown = JSON.parse(found[1]!)
  if (typeof id !== "number" && typeof id !== "string") return undefined
  return { kind: methodAtStart.test(head) || methodAtEnd.test(tail) ? "request" : "answer", id }
}

// Each looks at the outermost object only: what comes before its first or after its last inner brace.
const idAtStart = /^\s*\{[^{[]*?"id"\s*:\s*(\d+|"[^"\\{[]*")\s*,/
const idAtEnd = /,\s*"id"\s*:\s*(\d+|"[^"\\]*")\s*(?:,\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*)*\}\s*$/
const methodAtStart = /^\s*\{[^{[]*"method"\s*:/
const methodAtEnd = /,\s*"method"\s*:\s*"[^"\\]*"\s*(?:,\s*"(?:jsonrpc|id)"\s*:\s*(?:\d+|"[^"\\]*")\s*)*\}\s*$/
