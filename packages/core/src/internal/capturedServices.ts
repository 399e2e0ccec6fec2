import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"

/** The context holds a handler under `tool.id`, a key for which `effect/ai` exports no `Context.Key`. */
export const findHandler = (context: Context.Context<never>, tool: Tool.Any): Tool.Handler<string> | undefined =>
  context.mapUnsafe.get(tool.id)

/**
 * Marks the context of a caller that provided all captured services once, so its calls need not look for them again.
 */
export const Provided = Context.Reference<Context.Context<never> | undefined>(
  "@effect-sampling/core/internal/capturedServices/Provided",
  { defaultValue: () => undefined }
)
