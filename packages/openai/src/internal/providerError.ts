import { InvalidResponse, ProviderError } from "@effect-sampling/core/SamplingError"
import type { ProviderErrorReason } from "@effect-sampling/core/SamplingError"
import { withAdvice } from "@effect-sampling/core/wire/Advice"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { reasonInWords, refusedPart, saysContextLength } from "./errorWords.ts"
import type { Failure } from "./failure.ts"

interface ErrorContext {
  readonly provider: string
  readonly model: string
  readonly settings: SettingNames
}

/**
 * What the settings are called where they were made, for messages that say which of them to look at: the option, and the
 * variable that it was read from.
 */
export interface SettingNames {
  readonly apiKey: string
  readonly baseUrl: string
  readonly model: string
}

/** Converts a failure to the error that the caller sees. The error never contains text of the provider. */
export const toSamplingError = (
  context: ErrorContext,
  failure: Failure,
  nowMillis: number
): ProviderError | InvalidResponse => {
  if (failure.kind === "notJson") return notJson(context)
  const reason = toReason(failure)
  const retryAfterMillis = toRetryAfterMillis(failure, nowMillis)
  const status = failure.status === undefined ? "" : ` (HTTP ${failure.status})`
  const says = `The provider "${context.provider}" ${explain(context, reason, failure)}${status}.`
  return withAdvice(
    new ProviderError({
      provider: context.provider,
      reason,
      ...(failure.status !== undefined && { status: failure.status }),
      ...(retryAfterMillis !== undefined && { retryAfterMillis }),
      message: `${says}${hints[reason]}`
    }),
    advise(context, reason, failure)
  )
}

const notJson = ({ provider, settings }: ErrorContext): InvalidResponse =>
  withAdvice(
    new InvalidResponse({
      message:
        `The provider "${provider}" answered with a body that is not JSON: its baseUrl may be that of something ` +
        "else."
    }),
    `Check that ${settings.baseUrl} points to an OpenAI-compatible API (the URL often ends in /v1) and that no proxy ` +
      "answers in its place."
  )

export const timedOut = (provider: string, millis: number): ProviderError =>
  withAdvice(
    new ProviderError({
      provider,
      reason: "timeout",
      message: `The provider "${provider}" did not answer within ${millis} ms.${hints.timeout}`
    }),
    slow
  )

export const toReason = (failure: Failure): ProviderErrorReason => {
  switch (failure.kind) {
    case "timeout":
      return "timeout"
    case "connection":
      return "unavailable"
    case "redirect":
      return "notFound"
    case "tooLarge":
      return "badRequest"
    default:
      return toStatusReason(failure, failure.text ?? "")
  }
}

const toStatusReason = (failure: Failure, text: string): ProviderErrorReason => {
  const status = telling(failure)
  const named = [failure.code, failure.type].map((code) => byCode.get(code?.toLowerCase() ?? "")).find(
    Predicate.isNotUndefined
  )
  if (status !== 401 && status !== 402 && saysContextLength(text, status === 429 || named === "rateLimit")) {
    return "contextLength"
  }
  if (named !== undefined) return named
  if (status === undefined || vague.has(status)) {
    if (refusedPart(text) !== undefined) return "badRequest"
    const reason = reasonInWords(text)
    if (reason !== undefined && (status !== 403 || beyondTheKey.has(reason))) return reason
  }
  if (status === undefined || status >= 500 || status < 400) return "unavailable"
  return byStatus.get(status) ?? "badRequest"
}

/** Gateways answer 400 or 500 to everything; the status in the error itself is then the one of the provider. */
const telling = ({ innerStatus, status }: Failure): number | undefined =>
  status === undefined || status === 400 || status >= 500 ? innerStatus ?? status : status

/** Statuses that servers answer for reasons of any kind. */
const vague: ReadonlySet<number> = new Set([400, 403, 404, 409, 422, 500])

/** The reasons for a status 403 other than the key. */
const beyondTheKey: ReadonlySet<ProviderErrorReason> = new Set(["quota", "contentFilter", "rateLimit"])

