/**
 * The source that asks the model of the connected client.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ClientConnection, describe } from "./ClientConnection.ts"
import { compiled } from "./internal/compiled.ts"
import { formatIssue } from "./internal/issues.ts"
import { cut } from "./internal/quote.ts"
import { canSample, canUseTools, findUnsupported, toWireParams } from "./internal/wireRequest.ts"
import * as Sampler from "./Sampler.ts"
import { InvalidResponse, SamplingUnsupported } from "./SamplingError.ts"
import { CreateMessageResult } from "./SamplingResponse.ts"
import type { SamplingResponse } from "./SamplingResponse.ts"

/**
 * A `Sampler` that asks the client of the request being handled.
 *
 * **Details**
 *
 * Fails at once with `SamplingUnsupported`, and sends nothing, when no client is connected, when there is no way back to
 * it, when it did not declare `sampling`, when tools are used without `sampling.tools`, or when `includeContext` is used
 * on MCP 2025-11-25 or newer without `sampling.context`. What the client answers is decoded by a Schema: anything
 * malformed is an `InvalidResponse`.
 *
 * Source: MCP 2025-11-25, sampling, "Capabilities": servers must not send tools to clients without `sampling.tools`.
 *
 * **Example** (Outside a request there is no client)
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
    createMessage: (request) =>
      Effect.withFiber((fiber) => {
        const connection = fiber.getRef(ClientConnection)
        if (connection === undefined) return Effect.fail(noClient())
        const unsupported = findUnsupported(connection, request)
        if (unsupported !== undefined) return Effect.fail(unsupported)
        return Effect.flatMap(
          connection.ask({
            method: "sampling/createMessage",
            params: toWireParams(connection, request),
            ...(request.key !== undefined && { key: request.key })
          }),
          (answer) => decodeAnswer(connection, answer)
        )
      })
  })
)

const noClient = (): SamplingUnsupported =>
  new SamplingUnsupported({
    missing: "client",
    message: "Cannot ask a client's model: no client is connected here. Run this inside a tool, prompt or resource " +
      "handler of an MCP server adapter, or provide another Sampler: Sampler.fallback(ClientSampler.layer, provider)."
  })

// Stops at the first problem: an answer may be long, and wrong in every place.
const decode = Schema.decodeUnknownResult(compiled(CreateMessageResult))

const decodeAnswer = (
  connection: ClientConnection,
  answer: unknown
): Effect.Effect<SamplingResponse, InvalidResponse> => {
  const decoded = decode(answer)
  return Result.isSuccess(decoded)
    ? Effect.succeed({
      ...decoded.success,
      source: { kind: "client", name: cut(connection.client?.name ?? "client", 80) },
      passedOver: []
    })
    : Effect.fail(
      new InvalidResponse({
        message: `The answer of ${describe(connection)} is not a valid sampling result: ${
          formatIssue(decoded.failure.issue)
        }. The client's sampling handler needs mending.`
      })
    )
}
