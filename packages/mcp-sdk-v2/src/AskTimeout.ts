/**
 * How long a client may take to answer.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/**
 * The time after which an unanswered request to the client fails with `SamplingTimeout`. Default: 10 minutes, because
 * people approve samples. Progress that the client reports starts the time anew. Provide it
 * to the server, not to single calls.
 *
 * **Example** (Waiting at most two minutes)
 *
 * ```ts
 * import { AskTimeout } from "@effect-sampling/mcp-sdk-v2"
 * import { Duration, Layer } from "effect"
 *
 * const layer = Layer.succeed(AskTimeout.AskTimeout, Duration.minutes(2))
 * Layer.isLayer(layer) // => true
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const AskTimeout = Context.Reference<Duration.Duration>("@effect-sampling/mcp-sdk-v2/AskTimeout", {
  defaultValue: () => Duration.minutes(10)
})
