/**
 * The typed errors of a sampling request.
 *
 * Each error carries a `message` that says what was asked of whom, what is missing and what to change. Messages hold no
 * prompt text, keys, headers or provider bodies, so a tool may show them to its user. `SamplingError` is a Schema and
 * can be the `failure` schema of a tool.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { SamplingMessage } from "./SamplingMessage.ts"

/**
 * The source cannot answer this request, and asking it again will not help. `missing` names what it lacks:
 *
 * - `client`: no client is connected to this fiber
 * - `backChannel`: the client cannot be reached while it waits for this call
 * - `sampling`, `sampling.tools`: a capability that the client did not declare
 * - `content`: a kind of content that the source does not accept
 *
 * On this error, `Sampler.fallback` continues with the next source.
 *
 * @category errors
 * @since 0.1.0
 */
export class SamplingUnsupported
  extends Schema.TaggedError<SamplingUnsupported>("@effect-sampling/core/SamplingError/SamplingUnsupported")(
    "SamplingUnsupported",
    {
      missing: Schema.Literals([
        "client",
        "backChannel",
        "sampling",
        "sampling.tools",
        "content"
      ]),
      message: Schema.String
    }
  )
{}

/**
 * The user, or a policy of the client, said no. Asking again would be rude. It is also the error for a client's reply
 * that a content filter or a refusal of its model left empty.
 *
 * Source: MCP 2025-11-25, sampling, "Error Handling": code -1, "User rejected sampling request".
 *
 * @category errors
 * @since 0.1.0
 */
export class SamplingRejected
  extends Schema.TaggedError<SamplingRejected>("@effect-sampling/core/SamplingError/SamplingRejected")(
    "SamplingRejected",
    { message: Schema.String }
  )
{}

/**
 * No answer arrived in time. `afterMillis` is the time limit that expired, in milliseconds.
 *
 * @category errors
 * @since 0.1.0
 */
export class SamplingTimeout
  extends Schema.TaggedError<SamplingTimeout>("@effect-sampling/core/SamplingError/SamplingTimeout")(
    "SamplingTimeout",
    { afterMillis: Schema.Finite, message: Schema.String }
  )
{}

/**
 * The connection to the client ended, or its answer can no longer arrive.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionLost
  extends Schema.TaggedError<ConnectionLost>("@effect-sampling/core/SamplingError/ConnectionLost")(
    "ConnectionLost",
    { message: Schema.String }
  )
{}

/**
 * The client tried and failed: it answered with a JSON-RPC error that says neither "unsupported" nor "rejected", or
 * with a result whose stop reason says that its model failed (code -32603).
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientError extends Schema.TaggedError<ClientError>("@effect-sampling/core/SamplingError/ClientError")(
  "ClientError",
  { code: Schema.Int, message: Schema.String }
) {}

/**
 * The request is invalid and was not sent. The message lists every problem and its position in the request.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidRequest
  extends Schema.TaggedError<InvalidRequest>("@effect-sampling/core/SamplingError/InvalidRequest")(
    "InvalidRequest",
    { message: Schema.String }
  )
{}

/**
 * An answer arrived, but it is not a valid sampling response.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidResponse
  extends Schema.TaggedError<InvalidResponse>("@effect-sampling/core/SamplingError/InvalidResponse")(
    "InvalidResponse",
    { message: Schema.String }
  )
{}

/**
 * Why a provider failed.
 *
 * - `auth`: the key is missing or wrong, or it may not use this model
 * - `rateLimit`: too many requests, try later
 * - `quota`: the account has no credit left
 * - `contextLength`: the prompt does not fit the model
 * - `contentFilter`: the provider refuses this content, or a filter withheld the whole reply
 * - `notFound`: the model or endpoint does not exist
 * - `badRequest`: the provider does not accept the request for another reason
 * - `unavailable`: the provider failed, also in the middle of a reply, is overloaded or cannot be reached
 * - `timeout`: the provider did not answer in time
 *
 * @category schemas
 * @since 0.1.0
 */
export const ProviderErrorReason = Schema.Literals([
  "auth",
  "rateLimit",
  "quota",
  "contextLength",
  "contentFilter",
  "notFound",
  "badRequest",
  "unavailable",
  "timeout"
])