// The error codes and types of OpenAI, Azure OpenAI, Anthropic, Google, llama.cpp, GitHub and gateways, in lower case.
const byCode: ReadonlyMap<string, ProviderErrorReason> = new Map([
  ["insufficient_quota", "quota"],
  ["exceeded_current_quota_error", "quota"],
  ["billing_error", "quota"],
  ["billing_not_active", "quota"],
  ["billing_hard_limit_reached", "quota"],
  ["context_length_exceeded", "contextLength"],
  ["exceed_context_size_error", "contextLength"],
  ["tokens_limit_reached", "contextLength"],
  ["model_max_prompt_tokens_exceeded", "contextLength"],
  ["request_too_large", "contextLength"],
  ["content_policy_violation", "contentFilter"],
  ["content_filter", "contentFilter"],
  ["moderation_blocked", "contentFilter"],
  ["responsibleaipolicyviolation", "contentFilter"],
  ["data_inspection_failed", "contentFilter"],
  ["invalid_api_key", "auth"],
  ["authentication_error", "auth"],
  ["permission_error", "auth"],
  ["unauthenticated", "auth"],
  ["permission_denied", "auth"],
  ["model_not_found", "notFound"],
  ["not_found_error", "notFound"],
  ["rate_limit_exceeded", "rateLimit"],
  ["rate_limit_error", "rateLimit"],
  ["resource_exhausted", "rateLimit"],
  ["overloaded_error", "unavailable"],
  ["unavailable", "unavailable"],
  ["timeout_error", "timeout"],
  ["deadline_exceeded", "timeout"]
])

const byStatus: ReadonlyMap<number, ProviderErrorReason> = new Map([
  [401, "auth"],
  [402, "quota"],
  [403, "auth"],
  [404, "notFound"],
  [405, "notFound"],
  [408, "timeout"],
  [410, "notFound"],
  [413, "contextLength"],
  [429, "rateLimit"]
])

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
      return failure.kind === "redirect"
        ? "redirected the request away from its baseUrl, and the prompt was not sent there"
        : `does not know the model "${context.model}" or the endpoint under its baseUrl`
    case "badRequest":
      return failure.kind === "tooLarge"
        ? "sent an answer that is larger than the limit (maxReplyBytes), which was not read to its end"
        : `did not accept ${
          refusedPart(failure.text ?? "")?.what ?? parameterOf(failure) ?? "the request"
        } for the model "${context.model}"`
    case "timeout":
      return "did not answer in time"
    case "unavailable":
      return failure.kind === "connection"
        ? "cannot be reached at its baseUrl, or the connection broke"
        : failure.kind === "unexpected"
        ? "could not be asked, because its client library failed"
        : failure.kind === "status" && failure.status === undefined
        ? "failed or is overloaded, or its baseUrl is that of something else"
        : "failed or is overloaded"
  }
}

const slow = "Raise timeout, lower maxTokens, or use a faster model."

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
const advise = ({ settings }: ErrorContext, reason: ProviderErrorReason, failure: Failure): string => {
  switch (reason) {
    case "auth":
      return `Check ${settings.apiKey}, and whether that key may use this model.`
    case "rateLimit":
      return "Send fewer requests at once."
    case "quota":
      return "Check the plan and the billing of the account."
    case "contextLength":
      return "Lower maxTokens, or use a model with a larger context."
    case "contentFilter":
      return "Check what the prompts contain."
    case "notFound":
      return failure.kind === "redirect"
        ? `Set ${settings.baseUrl} to the URL of the API itself, which often ends in /v1.`
        : `Check ${settings.model} and ${settings.baseUrl}, which often ends in /v1.`
    case "badRequest":
      return failure.kind === "tooLarge"
        ? `Raise maxReplyBytes, lower maxTokens, or check that ${settings.baseUrl} points to the API.`
        : refusedPart(failure.text ?? "")?.advice ?? adviseParameter(failure)
    case "timeout":
      return slow
    case "unavailable":
      return failure.kind === "connection"
        ? `Check that the server runs, and that ${settings.baseUrl} points to it.`
        : failure.kind === "status" && failure.status === undefined
        ? `Look at the state of the provider, and check ${settings.baseUrl}, which often ends in /v1.`
        : "Look at the state of the provider."
  }
}

const adviseParameter = (failure: Failure): string =>
  parameterOf(failure) === undefined
    ? "Check that the model supports everything in the request: temperature, stop sequences, tools, images, audio."
    : "Change that part of the request, or use another model."

const parameterOf = (failure: Failure): string | undefined =>
  parameters.find(([name]) => failure.param?.split(/[.[]/, 1)[0] === name)?.[1]

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
