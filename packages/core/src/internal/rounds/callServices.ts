import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { FiberTree } from "./FiberTree.ts"
import { CurrentRun } from "./RoundRun.ts"
import { CurrentScope } from "./Scope.ts"

const tellingClocks = new WeakMap<Clock.Clock, Clock.Clock>()

/** Wraps a clock, so it reports sleeping fibers to their tree. All calls share one wrapper for each clock. */
export const tellingClock = (clock: Clock.Clock): Clock.Clock => {
  const known = tellingClocks.get(clock)
  if (known !== undefined) return known
  // The clock is the prototype, so its other methods, such as those of a test clock, still work.
  const telling: Clock.Clock = Object.create(
    clock,
    Object.getOwnPropertyDescriptors<Clock.Clock>({
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) =>
        Effect.withFiber((fiber) => {
          const { scheduler } = fiber.cache
          if (!(scheduler instanceof FiberTree)) return clock.sleep(duration)
          scheduler.sleeps(fiber, clock.currentTimeMillisUnsafe() + Duration.toMillis(duration))
          return Effect.ensuring(clock.sleep(duration), Effect.sync(() => scheduler.wakes(fiber)))
        })
    })
  )
  tellingClocks.set(clock, telling)
  return telling
}

/**
 * Random numbers that depend only on the seed of the call, on the scope, and on how many were drawn there before, so
 * each run draws the same ones.
 */
export const seededRandom: Random.Random = {
  nextIntUnsafe: () => generator().nextIntUnsafe(),
  nextDoubleUnsafe: () => generator().nextDoubleUnsafe()
}

/** Returns the generator of the current scope. Only fibers draw random numbers, and only fibers of a run have this service. */
const generator = (): Random.Random => {
  const fiber = Fiber.getCurrent()!
  const run = fiber.getRef(CurrentRun)!
  const source = `${run.tree.branchOf(fiber).place.step?.id ?? ""}|${fiber.getRef(CurrentScope)}`
  const known = run.generators.get(source)
  if (known !== undefined) return known
  const seeded = Effect.runSync(
    Random.withSeed(Effect.map(Effect.context(), Context.get(Random.Random)), `${run.seed}/${source}`)
  )
  run.generators.set(source, seeded)
  return seeded
}
