import { ClientSampler, ProviderSampler, Rounds } from "@effect-sampling/core"
import type { Sampler } from "@effect-sampling/core"
import { expect, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Random, Schedule, Schema } from "effect"
import { ask, drive, echo, openStates, say, unbounded } from "./fixtures/rounds.ts"

/** Asks for a random number: a run that draws other numbers asks for something else, which the tests see. */
const askRandom = (name: string) => Effect.flatMap(Random.nextInt, (number) => ask(`${name} ${number}`))

/** A once-step that fails twice and succeeds at the third attempt, counted over all rounds. */
const makeFlaky = () => {
  const attempts = new Map<string, number>()
  return (name: string) =>
    Rounds.once(
      name,
      Effect.suspend(() => {
        const attempt = (attempts.get(name) ?? 0) + 1
        attempts.set(name, attempt)
        return attempt < 3 ? Effect.fail("not yet") : Effect.as(Effect.sleep(1), `${name} ${attempt}`)
      }),
      { schema: Schema.String }
    )
}

type Flaky = ReturnType<typeof makeFlaky>
type Attempts = Effect.Effect<unknown, unknown, Sampler.Sampler>

const patiently = <A, E, R>(attempt: Effect.Effect<A, E, R>) =>
  Effect.retry(Effect.timeout(attempt, "1 hour"), { times: 5 })

