/**
 * Durations for the timers of the platform: for adapters.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/** The longest delay of a timer, about 25 days: Node fires one with a longer delay at once. */
const longest = 2_147_483_647

/**
 * @category converting
 * @since 0.1.0
 */
export const timerMillis = (duration: Duration.Input): number => Math.min(Duration.toMillis(duration), longest)
