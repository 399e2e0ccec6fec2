import { ClientSampler, Rounds } from "@effect-sampling/core"
import type { Sampler } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { expect, layer } from "@effect/vitest"
import { Clock, Context, Duration, Effect, Layer, Random } from "effect"
import { recordSpans } from "./fixtures/domain.ts"
import { ask, baseCall, drive, echo, jitter, openStates, unbounded } from "./fixtures/rounds.ts"

/** A clock that is an hour ahead. Its methods need `this`, so they fail when they are called unbound. */
class LateClock implements Clock.Clock {
  readonly #late = 3_600_000
  readonly #clock = Context.get(Context.empty(), Clock.Clock)
  currentTimeMillisUnsafe() {
    return this.#clock.currentTimeMillisUnsafe() + this.#late
  }
  get currentTimeMillis() {
    return Effect.sync(() => this.currentTimeMillisUnsafe())
  }
  currentTimeNanosUnsafe() {
    return this.#clock.currentTimeNanosUnsafe()
  }
  get currentTimeNanos() {
    return this.#clock.currentTimeNanos
  }
  monotonicTimeNanosUnsafe() {
    return this.#clock.monotonicTimeNanosUnsafe()
  }
  get monotonicTimeNanos() {
    return this.#clock.monotonicTimeNanos
  }
  sleep(duration: Duration.Duration) {
    return this.#clock.sleep(duration)
  }
}

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })(
  "Services of a handler in rounds",
  (it) => {
    it.effect("a handler in rounds uses the clock that the caller provided", () =>
      Effect.gen(function*() {
        const handler = Effect.gen(function*() {
          yield* Effect.sleep(1)
          yield* ask("a")
          return (yield* Clock.currentTimeMillis) - Date.now()
        })
        const { value } = yield* Effect.provideService(drive(handler, echo), Clock.Clock, new LateClock())
        expect(value).toBeGreaterThan(3_500_000)
      }))

    it.effect("fibers that share one provided context send each ask once", () =>
      Effect.gen(function*() {
        const handler = Effect.gen(function*() {
          const context = yield* Effect.context<Sampler.Sampler>()
          const asking = (name: string) =>
            Effect.flatMap(Random.nextInt, (number) => ask(`${name} ${number}`)).pipe(
              Effect.timeout("1 hour"),
              Effect.provideContext(context)
            )
          // The order of the branches differs from run to run.
          const branch = (name: string) =>
            jitter.pipe(
              Effect.andThen(asking(`${name} 1`)),
              Effect.andThen(jitter),
              Effect.andThen(asking(`${name} 2`))
            )
          return yield* Effect.forEach(["a", "b", "c", "d"], (name) => Rounds.scope(name, branch(name)), unbounded)
        })
        const { rounds } = yield* drive(handler, echo)
        expect(rounds.flat().length).toBe(8)
      }))

    it.effect("all rounds of a call share one trace, and each has a span with its asks, answers and state", () =>
      Effect.gen(function*() {
        const { layer, spans } = recordSpans()
        const handler = Effect.gen(function*() {
          yield* ask("a", "a")
          yield* Effect.all([ask("b"), ask("c")], unbounded)
          return yield* Effect.fail("in the end")
        })
        yield* Effect.flip(Effect.provide(drive(handler, echo), layer))
        expect(new Set(spans.map((span) => span.traceId)).size).toBe(1)
        const rounds = spans.filter((span) => span.name === "tools/call tool")
        const attribute = (name: string) => rounds.map((span) => span.attributes.get(`sampling.round.${name}`))
        expect(attribute("index")).toStrictEqual([1, 2, 3])
        expect(attribute("asks")).toStrictEqual([1, 2, 0])
        expect(attribute("replayed_answers")).toStrictEqual([0, 1, 3])
        expect(attribute("state_bytes")).toStrictEqual([expect.any(Number), expect.any(Number), 0])
      }))

    it.effect("a thousand rounds leave no timer and no listener behind", () =>
      Effect.gen(function*() {
        const handler = Effect.timeout(Effect.all([ask("a"), Effect.never], unbounded), "1 hour")
        const round = Effect.provideService(RoundRunner.run(handler, baseCall), Rounds.SettleTime, Duration.zero)
        yield* round
        const before = process.getActiveResourcesInfo().length
        yield* Effect.forEach(Array.from({ length: 1000 }), () => round, { concurrency: 100, discard: true })
        expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before + 2)
      }))
  }
)
