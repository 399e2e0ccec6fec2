/**
 * Makes an SDK 2.x client answer sampling requests.
 *
 * @since 0.1.0
 */
import * as Sampler from "@effect-sampling/core/Sampler"
import type { IncludeContext, SamplingRequest } from "@effect-sampling/core/SamplingRequest"
import * as SamplingAnswer from "@effect-sampling/mcp-kit/internal/samplingAnswer"
import type { Client, CreateMessageResult, CreateMessageResultWithTools } from "@modelcontextprotocol/client"
import * as Effect from "effect/Effect"

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
    const run = Effect.runPromiseWith(yield* Effect.context<R>())
    client.registerCapabilities({ sampling: yield* SamplingAnswer.capability(sampler, options) })
    client.setRequestHandler("sampling/createMessage", ({ params }, { mcpReq: { signal } }) =>
      // The sampler checks the request against our Schema, the SDK both request and result against its own.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      run(SamplingAnswer.make(sampler, options, params as unknown as SamplingRequest) as Answered<R>, { signal }))
  })

type Answered<R> = Effect.Effect<CreateMessageResult | CreateMessageResultWithTools, Error, R>
