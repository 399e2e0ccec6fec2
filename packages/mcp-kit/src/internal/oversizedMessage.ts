/** Identifies messages that are too large or nested too deep to be read, by their first and last bytes. */
import type { RequestId } from "../Sdk.ts"
import { sampleBytes } from "./bytes.ts"

/** The kind and the id of a message that is not read. */
export interface OversizedMessage {
  readonly kind: "answer" | "request"
  readonly id: RequestId
}

/**
 * Reads the kind and the id of a message that is too large or nested too deep from its first and last bytes. SDK clients write the id at
 * the end, other clients at the start. Returns undefined if neither place shows an id.
 */
export const make = (head: string, tail: string): OversizedMessage | undefined => {
  const found = idAtStart.exec(head) ?? idAtEnd.exec(tail)
  if (found === null) return undefined
  const id: unknown = JSON.parse(found[1]!)
  if (typeof id !== "number" && typeof id !== "string") return undefined
  return { kind: methodAtStart.test(head) || methodAtEnd.test(tail) ? "request" : "answer", id }
}

/** Returns the parts of a message by which `make` identifies it. */
export const endsOf = (text: string): { readonly head: string; readonly tail: string } => ({
  head: text.slice(0, sampleBytes),
  tail: text.slice(-sampleBytes)
})

// Each pattern matches in the outermost object only: before its first inner brace, or after its last one.
const idAtStart = /^\s*\{[^{[]*?"id"\s*:\s*(\d+|"[^"\\{[]*")\s*,/
const idAtEnd = /,\s*"id"\s*:\s*(\d+|"[^"\\]*")\s*(?:,\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*)*\}\s*$/
const methodAtStart = /^\s*\{[^{[]*"method"\s*:/
const methodAtEnd = /,\s*"method"\s*:\s*"[^"\\]*"\s*(?:,\s*"(?:jsonrpc|id)"\s*:\s*(?:\d+|"[^"\\]*")\s*)*\}\s*$/