const shapes: ReadonlyArray<readonly [where: string, (flaky: Flaky) => Attempts]> = [
  ["under a timeout", (flaky) => patiently(flaky("a"))],
  ["under two timeouts", (flaky) => patiently(Effect.retry(Effect.timeout(flaky("a"), "1 hour"), { times: 1 }))],
  ["and is retried under one timeout", (flaky) => Effect.timeout(Effect.retry(flaky("a"), { times: 5 }), "1 hour")],
  ["in one of several fibers", (flaky) => Effect.retry(Effect.all([flaky("a"), flaky("b")], unbounded), { times: 9 })],
  [
    "after another once-step in the same attempt",
    (flaky) =>
      patiently(Effect.andThen(Rounds.once("good", Effect.succeed("x"), { schema: Schema.String }), flaky("a")))
  ],
  [
    "after a race in the same attempt",
    (flaky) => patiently(Effect.andThen(Effect.race(Effect.void, Effect.never), flaky("a")))
  ],
  [
    "after a joined fork in the same attempt",
    (flaky) => patiently(Effect.andThen(Effect.flatMap(Effect.forkChild(Effect.void), Fiber.join), flaky("a")))
  ],
  [
    "inside a once-step, under a timeout",
    (flaky) =>
      Rounds.once("outer", Effect.orDie(patiently(Effect.tap(flaky("a"), () => ask("inside")))), {
        schema: Schema.String
      })
  ],
  ["as the recorded completion of a provider", () => {
    let attempts = 0
    const provider = ProviderSampler.layer({
      name: "p",
      createMessage: () =>
        Effect.suspend(() => ++attempts < 3 ? Effect.fail("busy") : Effect.succeed("pong")).pipe(Effect.orDie)
    })
    return Effect.retry(Effect.timeout(Effect.sandbox(Effect.provide(ask("ping"), provider)), "1 hour"), { times: 5 })
  }]
]

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Failed once-steps", (it) => {
  for (const [where, attempts] of shapes) {
    it.effect(`a once-step that fails twice ${where} does not change the asks after it`, () =>
      Effect.gen(function*() {
        const flaky = makeFlaky()
        const handler = Effect.gen(function*() {
          yield* attempts(flaky)
          const fork = yield* Effect.forkChild(askRandom("fork"))
          const first = yield* Effect.timeout(askRandom("first"), "1 hour")
          const joined = yield* Fiber.join(fork)
          return [first, joined, yield* Effect.timeout(askRandom("second"), "1 hour"), yield* askRandom("third")]
        })
        const { rounds, value } = yield* drive(handler, echo)
        const asks = rounds.flat().length
        expect(asks).toBe(where.startsWith("inside a once-step") ? 5 : 4)
        expect(value.map((text) => text.replaceAll(/[-<> \d]/g, ""))).toStrictEqual([
          "first",
          "fork",
          "second",
          "third"
        ])
      }))
  }

  it.effect("a slow once-step does not change the asks of the fiber that it wakes", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const done = yield* Deferred.make<string>()
        const slow = Rounds.once("slow", Effect.as(Effect.sleep(10), "x"), { schema: Schema.String })
        yield* Effect.forkChild(Effect.flatMap(slow, (text) => Deferred.succeed(done, text)))
        // In the second run the once-step is replayed, so `done` is complete before this sleep ends.
        yield* Effect.sleep(1)
        yield* Deferred.await(done)
        yield* Effect.sleep(1)
        yield* Effect.timeout(askRandom("first"), "1 hour")
        return yield* Effect.timeout(askRandom("second"), "1 hour")
      })
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.length).toBe(2)
    }))

  it.effect("a once-step that times out does not run other once-steps of the handler again", () =>
    Effect.gen(function*() {
      const ran: Array<string> = []
      const step = (name: string, millis: number) =>
        Rounds.once(
          name,
          Effect.andThen(Effect.sleep(millis), Effect.sync(() => `${name} ${ran.push(name)}`)),
          { schema: Schema.String }
        )
      const handler = Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(step("background", 20), { startImmediately: true })
        const paid = yield* step("pay", 0)
        yield* Effect.timeoutOption(step("slow", 1000), 5)
        const answer = yield* ask("a")
        return [paid, answer, yield* Fiber.join(fiber), yield* ask("b")]
      })
      const { value } = yield* drive(handler, echo)
      expect([value, ran]).toStrictEqual([["pay 1", "<a>", "background 2", "<b>"], ["pay", "background"]])
    }))

  it.effect("a failed once-step does not mix up once-steps of one name in other fibers", () =>
    Effect.gen(function*() {
      const ran: Array<number> = []
      const handler = Effect.gen(function*() {
        yield* Effect.option(Rounds.once("probe", Effect.fail("no"), { schema: Schema.String }))
        const quote = (n: number) =>
          Effect.forEach([1, 2, 3].slice(n - 1), (k) => ask(`${n} ${k}`)).pipe(
            Effect.andThen(Rounds.once("quote", Effect.sync(() => ran.push(n) && n), { schema: Schema.Int }))
          )
        const fibers = yield* Effect.forEach([1, 2, 3], (n) => Effect.forkChild(quote(n), { startImmediately: true }))
        const quotes = yield* Effect.forEach(fibers, Fiber.join)
        return [...quotes, yield* ask("c")]
      })
      const { value } = yield* drive(handler, echo)
      expect([value, ran]).toStrictEqual([[1, 2, 3, "<c>"], [3, 2, 1]])
    }))

  it.effect("a failed once-step does not make the state larger than a successful one", () =>
    Effect.gen(function*() {
      const sizeAfter = (probe: Effect.Effect<unknown, string>) =>
        Effect.map(
          drive(
            Effect.gen(function*() {
              yield* Effect.option(Rounds.once("probe", probe, { schema: Schema.Unknown }))
              for (let n = 0; n < 100; n++) yield* Rounds.once(`${n}`, Effect.succeed(n), { schema: Schema.Int })
              return yield* ask("a")
            }),
            echo
          ),
          ({ states }) => states[0]!.length
        )
      expect(yield* sizeAfter(Effect.fail("no"))).toBeLessThanOrEqual(yield* sizeAfter(Effect.succeed(1)))
    }))

  it.effect("a once-step that fails and succeeds in the next round causes no mismatch", () =>
    Effect.gen(function*() {
      let attempts = 0
      let asked = 0
      const step = Rounds.once("step", Effect.suspend(() => ++attempts < 2 ? Effect.fail("no") : Effect.succeed("x")), {
        schema: Schema.String
      })
      const handler = Effect.gen(function*() {
        const first = yield* Effect.retry(Effect.tap(ask("a"), () => step), { times: 2 })
        return [first, yield* ask("b"), yield* ask("a")]
      })
      const { rounds, value } = yield* drive(handler, () => say(`${++asked}`))
      // A replay does not repeat the failed attempt, so the answer to its ask goes to the next ask of the same content.
      expect([value, rounds.length]).toStrictEqual([["1", "3", "2"], 3])
    }))

  it.effect("the jittered retries of a once-step do not change the random numbers drawn after it", () =>
    Effect.gen(function*() {
      const flaky = makeFlaky()
      const handler = Effect.gen(function*() {
        yield* Effect.retry(flaky("a"), Schedule.jittered(Schedule.spaced(1)))
        yield* askRandom("b")
        return yield* askRandom("c")
      })
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.length).toBe(2)
    }))

  it.effect("a once-step that succeeds in a later round repeats no later once-step and no ask", () =>
    Effect.gen(function*() {
      let probes = 0
      const ran: Array<string> = []
      const handler = Effect.gen(function*() {
        const probe = Effect.suspend(() => ++probes < 3 ? Effect.fail("no") : Effect.succeed("x"))
        yield* Effect.option(Rounds.once("probe", probe, { schema: Schema.String }))
        yield* Rounds.once("pay", Effect.sync(() => ran.push("pay")), { schema: Schema.Int })
        return [yield* ask("a"), yield* ask("b"), yield* ask("c")]
      })
      const { rounds } = yield* drive(handler, echo)
      expect([ran, rounds.length]).toStrictEqual([["pay"], 3])
    }))

  it.effect("a once-step that fails in a loop does not run the other once-steps of the loop again", () =>
    Effect.gen(function*() {
      let probes = 0
      const ran: Array<number> = []
      const handler = Effect.gen(function*() {
        for (let n = 0; n < 3; n++) {
          const probe = Effect.suspend(() => ++probes < 2 ? Effect.fail("no") : Effect.succeed("x"))
          yield* Effect.option(Rounds.once("probe", probe, { schema: Schema.String }))
          yield* Rounds.once(`pay ${n}`, Effect.sync(() => ran.push(n)), { schema: Schema.Int })
        }
        return yield* ask("a")
      })
      yield* drive(handler, echo)
      expect(ran).toStrictEqual([0, 1, 2])
    }))
})
