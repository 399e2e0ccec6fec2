/**
 * The source that asks the model of the connected client.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { ClientConnection, describe } from "./ClientConnection.ts"
import { decodeForeign } from "./internal/absentNulls.ts"
import { withAdvice } from "./internal/advice.ts"
import { compiled } from "./internal/compiled.ts"
import { formatIssue } from "./internal/issues.ts"
import { SilenceLimit } from "./internal/loop/silence.ts"
import { mapBlocks, withoutVendorFields } from "./internal/ownMeta.ts"
import { quote, truncate } from "./internal/quote.ts"
import { isRefusal } from "./internal/request/isRefusal.ts"
import {
  canSample,
  canUseTools,
  checkClient,
  findUnsupported,
  noClient,
  omitsContext,
  toWireParams
} from "./internal/request/wireRequest.ts"
import { withReadableCalls } from "./internal/request/withReadableCalls.ts"
import * as Sampler from "./Sampler.ts"
import { InvalidResponse, SamplingRejected } from "./SamplingError.ts"
import { CreateMessageResult } from "./SamplingResponse.ts"
import type { SamplingResponse } from "./SamplingResponse.ts"

/**
 * A `Sampler` that asks the client of the request being handled.
 *
 * **Details**
 *
 * A request fails at once with `SamplingUnsupported`, and nothing is sent, in four cases: no client is connected, the
 * client cannot be reached, it did not declare `sampling`, or the request uses tools and the client did not declare
 * `sampling.tools`. `includeContext` is a hint: on MCP 2025-11-25 and newer, a client that did not declare
 * `sampling.context` receives the request without it, and the span records the omission
 * (`sampling.include_context.omitted`).
 *
 * A Schema decodes the client's answer, and a malformed answer fails with `InvalidResponse`. A result whose stop reason
 * says that the user cancelled or refused fails with `SamplingRejected`, regardless of its text: GitHub Copilot reports
 * refusals in this way.
 *
 * Source: MCP 2025-11-25, sampling, "Capabilities": servers must not send tools to clients without `sampling.tools`.
 *
 * **Example** (Sampling where no client is connected)
 *
 * ```ts
 * import { ClientSampler, Sampler } from "@effect-sampling/core"
 * import { Effect } from "effect"
 *
 * const error = await Effect.runPromise(
 *   Sampler.sample("Hi").pipe(Effect.provide(ClientSampler.layer), Effect.flip)
 * )
 * error._tag // => "SamplingUnsupported"
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Sampler.Sampler> = Layer.succeed(
  Sampler.Sampler,
  Sampler.make({
    capabilities: Effect.map(ClientConnection, (connection) => {
      const sampling = connection !== undefined && canSample(connection)
      return { sampling, tools: sampling && canUseTools(connection), jsonSchema: false }
    }),
    check: (requirement) => Effect.flatMap(ClientConnection, (connection) => checkClient(connection, requirement)),
    createMessage: (request) =>
      Effect.withFiber((fiber) => {
        const connection = fiber.getRef(ClientConnection)
        if (connection === undefined) return Effect.fail(noClient())
        const unsupported = findUnsupported(connection, request)
        if (unsupported !== undefined) return Effect.fail(unsupported)
        const silenceMillis = fiber.getRef(SilenceLimit)
        const answered = connection.ask({
          method: "sampling/createMessage",
          params: toWireParams(connection, request),
          ...(request.key !== undefined && { key: request.key }),
          ...(silenceMillis < Infinity && { silenceMillis })
        }, (answer) => decodeAnswer(connection, answer))
        return omitsContext(connection, request)
          ? Effect.andThen(Effect.annotateCurrentSpan(contextOmitted, request.includeContext), answered)
          : answered
      })
  })
)

const contextOmitted = "sampling.include_context.omitted"

// Decoding stops at the first problem, because a long answer may be wrong everywhere.
const decode = decodeForeign(compiled(CreateMessageResult))

const decodeAnswer = (
  connection: ClientConnection,
  answer: unknown
): Result.Result<SamplingResponse, InvalidResponse | SamplingRejected> => {
  if (isRefusal(answer)) {
    return Result.fail(
      new SamplingRejected({
        message:
          `The user or a policy of ${describe(connection)} rejected the sampling request (it answered with the ` +
          `stop reason ${quote(answer.stopReason)}).`
      })
    )
  }
  const decoded = decode(withReadableCalls(answer))
  return Result.isFailure(decoded)
    ? Result.fail(
      withAdvice(
        new InvalidResponse({
          message: `The answer of ${describe(connection)} is not a valid sampling result: ${
            formatIssue(decoded.failure.issue)
          }.`
        }),
        "Fix the client's sampling handler."
      )
    )
    : Result.succeed({
      ...decoded.success,
      content: mapBlocks(decoded.success.content, withoutVendorFields),
      source: { kind: "client", name: truncate(connection.client?.name ?? "client", 80) },
      passedOver: []
    })
}
