import * as Context from "effect/Context"

/**
 * The time without an answer or progress after which a source is given up, in milliseconds, because another one stands
 * behind it. Infinite for the last source.
 */
export const SilenceLimit = Context.Reference<number>("@effect-sampling/core/internal/loop/silence/SilenceLimit", {
  defaultValue: () => Infinity
})
