import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type { FiberTree } from "./FiberTree.ts"

/** The same clock, which tells the tree of fibers how long a fiber sleeps. */
export const tellingClock = (clock: Clock.Clock, tree: FiberTree): Clock.Clock =>
  // Whatever else the clock can do, a test clock for example, it still can.
  Object.create(clock, {
    sleep: {
      value: (duration: Duration.Duration) =>
        Effect.withFiber((fiber) => {
          tree.sleeps(fiber, clock.currentTimeMillisUnsafe() + Duration.toMillis(duration))
          return clock.sleep(duration)
        })
    }
  })

/** Random numbers that depend on the seed and on the place in the handler alone, so that each run gets the same. */
export const seededRandom = (seed: () => string, tree: FiberTree): Random.Random => {
  const generators = new Map<string, Random.Random>()
  const generator = (): Random.Random => {
    const fiber = Fiber.getCurrent()
    const path = fiber === undefined ? "" : tree.branchOf(fiber).path
    const known = generators.get(path) ?? Effect.runSync(
      Random.withSeed(Effect.map(Effect.context(), Context.get(Random.Random)), `${seed()}/${path}`)
    )
    generators.set(path, known)
    return known
  }
  return {
    nextIntUnsafe: () => generator().nextIntUnsafe(),
    nextDoubleUnsafe: () => generator().nextDoubleUnsafe()
  }
}
