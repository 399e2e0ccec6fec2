import * as Predicate from "effect/Predicate"
import { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai"

/**
 * The details of a failed request. `text` is the provider's own error text: we match patterns against it and never show
 * it.
 *
 * - `status`: the server answered with an error
 * - `connection`: no answer arrived, or the connection broke during the answer
 * - `timeout`: the vendor's client gave up waiting
 * - `notJson`: the body of the answer is not JSON
 * - `unexpected`: the vendor's client failed in another way
 */
export interface Failure {
  readonly kind: "status" | "connection" | "timeout" | "notJson" | "unexpected"
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly type?: string | undefined
  readonly param?: string | undefined
  readonly text?: string | undefined
  readonly retryAfterMs?: string | undefined
  readonly retryAfter?: string | undefined
}

/** Converts an error that the vendor's client threw. */
export const fromThrown = (error: unknown): Failure => {
  if (error instanceof APIConnectionTimeoutError) return { kind: "timeout" }
  if (error instanceof APIConnectionError) return { kind: "connection" }
  if (error instanceof APIError && typeof error.status === "number") {
    const headers: unknown = error.headers
    return {
      ...fromBody({ error: error.error }, error.message),
      kind: "status",
      status: error.status,
      ...(headers instanceof Headers && {
        retryAfterMs: headers.get("retry-after-ms") ?? undefined,
        retryAfter: headers.get("retry-after") ?? undefined
      })
    }
  }
  if (error instanceof SyntaxError) return { kind: "notJson" }
  // fetch rejects with a TypeError when the connection breaks while the body is read.
  if (error instanceof TypeError) return { kind: "connection" }
  return { kind: "unexpected" }
}

/** Reads the error object that some gateways send with status 200. Returns undefined if the body has none. */
export const fromErrorBody = (body: unknown): Failure | undefined =>
  Predicate.isObject(body) && body["error"] !== undefined && body["error"] !== null && !hasChoices(body)
    ? fromBody(body, undefined)
    : undefined

const hasChoices = ({ choices }: Record<string, unknown>): boolean => Array.isArray(choices) && choices.length > 0

const fromBody = (body: Record<string, unknown>, fallback: string | undefined): Failure => {
  const error = body["error"]
  if (!Predicate.isObject(error)) return { kind: "status", text: typeof error === "string" ? error : fallback }
  const code = error["code"]
  return {
    kind: "status",
    status: toStatus(code),
    code: typeof code === "string" ? code : undefined,
    type: typeof error["type"] === "string" ? error["type"] : undefined,
    param: typeof error["param"] === "string" ? error["param"] : undefined,
    text: typeof error["message"] === "string" ? error["message"] : fallback
  }
}

const toStatus = (code: unknown): number | undefined =>
  typeof code === "number" && Number.isInteger(code) && code >= 400 && code < 600 ? code : undefined
