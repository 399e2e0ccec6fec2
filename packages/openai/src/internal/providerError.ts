import { InvalidResponse, ProviderError } from "@effect-sampling/core/SamplingError"
import type { ProviderErrorReason } from "@effect-sampling/core/SamplingError"
import { withAdvice } from "@effect-sampling/core/wire/Advice"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { Failure } from "./failure.ts"

interface ErrorContext {
  readonly provider: string
  readonly model: string
}

/** Converts a failure to the error that the caller sees. The error never contains text of the provider. */
export const toSamplingError = (
  context: ErrorContext,
  failure: Failure,
  nowMillis: number
): ProviderError | InvalidResponse => {
  if (failure.kind === "notJson") return notJson(context.provider)
  const reason = toReason(failure)
  const retryAfterMillis = toRetryAfterMillis(failure, nowMillis)
  const status = failure.status === undefined ? "" : ` (HTTP ${failure.status})`
  return withAdvice(
    new ProviderError({
      provider: context.provider,
      reason,
      ...(failure.status !== undefined && { status: failure.status }),
      ...(retryAfterMillis !== undefined && { retryAfterMillis }),
      message: `The provider "${context.provider}" ${explain(context, reason, failure)}${status}.${hints[reason]}`
    }),
    advise(reason, failure)
  )
}

const notJson = (provider: string): InvalidResponse =>
  withAdvice(
    new InvalidResponse({
      message:
        `The provider "${provider}" answered with a body that is not JSON: its baseUrl may be that of something ` +
        "else."
    }),
    "Check that baseUrl points to an OpenAI-compatible API (the URL often ends in /v1) and that no proxy answers in " +
      "its place."
  )

export const timedOut = (provider: string, millis: number): ProviderError =>
  withAdvice(
    new ProviderError({
      provider,
      reason: "timeout",
      message: `The provider "${provider}" did not answer within ${millis} ms.${hints.timeout}`
    }),
    advise("timeout")
  )

const toReason = (failure: Failure): ProviderErrorReason => {
  const { status } = failure
  if (failure.kind === "timeout") return "timeout"
  if (failure.kind === "connection") return "unavailable"
  const named = byCode.get(failure.code ?? "") ?? byCode.get(failure.type ?? "")
  if (named !== undefined) return named
  if (isContextLength(failure)) return "contextLength"
  if (status === undefined || status >= 500 || status < 400) return "unavailable"
  return byStatus.get(status) ?? "badRequest"
}

// The error codes and types of OpenAI, Azure OpenAI, llama.cpp and gateways.
const byCode: ReadonlyMap<string, ProviderErrorReason> = new Map([
  ["insufficient_quota", "quota"],
  ["billing_not_active", "quota"],
  ["billing_hard_limit_reached", "quota"],
  ["context_length_exceeded", "contextLength"],
  ["exceed_context_size_error", "contextLength"],
  ["content_policy_violation", "contentFilter"],
  ["content_filter", "contentFilter"],
  ["moderation_blocked", "contentFilter"],
  ["ResponsibleAIPolicyViolation", "contentFilter"],
  ["invalid_api_key", "auth"],
  ["authentication_error", "auth"],
  ["permission_error", "auth"],
  ["model_not_found", "notFound"],
  ["rate_limit_exceeded", "rateLimit"]
])

const byStatus: ReadonlyMap<number, ProviderErrorReason> = new Map([
  [401, "auth"],
  [402, "quota"],
  [403, "auth"],
  [404, "notFound"],
  [408, "timeout"],
  [413, "contextLength"],
  [429, "rateLimit"]
])

/** vLLM, LM Studio and others report an exceeded context only in the error text, without a code. */
const isContextLength = (failure: Failure): boolean =>
  (failure.status === 400 || failure.status === 422) &&
  /maximum context length|context (length|window|size)/i.test(failure.text ?? "")

