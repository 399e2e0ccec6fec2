import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

/** A clock that shows real time, even where the program's own clock stands still, for example in a test. */
export const realClock: Clock.Clock = Context.get(Context.empty(), Clock.Clock)
