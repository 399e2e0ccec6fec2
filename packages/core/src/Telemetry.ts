/**
 * The setting that decides whether traces may record texts.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

/**
 * Whether spans record messages, and the arguments and results of tools. Default: false, because they may be private.
 *
 * Source: OpenTelemetry GenAI semantic conventions, "Capturing instructions, inputs, and outputs": opt-in.
 *
 * **Example** (Recording texts in development)
 *
 * ```ts
 * import { Telemetry } from "@effect-sampling/core"
 * import { Layer } from "effect"
 *
 * const layer = Layer.succeed(Telemetry.CaptureContent, true)
 * Layer.isLayer(layer) // => true
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const CaptureContent = Context.Reference<boolean>("@effect-sampling/core/Telemetry/CaptureContent", {
  defaultValue: () => false
})
