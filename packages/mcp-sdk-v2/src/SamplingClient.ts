/**
 * Makes an SDK 2.x client answer sampling requests.
 *
 * @since 0.1.0
 */
import { internalErrorText, protocolError } from "@effect-sampling/core/adapter/HandlerFailure"
import * as Content from "@effect-sampling/core/Content"
import * as Sampler from "@effect-sampling/core/Sampler"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import type { IncludeContext, SamplingRequest } from "@effect-sampling/core/SamplingRequest"
import type { SamplingResponse } from "@effect-sampling/core/SamplingResponse"
import type { Client, CreateMessageResult, CreateMessageResultWithTools } from "@modelcontextprotocol/client"
import { ProtocolErrorCode } from "@modelcontextprotocol/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options<R> {
  /**
   * Gives the context that a server asks for with `includeContext`: it is put before the system prompt. Declares the
   * capability `sampling.context`. Default: none, and the capability is not declared.
   */
  readonly context?: ((include: Exclude<IncludeContext, "none">) => Effect.Effect<string, never, R>) | undefined
}

/**
 * Answers the server's sampling requests with the `Sampler` in the context, so that a provider Layer makes a client
 * capable. Call it before the client connects.
 *
 * **Details**
 *
 * Declares `sampling`, `sampling.tools` if the sampler takes tools, and `sampling.context` if `context` is given. A
 * request that the server cancels is interrupted. `SamplingRejected` is answered with code -1, an invalid request with
 * -32602, what the sampler does not support with -32601, other errors with -32603, each with its message.
 *
 * Source: MCP 2025-11-25, sampling, "Error Handling".
 *
 * **Example** (A client whose model is scripted)
 *
 * ```ts
 * import { TestSampler } from "@effect-sampling/core"
 * import { SamplingClient } from "@effect-sampling/mcp-sdk-v2"
 * import { Client } from "@modelcontextprotocol/client"
 * import { Effect } from "effect"
 *
 * const client = new Client({ name: "example", version: "1.0.0" })
 * await Effect.runPromise(
 *   SamplingClient.serve(client).pipe(Effect.provide(TestSampler.scripted(["Hello"])))
 * )
 * ```
 *
 * @category serving
 * @since 0.1.0
 */
export const serve = <R = never>(
  client: Client,
  options: Options<R> = {}
): Effect.Effect<void, never, Sampler.Sampler | R> =>
  Effect.gen(function*() {
    const sampler = yield* Sampler.Sampler
    const { tools } = yield* sampler.capabilities
    const run = Effect.runPromiseWith(yield* Effect.context<R>())
    client.registerCapabilities({
      sampling: { ...(tools && { tools: {} }), ...(options.context !== undefined && { context: {} }) }
    })
    client.setRequestHandler("sampling/createMessage", ({ params }, { mcpReq: { signal } }) =>
      // The sampler checks the request against our Schema; the SDK has checked it against its own.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      run(answer(sampler, options, params as unknown as SamplingRequest), { signal }))
  })

const answer = <R>(
  sampler: Sampler.Sampler["Service"],
  options: Options<R>,
  params: SamplingRequest
): Effect.Effect<CreateMessageResult | CreateMessageResultWithTools, Error, R> =>
  Effect.suspend(() => withContext(options, params)).pipe(
    Effect.flatMap(sampler.createMessage),
    Effect.matchCauseEffect({
      onSuccess: (response) => toResult(params, response),
      onFailure: (cause) => {
        const error = Cause.hasDies(cause) ? Option.none() : Cause.findErrorOption(cause)
        return Option.isSome(error)
          ? Effect.fail(toProtocolError(error.value))
          : Effect.andThen(
            Effect.logError("A sampling request failed", cause),
            Effect.fail(protocolError(ProtocolErrorCode.InternalError, internalErrorText))
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

/**
 * SDK 1.x accepts an array of blocks only for a request with tools, so several text blocks become one.
 */
const toResult = (
  request: SamplingRequest,
  response: SamplingResponse
): Effect.Effect<CreateMessageResult | CreateMessageResultWithTools, Error> => {
  const { content, model, role, stopReason } = response
  const blocks = Content.blocks(content)
  const whole = request.tools !== undefined
    ? blocks
    : blocks.length === 1
    ? blocks[0]
    : blocks.every((block) => block.type === "text")
    ? { type: "text", text: Content.text(content) }
    : undefined
  return whole === undefined
    ? Effect.fail(
      protocolError(ProtocolErrorCode.InternalError, "The model answered with several blocks that are not all text")
    )
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK checks the result against its own schema
    : Effect.succeed({
      role,
      content: whole,
      model,
      ...(stopReason !== undefined && { stopReason })
    } as CreateMessageResult)
}

const toProtocolError = (error: SamplingError): Error => {
  switch (error._tag) {
    case "SamplingRejected":
      return protocolError(-1, error.message)
    case "InvalidRequest":
      return protocolError(ProtocolErrorCode.InvalidParams, error.message)
    case "SamplingUnsupported":
      return protocolError(ProtocolErrorCode.MethodNotFound, error.message)
    case "SamplingTimeout":
    case "ConnectionLost":
    case "ClientError":
    case "InvalidResponse":
    case "ProviderError":
    case "TurnLimitExceeded":
    case "StructuredOutputError":
    case "RoundsExceeded":
    case "ReplayMismatch":
      return protocolError(ProtocolErrorCode.InternalError, error.message)
  }
}
