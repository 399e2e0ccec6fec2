/** Answers a server's sampling requests with a `Sampler`, on the client. */
import * as Content from "@effect-sampling/core/Content"
import type * as Sampler from "@effect-sampling/core/Sampler"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import type { IncludeContext, SamplingRequest } from "@effect-sampling/core/SamplingRequest"
import type { CreateMessageResult, SamplingResponse } from "@effect-sampling/core/SamplingResponse"
import { internalErrorText, protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import { loggable, wellFormed } from "@effect-sampling/core/wire/Text"
import * as VendorFields from "@effect-sampling/core/wire/VendorFields"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { internalError, invalidParams, methodNotFound } from "./errorCodes.ts"

/** The options of a client that answers sampling requests. */
export interface Options<R> {
  /**
   * Returns the context that a server requests with `includeContext`. It precedes the system prompt. If this function
   * is given, the client declares the capability `sampling.context`. Default: no context, and the capability is not
   * declared.
   */
  readonly context?: ((include: Exclude<IncludeContext, "none">) => Effect.Effect<string, never, R>) | undefined
}

/** Returns the `sampling` capability that the client declares. It names exactly what the client supports. */
export const capability = <R>(
  sampler: Sampler.Sampler["Service"],
  options: Options<R>
): Effect.Effect<{ readonly tools?: Record<string, never>; readonly context?: Record<string, never> }> =>
  Effect.map(sampler.capabilities, ({ tools }) => ({
    ...(tools && { tools: {} }),
    ...(options.context !== undefined && { context: {} })
  }))

/**
 * Answers one request. It fails with an error that has a JSON-RPC code: -1 if the user refused, -32602 if the request
 * is invalid, -32601 if the sampler does not support it, and -32603 otherwise. For a defect the server receives a
 * generic message, and the cause is logged.
 *
 * Source: MCP 2025-11-25, sampling, "Error Handling".
 */
export const make = <R>(
  sampler: Sampler.Sampler["Service"],
  options: Options<R>,
  request: SamplingRequest
): Effect.Effect<CreateMessageResult, Error, R> =>
  Effect.suspend(() => withContext(options, VendorFields.removeFromRequest(request))).pipe(
    Effect.flatMap(sampler.createMessage),
    Effect.matchCauseEffect({
      onSuccess: (response) => toResult(request, response),
      onFailure: (cause) => {
        const error = Cause.hasDies(cause) ? Option.none() : Cause.findErrorOption(cause)
        return Option.isSome(error)
          ? Effect.fail(toProtocolError(error.value))
          : Effect.andThen(
            Effect.logError("A sampling request failed", loggable(cause)),
            Effect.fail(protocolError(internalError, internalErrorText))
          )
      }
    })
  )

const withContext = <R>(
  options: Options<R>,
  { includeContext, ...request }: SamplingRequest
): Effect.Effect<SamplingRequest, never, R> =>
  options.context === undefined || includeContext === undefined || includeContext === "none"
    ? Effect.succeed(request)
    : Effect.map(options.context(includeContext), (context) => ({
      ...request,
      systemPrompt: request.systemPrompt === undefined ? context : `${context}\n\n${request.systemPrompt}`
    }))

/** The SDKs accept an array of blocks only in answer to a request with tools, so several text blocks are joined. */
const toResult = (
  request: SamplingRequest,
  response: SamplingResponse
): Effect.Effect<CreateMessageResult, Error> => {
  const { model, role, stopReason } = response
  const content = VendorFields.removeFromContent(response.content)
  const blocks = Content.blocks(content)
  const whole = request.tools !== undefined
    ? blocks
    : blocks.length === 1
    ? blocks[0]
    : blocks.every((block) => block.type === "text")
    ? { type: "text" as const, text: Content.text(content) }
    : undefined
  return whole === undefined
    ? Effect.fail(
      protocolError(
        internalError,
        "The model answered with several content blocks that are not all text. A request without tools allows only one block."
      )
    )
    : Effect.succeed(wellFormed({ role, content: whole, model, ...(stopReason !== undefined && { stopReason }) }))
}

const toProtocolError = (error: SamplingError): Error => {
  switch (error._tag) {
    case "SamplingRejected":
      return protocolError(rejected, error.message)
    case "InvalidRequest":
      return protocolError(invalidParams, error.message)
    case "SamplingUnsupported":
      return protocolError(methodNotFound, error.message)
    case "SamplingTimeout":
    case "ConnectionLost":
    case "ClientError":
    case "InvalidResponse":
    case "ProviderError":
    case "TurnLimitExceeded":
    case "StructuredOutputError":
    case "RoundsExceeded":
      return protocolError(internalError, error.message)
  }
}

/** MCP 2025-11-25, sampling, "Error Handling". */
const rejected = -1
