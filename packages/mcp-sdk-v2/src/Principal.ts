/**
 * Who calls.
 *
 * @since 0.1.0
 */
import type { ServerContext } from "@modelcontextprotocol/server"
import * as Context from "effect/Context"

/**
 * Names the caller of a request. The state of a call that is answered in rounds (MCP 2026-07-28) is bound to that name, so
 * that nobody else can go on with the call. Undefined where nobody authenticates.
 *
 * **Details**
 *
 * Default: the client id and, where there is one, the subject of `ctx.http.authInfo`: the token's `extra.sub`. Provide it
 * to the server, not to single calls.
 *
 * **Example** (Taking the caller from a header that a proxy sets)
 *
 * ```ts
 * import { Principal } from "@effect-sampling/mcp-sdk-v2"
 * import { Layer } from "effect"
 *
 * const layer = Layer.succeed(
 *   Principal.Principal,
 *   (ctx) => ctx.http?.req?.headers.get("x-forwarded-user") ?? undefined
 * )
 * Layer.isLayer(layer) // => true
 * ```
 *
 * Source: MCP 2026-07-28, multi round-trip requests: the state should be bound to the principal.
 *
 * @category references
 * @since 0.1.0
 */
export const Principal = Context.Reference<(ctx: ServerContext) => string | undefined>(
  "@effect-sampling/mcp-sdk-v2/Principal",
  {
    defaultValue: () => ({ http }) => {
      const authInfo = http?.authInfo
      if (authInfo === undefined) return undefined
      const subject = authInfo.extra?.["sub"]
      return typeof subject === "string" ? JSON.stringify([authInfo.clientId, subject]) : authInfo.clientId
    }
  }
)
