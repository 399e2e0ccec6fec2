/**
 * For adapters: sends the preliminary results of a tool as MCP progress.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as ToolDispatch from "../ToolDispatch.ts"
import { wellFormed } from "./Text.ts"

/**
 * The parameters of a `notifications/progress` message.
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
 * Builds the options of a tool call that sends each preliminary result as progress. Returns undefined if the client
 * sent no progress token, which means that it does not want progress. A notification that cannot be sent does not fail
 * the call.
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
        message: toMessage(wellFormed(result))
      }))
  }
}

const toMessage = (result: unknown): string => typeof result === "string" ? result : JSON.stringify(result)
