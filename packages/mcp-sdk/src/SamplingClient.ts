/**
 * Makes an SDK 1.x client answer sampling requests.
 *
 * @since 0.1.0
 */
import type * as Sampler from "@effect-sampling/core/Sampler"
import * as SamplingClientKit from "@effect-sampling/mcp-kit/SamplingClient"
import type { Options } from "@effect-sampling/mcp-kit/SamplingClient"
import type { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import type { CreateMessageResult, CreateMessageResultWithTools } from "@modelcontextprotocol/sdk/types.js"
import type * as Effect from "effect/Effect"
import { heedCancellationOfIdZero } from "./internal/sdkInternals.ts"

export type {
  /**
   * @category models
   * @since 0.1.0
   */
  Options
} from "@effect-sampling/mcp-kit/SamplingClient"

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
 * import { SamplingClient } from "@effect-sampling/mcp-sdk"
 * import { Client } from "@modelcontextprotocol/sdk/client/index.js"
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
  SamplingClientKit.serve((sampling, answer) => {
    client.registerCapabilities({ sampling })
    heedCancellationOfIdZero(client)
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }, { signal }) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK checks the result against its own Schema
      answer(params, signal) as Promise<Answered>)
  }, options)

type Answered = CreateMessageResult | CreateMessageResultWithTools
