/**
 * How long a client may take to answer.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/**
 * The time after which an unanswered request to the client fails with `SamplingTimeout`. Default: 10 minutes, because
 * people approve samples. Only up to MCP 2025-11-25: later clients are asked in rounds, and nothing waits.
 *
 * **Example** (Waiting at most two minutes)
 *
 * ```ts
 * import { AskTimeout } from "@effect-sampling/mcp-effect"
 * import { Duration, Layer } from "effect"
 *
 * const layer = Layer.succeed(AskTimeout.AskTimeout, Duration.minutes(2))
 * Layer.isLayer(layer) // => true
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const AskTimeout = Context.Reference<Duration.Duration>("@effect-sampling/mcp-effect/AskTimeout", {
  defaultValue: () => Duration.minutes(10)
})
