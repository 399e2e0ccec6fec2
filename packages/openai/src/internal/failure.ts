import * as Predicate from "effect/Predicate"
import { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai"
import { ReplyTooLarge } from "./transport.ts"

/**
 * The details of a failed request. `text` is the provider's own error text: we match patterns against it and never show
 * it.
 *
 * - `status`: the server answered with an error
 * - `redirect`: the server sent the request elsewhere, and it was not sent there
 * - `connection`: no answer arrived, or the connection broke during the answer
 * - `timeout`: the vendor's client gave up waiting
 * - `tooLarge`: the answer is larger than the limit
 * - `notJson`: the body of the answer is not JSON
 * - `unexpected`: the vendor's client failed in another way
 */
export interface Failure {
  readonly kind: "status" | "redirect" | "connection" | "timeout" | "tooLarge" | "notJson" | "unexpected"
  readonly status?: number | undefined
  /** The status in the error itself, which says more than that of a gateway which answers 200, 400 or 500 to all. */
  readonly innerStatus?: number | undefined
  readonly code?: string | undefined
  readonly type?: string | undefined
  readonly param?: string | undefined
  readonly text?: string | undefined
  /** From Groq: what the model wrote where a `response_format` demanded JSON. */
  readonly failedGeneration?: string | undefined
  readonly retryAfterMs?: string | undefined
  readonly retryAfter?: string | undefined
}

/** Converts an error that the vendor's client threw. */
export const fromThrown = (error: unknown): Failure => {
  if (error instanceof APIConnectionTimeoutError) return { kind: "timeout" }
  if (error instanceof APIConnectionError) return { kind: "connection" }
  if (error instanceof APIError && typeof error.status === "number") {
    const headers: unknown = error.headers
    const isRedirect = error.status >= 300 && error.status < 400 && headers instanceof Headers &&
      headers.has("location")
    if (isRedirect) return { kind: "redirect", status: error.status }
    return {
      ...fromError(error.error, error.message),
      status: error.status,
      ...(headers instanceof Headers && {
        retryAfterMs: headers.get("retry-after-ms") ?? undefined,
        retryAfter: headers.get("retry-after") ?? undefined
      })
    }
  }
  if (error instanceof ReplyTooLarge) return { kind: "tooLarge" }
  if (error instanceof SyntaxError) return { kind: "notJson" }
  // fetch rejects with a TypeError when the connection breaks while the body is read.
  if (error instanceof TypeError) return { kind: "connection" }
  return { kind: "unexpected" }
}

/** Reads the error that some servers and gateways send with status 200. Returns undefined if the body has none. */
export const fromErrorBody = (body: unknown): Failure | undefined => {
  const answer: unknown = Array.isArray(body) ? body[0] : body
  if (!Predicate.isObject(answer) || hasChoices(answer)) return undefined
  const { base_resp: minimax, error } = answer
  const found = Predicate.isNotNullish(error)
    ? error
    : Predicate.isObject(minimax) && minimax["status_code"] !== 0
    ? minimax
    : answer["object"] === "error" || answer["type"] === "error" || toInnerStatus(answer) !== undefined
    ? answer
    : undefined
  if (found === undefined) return undefined
  const failure = fromError(found, undefined)
  const innerStatus = failure.innerStatus ?? toInnerStatus(answer)
  return { ...failure, status: innerStatus, innerStatus }
}

const hasChoices = ({ choices }: Record<string, unknown>): boolean => Array.isArray(choices) && choices.length > 0

/** Reads an error, which is a text or an object. Gemini wraps the object in a list and in another `error`. */
const fromError = (value: unknown, fallback: string | undefined): Failure => {
  const first: unknown = Array.isArray(value) ? value[0] : value
  const error: unknown = Predicate.isObject(first) && Predicate.isObject(first["error"]) ? first["error"] : first
  const text = [...textsOf(error)].join("\n").slice(0, longestText) || fallback
  if (!Predicate.isObject(error)) return { kind: "status", text }
  const { code, param, status, type } = error
  const failedGeneration = error["failed_generation"]
  return {
    kind: "status",
    innerStatus: toInnerStatus(error),
    code: typeof code === "string" ? code : typeof status === "string" ? status : undefined,
    type: typeof type === "string" ? type : undefined,
    param: typeof param === "string" ? param : undefined,
    text,
    failedGeneration: typeof failedGeneration === "string" ? failedGeneration : undefined
  }
}

const longestText = 20_000

/** The members in which servers explain an error. No other member is read: some servers repeat the request in them. */
const explanations = ["message", "error", "detail", "details", "msg", "status_msg", "reason", "loc", "metadata", "raw"]

function* textsOf(value: unknown, depth = 0): Iterable<string> {
  if (typeof value === "string") yield value
  else if (depth < 5 && Array.isArray(value)) { for (const each of value.slice(0, 20)) yield* textsOf(each, depth + 1) }
  else if (depth < 5 && Predicate.isObject(value)) {
    for (const name of explanations) yield* textsOf(value[name], depth + 1)
  }
}

/** Servers write the status as a number or a text, under several names. */
const toInnerStatus = (error: Record<string, unknown>): number | undefined =>
  ["code", "status", "status_code", "statusCode"].map((name) => toStatus(error[name])).find(Predicate.isNotUndefined)

const toStatus = (code: unknown): number | undefined => {
  const status = typeof code === "string" && /^\s*\d{3}\s*$/.test(code) ? Number(code) : code
  return typeof status === "number" && Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined
}