/**
 * @category models
 * @since 0.1.0
 */
export type ProviderErrorReason = typeof ProviderErrorReason.Type

/**
 * A provider failed to answer. `status` is the HTTP status, if there was one. `retryAfterMillis` is the delay that the
 * provider asked for, in milliseconds.
 *
 * @category errors
 * @since 0.1.0
 */
export class ProviderError
  extends Schema.TaggedError<ProviderError>("@effect-sampling/core/SamplingError/ProviderError")("ProviderError", {
    provider: Schema.String,
    reason: ProviderErrorReason,
    status: Schema.optionalKey(Schema.Int),
    retryAfterMillis: Schema.optionalKey(Schema.Finite),
    message: Schema.String
  })
{
  /**
   * Whether the same request may succeed later.
   *
   * @since 0.1.0
   */
  get isRetryable(): boolean {
    return this.reason === "rateLimit" || this.reason === "unavailable" || this.reason === "timeout"
  }
}

/**
 * The model still called tools in the last of `maxTurns` turns. `history` holds all messages, with every call answered,
 * so a new request can continue from it.
 *
 * @category errors
 * @since 0.1.0
 */
export class TurnLimitExceeded
  extends Schema.TaggedError<TurnLimitExceeded>("@effect-sampling/core/SamplingError/TurnLimitExceeded")(
    "TurnLimitExceeded",
    { maxTurns: Schema.Int, history: Schema.Array(SamplingMessage), message: Schema.String }
  )
{}

/**
 * An answer that did not fit the schema. `answer` is its text, cut to a readable length; `problem` says what is wrong
 * with it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const StructuredAttempt = Schema.Struct({ answer: Schema.String, problem: Schema.String })

/**
 * @category models
 * @since 0.1.0
 */
export type StructuredAttempt = typeof StructuredAttempt.Type

/**
 * The model returned no answer that fits the schema, even after all repairs. The message says what was wrong with the
 * last answer; `attempts` holds every answer.
 *
 * @category errors
 * @since 0.1.0
 */
export class StructuredOutputError
  extends Schema.TaggedError<StructuredOutputError>("@effect-sampling/core/SamplingError/StructuredOutputError")(
    "StructuredOutputError",
    { attempts: Schema.Array(StructuredAttempt), message: Schema.String }
  )
{}

/**
 * The handler asked the client once more after the call had used up its rounds. `rounds` is their limit. The error
 * occurs only where the client is asked in rounds (MCP 2026-07-28).
 *
 * On this error, `Sampler.fallback` continues with the next source.
 *
 * @category errors
 * @since 0.1.0
 */
export class RoundsExceeded
  extends Schema.TaggedError<RoundsExceeded>("@effect-sampling/core/SamplingError/RoundsExceeded")(
    "RoundsExceeded",
    { rounds: Schema.Int, message: Schema.String }
  )
{}

/**
 * The handler ran again and did not repeat what it did before, so the answers of the client no longer match its asks; or
 * two of its fibers used one name at the same time. `expected` names what was recorded, and `found` names what the
 * handler did instead. It ends the call. A handler never sees it, so it is not a {@link SamplingError}. To fix the
 * handler, record with `Rounds.once` everything that differs between runs.
 *
 * @category errors
 * @since 0.1.0
 */
export class ReplayMismatch
  extends Schema.TaggedError<ReplayMismatch>("@effect-sampling/core/SamplingError/ReplayMismatch")(
    "ReplayMismatch",
    { expected: Schema.String, found: Schema.String, message: Schema.String }
  )
{}

/**
 * The Schema of all errors of a `Sampler`. Use it as the `failure` of a tool.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SamplingError = Schema.Union([
  SamplingUnsupported,
  SamplingRejected,
  SamplingTimeout,
  ConnectionLost,
  ClientError,
  InvalidRequest,
  InvalidResponse,
  ProviderError,
  TurnLimitExceeded,
  StructuredOutputError,
  RoundsExceeded
])

/**
 * @category models
 * @since 0.1.0
 */
export type SamplingError = typeof SamplingError.Type

/**
 * @category guards
 * @since 0.1.0
 */
export const isSamplingError: (u: unknown) => u is SamplingError = Schema.is(SamplingError)
