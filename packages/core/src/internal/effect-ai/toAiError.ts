import * as AiError from "effect/ai/AiError"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { SamplingError } from "../../SamplingError.ts"
import type { ProviderError } from "../../SamplingError.ts"

export type Method = "generateText" | "streamText"

export const makeAiError = (method: Method, reason: AiError.AiErrorReason): AiError.AiError =>
  AiError.make({ module: "SamplerLanguageModel", method, reason })

/**
 * Returns the closest reason of `effect/ai`. Its metadata holds the whole error, which {@link samplingErrorOf} reads.
 */
export const toReason = (error: SamplingError): AiError.AiErrorReason => {
  const common = { description: error.message, metadata: toMetadata(error) }
  switch (error._tag) {
    case "InvalidRequest":
    case "SamplingUnsupported":
      return new AiError.InvalidRequestError(common)
    case "ClientError":
      return error.code === invalidParams
        ? new AiError.InvalidRequestError(common)
        : new AiError.InternalProviderError(common)
    case "SamplingTimeout":
      return new AiError.InternalProviderError(common)
    case "InvalidResponse":
      return new AiError.InvalidResponseError(common)
    case "StructuredOutputError":
      return new AiError.StructuredOutputError({ ...common, responseText: error.attempts.at(-1)?.answer ?? "" })
    // Asking again would not help, and `effect/ai` has no closer reason for these errors.
    case "SamplingRejected":
    case "ConnectionLost":
    case "TurnLimitExceeded":
    case "RoundsExceeded":
      return new AiError.UnknownError(common)
    case "ProviderError":
      return fromProviderError(error, common)
  }
}

const invalidParams = -32602

type Metadata = Readonly<AiError.ProviderMetadata>

const fromProviderError = (
  error: ProviderError,
  common: { readonly description: string; readonly metadata: Metadata }
): AiError.AiErrorReason => {
  switch (error.reason) {
    case "auth":
      return new AiError.AuthenticationError({
        ...common,
        kind: error.status === 401 ? "InvalidKey" : error.status === 403 ? "InsufficientPermissions" : "Unknown"
      })
    case "rateLimit":
      return new AiError.RateLimitError({
        metadata: common.metadata,
        ...(error.retryAfterMillis !== undefined && { retryAfter: Duration.millis(error.retryAfterMillis) })
      })
    case "quota":
      return new AiError.QuotaExhaustedError({ metadata: common.metadata })
    case "contentFilter":
      return new AiError.ContentPolicyError(common)
    case "contextLength":
    case "notFound":
    case "badRequest":
      return new AiError.InvalidRequestError(common)
    case "unavailable":
    case "timeout":
      return new AiError.InternalProviderError(common)
  }
}

const codec = Schema.toCodecJson(SamplingError)
const encode = Schema.encodeResult(codec)
const decode = Schema.decodeUnknownOption(codec)

const toMetadata = (error: SamplingError): Metadata => {
  const encoded = encode(error)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the encoded side of a JSON codec is JSON
  return Result.isSuccess(encoded) ? { sampling: encoded.success as never } : {}
}

export const samplingErrorOf = (error: AiError.AiError): Option.Option<SamplingError> =>
  "metadata" in error.reason ? decode(error.reason.metadata["sampling"]) : Option.none()
