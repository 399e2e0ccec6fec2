/**
 * The services that the handlers of tools captured: for adapters, which provide them once and not for each call.
 *
 * @since 0.1.0
 */
import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { findHandler, Provided } from "../internal/capturedServices.ts"

/**
 * Returns the services that the handler of a tool captured when its Layer was built. `ToolDispatch.call` provides those
 * that its caller lacks; a caller that runs all calls of a tool with these services spares it the search.
 *
 * @category getters
 * @since 0.1.0
 */
export const of = (tool: Tool.Any): Effect.Effect<Context.Context<never>> =>
  Effect.contextWith((context: Context.Context<never>) => {
    const handler = findHandler(context, tool)
    return Effect.succeed(
      handler === undefined ? Context.empty() : Context.add(handler.context, Provided, handler.context)
    )
  })
