import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

/** The time outside of a program, whose own clock may stand still, in a test for example. */
export const realClock: Clock.Clock = Context.get(Context.empty(), Clock.Clock)
