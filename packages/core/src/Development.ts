/**
 * The setting that shows the defects of handlers to clients, for the time in which a server is written.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * Whether a client receives the message and the stack of a defect in a tool, a prompt or a resource. Default: false, and
 * the client receives "Internal error: see the server's log".
 *
 * **Details**
 *
 * Only the server can set it: provide it beside the server, or to single features. The log has the cause in both cases.
 *
 * **Gotchas**
 *
 * A stack shows the paths of the server's files, and a message may show its data. The client passes both on to its model.
 *
 * **Example** (Showing defects if an environment variable says so)
 *
 * ```ts
 * import { Development } from "@effect-sampling/core"
 * import { Config, Layer } from "effect"
 *
 * const layer = Layer.effect(
 *   Development.ShowDefects,
 *   Config.withDefault(Config.Boolean("SHOW_DEFECTS"), false)
 * )
 * Layer.isLayer(layer) // => true
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const ShowDefects = Context.Reference<boolean>("@effect-sampling/core/Development/ShowDefects", {
  defaultValue: () => false
})
