import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { FiberTree } from "./FiberTree.ts"
import { CurrentPlace } from "./Place.ts"
import { CurrentRun } from "./RoundRun.ts"

const tellingClocks = new WeakMap<Clock.Clock, Clock.Clock>()

/** The same clock, which tells the tree of fibers how long a fiber sleeps. One for each clock, whatever the call. */
export const tellingClock = (clock: Clock.Clock): Clock.Clock => {
  const known = tellingClocks.get(clock)
  if (known !== undefined) return known
  // Whatever else the clock can do, a test clock for example, it still can.
  const telling: Clock.Clock = Object.create(clock, {
    sleep: {
      value: (duration: Duration.Duration) =>
        Effect.withFiber((fiber) => {
          const { scheduler } = fiber.cache
          if (scheduler instanceof FiberTree) {
            scheduler.sleeps(fiber, clock.currentTimeMillisUnsafe() + Duration.toMillis(duration))
          }
          return clock.sleep(duration)
        })
    }
  })
  tellingClocks.set(clock, telling)
  return telling
}

/** Random numbers that depend on the seed of the call and on the place in the handler alone: each run gets the same. */
export const seededRandom: Random.Random = {
  nextIntUnsafe: () => generator().nextIntUnsafe(),
  nextDoubleUnsafe: () => generator().nextDoubleUnsafe()
}

const generators = new WeakMap<object, Random.Random>()

/** The generator of the current fiber, or of the step that it is in. */
const generator = (): Random.Random => {
  const fiber = Fiber.getCurrent()!
  const place = fiber.getRef(CurrentPlace)
  const known = generators.get(place)
  if (known !== undefined) return known
  const seed = `${fiber.getRef(CurrentRun)!.seed}/${place.path}`
  const seeded = Effect.runSync(Random.withSeed(Effect.map(Effect.context(), Context.get(Random.Random)), seed))
  generators.set(place, seeded)
  return seeded
}
