/**
 * The approval of tool calls that a model makes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * A tool call that needs approval before it runs (`needsApproval` of an `effect/ai` `Tool`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  readonly toolName: string
  readonly toolCallId: string
  /**
   * The arguments as the model sent them. They are decoded when the tool runs.
   */
  readonly parameters: unknown
}

/**
 * Decides whether a call that needs approval may run. Default: every such call is denied, because nobody is there to
 * approve it.
 *
 * **Details**
 *
 * The model receives a denial as an error result of its call, and may continue without that call.
 *
 * **Example** (Approving one tool only)
 *
 * ```ts
 * import { ToolApproval } from "@effect-sampling/core"
 * import { Effect, Layer } from "effect"
 *
 * const layer = Layer.succeed(
 *   ToolApproval.ToolApproval,
 *   ({ toolName }) => Effect.succeed(toolName === "delete_draft")
 * )
 * Layer.isLayer(layer) // => true
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const ToolApproval = Context.Reference<(request: Request) => Effect.Effect<boolean>>(
  "@effect-sampling/core/ToolApproval",
  { defaultValue: () => () => Effect.succeed(false) }
)
