import * as Duration from "effect/Duration"

/** The longest delay of a timer, about 25 days. Node fires a timer with a longer delay immediately. */
const longest = 2_147_483_647

/** Returns the duration in milliseconds, cut to the longest delay that a timer supports. */
export const timerMillis = (duration: Duration.Input): number => Math.min(Duration.toMillis(duration), longest)
