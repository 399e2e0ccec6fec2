/**
 * Preliminary results of a tool as MCP progress: for adapters.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as ToolDispatch from "../ToolDispatch.ts"

/**
 * The parameters of `notifications/progress`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProgressParams {
  readonly progressToken: string | number
  readonly progress: number
  readonly message: string
}

/**
 * Options of a call whose preliminary results are sent as progress, where the client asked for it with a token. A
 * notification that cannot be sent does not fail the call.
 *
 * Source: MCP 2025-11-25, "Progress".
 *
 * @category constructors
 * @since 0.1.0
 */
export const callOptions = <E>(
  progressToken: unknown,
  send: (params: ProgressParams) => Effect.Effect<unknown, E>
): ToolDispatch.CallOptions | undefined => {
  if (typeof progressToken !== "string" && typeof progressToken !== "number") return undefined
  let progress = 0
  return {
    onPreliminary: (result) =>
      Effect.ignoreCause(send({
        progressToken,
        progress: ++progress,
        message: typeof result === "string" ? result : JSON.stringify(result)
      }))
  }
}
