import type * as AiError from "effect/ai/AiError"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { InvalidResponse, ProviderError, SamplingUnsupported } from "../../SamplingError.ts"
import type { ProviderErrorReason, SamplingError } from "../../SamplingError.ts"
import { withAdvice } from "../advice.ts"
import { samplingErrorOf } from "./toAiError.ts"

/** Converts the error of a language model to a `SamplingError`. The result holds no text that the provider wrote. */
export const fromAiError = (provider: string, error: AiError.AiError): SamplingError =>
  Option.getOrElse(samplingErrorOf(error), () => fromReason(provider, error.reason))

const fromReason = (provider: string, reason: AiError.AiErrorReason): SamplingError => {
  const status = statusOf(reason)
  switch (reason._tag) {
    case "RateLimitError":
      return providerError(provider, "rateLimit", status, reason.retryAfter)
    case "QuotaExhaustedError":
      return providerError(provider, "quota", status)
    case "AuthenticationError":
      return providerError(provider, "auth", status)
    case "ContentPolicyError":
      return providerError(provider, "contentFilter", status)
    case "InvalidRequestError":
      return providerError(
        provider,
        isContextLength(reason.description) ? "contextLength" : byStatus(status) ?? "badRequest",
        status
      )
    case "NetworkError":
      return providerError(provider, reason.reason === "TransportError" ? "unavailable" : "badRequest", status)
    case "InternalProviderError":
      return providerError(provider, byStatus(status) ?? "unavailable", status)
    case "UnknownError":
      return providerError(provider, byStatus(status) ?? "badRequest", status)
    case "InvalidUserInputError":
      return withAdvice(
        new SamplingUnsupported({
          missing: "content",
          message:
            `The provider "${provider}" does not accept some content of this request: it does not support a file of ` +
            "that kind, or not in that position. Leave the file out."
        }),
        "Use another provider for such content."
      )
    case "UnsupportedSchemaError":
    case "ToolConfigurationError":
    case "ToolkitRequiredError":
    case "InvalidToolResultError":
    case "ToolResultEncodingError":
      return providerError(provider, "badRequest", status)
    case "InvalidResponseError":
    case "InvalidOutputError":
    case "StructuredOutputError":
    case "ToolNotFoundError":
    case "ToolParameterValidationError":
      return withAdvice(
        new InvalidResponse({
          message: `The provider "${provider}" returned an answer that cannot be read. Ask again.`
        }),
        "Use another model."
      )
  }
}

const statusOf = (reason: AiError.AiErrorReason): number | undefined =>
  "http" in reason ? reason.http?.response?.status : undefined

const byStatus = (status: number | undefined): ProviderErrorReason | undefined => {
  switch (status) {
    case 402:
      return "quota"
    case 404:
      return "notFound"
    case 408:
      return "timeout"
    case 413:
      return "contextLength"
    default:
      return status !== undefined && status >= 500 ? "unavailable" : undefined
  }
}

/** Recognizes an exceeded context length by its text, because `effect/ai` has no reason for it. */
const isContextLength = (description: string | undefined): boolean =>
  /maximum context length|context (length|window|size)|context_length_exceeded|prompt is too long/i.test(
    description ?? ""
  )

const providerError = (
  provider: string,
  reason: ProviderErrorReason,
  status: number | undefined,
  retryAfter?: Duration.Duration
): ProviderError =>
  withAdvice(
    new ProviderError({
      provider,
      reason,
      ...(status !== undefined && { status }),
      ...(retryAfter !== undefined && Duration.isFinite(retryAfter) &&
        { retryAfterMillis: Duration.toMillis(retryAfter) }),
      message: `The provider "${provider}" ${explanations[reason]}${status === undefined ? "" : ` (HTTP ${status})`}.${
        hints[reason]
      }`
    }),
    advice[reason]
  )

const explanations: Readonly<Record<ProviderErrorReason, string>> = {
  auth: "refused the API key",
  rateLimit: "received too many requests",
  quota: "says that the account has no credit left",
  contextLength: "cannot fit the prompt into the context of its model",
  contentFilter: "refused the content of this request",
  notFound: "does not know the model or the endpoint",
  badRequest: "did not accept the request",
  unavailable: "failed, is overloaded or cannot be reached",
  timeout: "did not answer in time"
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
  unavailable: " Try again later.",
  timeout: " Ask for less."
}

/** What the operator of the server can do. */
const advice: Readonly<Record<ProviderErrorReason, string>> = {
  auth: "Check its key, and that it may use this model.",
  rateLimit: "Send fewer requests at once.",
  quota: "Check the plan and the billing of the account.",
  contextLength: "Use a model with a larger context.",
  contentFilter: "Check what the prompts contain.",
  notFound: "Check the names of the model and of the endpoint.",
  badRequest: "Check that the model supports everything in the request: tools, images, audio.",
  unavailable: "Look at the state of the provider.",
  timeout: "Use a faster model."
}
