/**
 * Who approves the tool calls of a model.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * A call that a tool wants approved before it runs (`needsApproval` of an `effect/ai` `Tool`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  readonly toolName: string
  readonly toolCallId: string
  /**
   * The arguments as the model gave them; they are checked when the tool runs.
   */
  readonly parameters: unknown
}

/**
 * Decides about calls that need approval. Default: every such call is denied, because nobody is there to approve it.
 *
 * **Details**
 *
 * The model learns of a denial as an error result of its call, and may go on without it.
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
