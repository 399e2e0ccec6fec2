/**
 * Lets an SDK 1.x client answer sampling requests.
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
   * The options of a client that answers sampling requests.
   *
   * @category models
   * @since 0.1.0
   */
  Options
} from "@effect-sampling/mcp-kit/SamplingClient"

/**
 * Lets a client answer the server's sampling requests with the `Sampler` in the context, for example one from a
 * provider Layer. Call it before the client connects.
 *
 * **Details**
 *
 * - The client declares `sampling`, `sampling.tools` if the sampler supports tools, and `sampling.context` if `context`
 *   is given.
 * - A request that the server cancels is interrupted.
 * - A failure is answered with its message and a JSON-RPC error code: -1 for `SamplingRejected`, -32602 for an invalid
 *   request, -32601 for a request that the sampler does not support, and -32603 for other errors.
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
  SamplingClientKit.serve(client, (sampling, answer) => {
    client.registerCapabilities({ sampling })
    heedCancellationOfIdZero(client)
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }, { signal }) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK validates the result against its own schema
      answer(params, signal) as Promise<Answered>)
  }, options)

type Answered = CreateMessageResult | CreateMessageResultWithTools
