/**
 * The SDK's context of the request that is being handled.
 *
 * @since 0.1.0
 */
import type { ServerContext } from "@modelcontextprotocol/server"
import * as Context from "effect/Context"

/**
 * The SDK's context of the request that the current fiber handles: the authenticated caller, the HTTP request, and the
 * log of the client. It is undefined outside of handlers.
 *
 * **Gotchas**
 *
 * Ask the client through `Sampler` and `Client`, which work for every revision. The SDK's own methods for it
 * (`mcpReq.requestSampling`, `mcpReq.elicitInput`, `mcpReq.send`) stop working with MCP 2026-07-28. In rounds, log
 * messages are sent again in every round of a call.
 *
 * **Example** (Logging to the client)
 *
 * ```ts
 * import { CurrentRequest } from "@effect-sampling/mcp-sdk-v2"
 * import { Effect } from "effect"
 *
 * const log = Effect.fnUntraced(function*(message: string) {
 *   const request = yield* CurrentRequest.CurrentRequest
 *   if (request !== undefined) yield* Effect.promise(() => request.mcpReq.log("info", message))
 * })
 *
 * await Effect.runPromise(log("no client is here"))
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const CurrentRequest = Context.Reference<ServerContext | undefined>(
  "@effect-sampling/mcp-sdk-v2/CurrentRequest",
  { defaultValue: () => undefined }
)