const explain = (context: ErrorContext, reason: ProviderErrorReason, failure: Failure): string => {
  switch (reason) {
    case "auth":
      return "refused the API key"
    case "rateLimit":
      return "received too many requests"
    case "quota":
      return "reports that the account has no credit left"
    case "contextLength":
      return `cannot fit the prompt into the context of the model "${context.model}"`
    case "contentFilter":
      return "refused the content of this request"
    case "notFound":
      return `does not know the model "${context.model}" or the endpoint under its baseUrl`
    case "badRequest":
      return `did not accept ${parameterOf(failure) ?? "the request"} for the model "${context.model}"`
    case "timeout":
      return "did not answer in time"
    case "unavailable":
      return failure.kind === "connection"
        ? "cannot be reached at its baseUrl, or the connection broke"
        : failure.kind === "unexpected"
        ? "could not be asked, because its client library failed"
        : "failed or is overloaded"
  }
}

/** What the model of the host and its user can do. */
const hints: Readonly<Record<ProviderErrorReason, string>> = {
  auth: "",
  rateLimit: " Try again later.",
  quota: "",
  contextLength: " Shorten the prompt.",
  contentFilter: " Change the prompt.",
  notFound: "",
  badRequest: "",
  timeout: " Ask for less.",
  unavailable: " Try again later."
}

/** What the operator of the server can do. */
const advise = (reason: ProviderErrorReason, failure?: Failure): string => {
  switch (reason) {
    case "auth":
      return "Check apiKey (OPENAI_API_KEY), and whether that key may use this model."
    case "rateLimit":
      return "Send fewer requests at once."
    case "quota":
      return "Check the plan and the billing of the account."
    case "contextLength":
      return "Lower maxTokens, or use a model with a larger context."
    case "contentFilter":
      return "Check what the prompts contain."
    case "notFound":
      return "Check model (OPENAI_MODEL) and baseUrl (OPENAI_BASE_URL), which often ends in /v1."
    case "badRequest":
      return adviseParameter(failure)
    case "timeout":
      return "Raise timeout, lower maxTokens, or use a faster model."
    case "unavailable":
      return failure?.kind === "connection"
        ? "Check that the server runs, and that baseUrl (OPENAI_BASE_URL) points to it."
        : "Look at the state of the provider."
  }
}

const adviseParameter = (failure: Failure | undefined): string =>
  parameterOf(failure) === undefined
    ? "Check that the model supports everything in the request: temperature, stop sequences, tools, images, audio."
    : "Change that part of the request, or use another model."

const parameterOf = (failure: Failure | undefined): string | undefined =>
  parameters.find(([name]) => failure?.param?.split(/[.[]/, 1)[0] === name)?.[1]

const parameters = [
  ["messages", "the messages"],
  ["model", "the model"],
  ["max_tokens", "maxTokens"],
  ["max_completion_tokens", "maxTokens"],
  ["temperature", "temperature"],
  ["stop", "stopSequences"],
  ["tools", "the tools"],
  ["tool_choice", "toolChoice"],
  ["response_format", "the responseFormat"],
  ["metadata", "metadata"],
  ["store", "store"]
] as const

const toRetryAfterMillis = (failure: Failure, nowMillis: number): number | undefined => {
  const millis = toNumber(failure.retryAfterMs)
  if (millis !== undefined) return millis
  const seconds = toNumber(failure.retryAfter)
  if (seconds !== undefined) return seconds * 1000
  // An HTTP date starts with its weekday. The parser alone would also accept "-1" and "2030" as dates.
  const date = /^\s*[A-Z][a-z]+,? /.test(failure.retryAfter ?? "")
    ? DateTime.make(failure.retryAfter ?? "")
    : Option.none()
  return Option.isSome(date) ? Math.max(0, DateTime.toEpochMillis(date.value) - nowMillis) : undefined
}

// A number of more than 12 digits is not a plausible wait.
const toNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\s*\d{1,12}(\.\d+)?\s*$/.test(text) ? Number(text) : undefined
