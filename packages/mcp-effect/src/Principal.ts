/**
 * Who calls, where the server authenticates its clients.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * The name of the caller of the current request. The state of a call that is answered in rounds (MCP 2026-07-28) is bound
 * to it, so that nobody else can go on with the call. Default: undefined, nobody authenticates.
 *
 * **When to use**
 *
 * Provide it in the `McpServer.middleware` that checks the credentials of each request.
 *
 * **Example** (Taking the caller from a header that a proxy sets)
 *
 * ```ts
 * import { Principal } from "@effect-sampling/mcp-effect"
 * import { Effect } from "effect"
 * import { McpServer } from "effect/ai"
 *
 * const Authenticated = McpServer.middleware((effect, { headers }) =>
 *   Effect.provideService(effect, Principal.Principal, headers["x-forwarded-user"])
 * )
 * ```
 *
 * Source: MCP 2026-07-28, multi round-trip requests: the state should be bound to the principal.
 *
 * @category references
 * @since 0.1.0
 */
export const Principal = Context.Reference<string | undefined>("@effect-sampling/mcp-effect/Principal", {
  defaultValue: () => undefined
})
