import { ClientSampler, ProviderSampler, Rounds, Sampler, SamplingError } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { expect, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Random, Schedule, Schema } from "effect"
import { ask, baseCall, drive, echo, jitter, openStates, say, unbounded } from "./fixtures/rounds.ts"

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
      { success: Schema.String, failure: Schema.String }
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
      patiently(
        Effect.andThen(
          Rounds.once("good", Effect.succeed("x"), { success: Schema.String, failure: Schema.String }),
          flaky("a")
        )
      )
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
        success: Schema.String,
        failure: Schema.String
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

/** The ways in which fibers start beside each other. */
const starts = {
  "fibers of one operation": <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
    Effect.all(effects, unbounded),
  "forked fibers": <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
    Effect.flatMap(Effect.forEach(effects, (effect) => Effect.forkChild(effect)), Effect.forEach(Fiber.join))
}

const keysOf = (round: RoundRunner.Round<unknown>): ReadonlyArray<string> =>
  round._tag === "InputRequired" ? Object.keys(round.inputRequests) : []

/** The call that brings answers to a round. */
const answered = (round: RoundRunner.Round<unknown>, inputResponses: object): RoundRunner.Call => ({
  ...baseCall,
  inputResponses,
  requestState: round._tag === "InputRequired" ? round.requestState : undefined
})

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
        const slow = Rounds.once("slow", Effect.as(Effect.sleep(10), "x"), {
          success: Schema.String,
          failure: Schema.String
        })
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
          { success: Schema.String, failure: Schema.String }
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

  it.effect("a card that was declined is not charged in the next round, after the user chose another one", () =>
    Effect.gen(function*() {
      const charged: Array<string> = []
      let isDeclined = true
      const charge = (card: string) =>
        Rounds.once(
          `charge ${card}`,
          Effect.suspend(() => {
            charged.push(card)
            return isDeclined ? Effect.fail("declined") : Effect.succeed(`paid by ${card}`)
          }),
          { success: Schema.String, failure: Schema.String }
        )
      const handler = Effect.gen(function*() {
        const paid = yield* Effect.catch(charge("first card"), () =>
          Effect.flatMap(ask("another card?"), () => {
            isDeclined = false
            return charge("second card")
          }))
        return [paid, yield* ask("a receipt")]
      })
      const { value } = yield* drive(handler, echo)
      expect([value, charged]).toStrictEqual([["paid by second card", "<a receipt>"], ["first card", "second card"]])
    }))

  it.effect("a failed attempt, what follows it and the next attempt happen once each, in this order", () =>
    Effect.gen(function*() {
      const ledger: Array<string> = []
      const attempt = (isLast: boolean) =>
        Rounds.once(
          "attempt",
          Effect.suspend(() => {
            ledger.push(isLast ? "CHARGED" : "attempt")
            return isLast ? Effect.succeed("ok") : Effect.fail("no")
          }),
          { success: Schema.String, failure: Schema.String }
        )
      const handler = Effect.gen(function*() {
        yield* Effect.option(attempt(false))
        yield* Rounds.once("invoice", Effect.sync(() => void ledger.push("invoice")))
        yield* ask("go on?")
        return yield* attempt(true)
      })
      const { value } = yield* drive(handler, echo)
      expect([value, ledger]).toStrictEqual(["ok", ["attempt", "invoice", "CHARGED"]])
    }))

  it.effect("the failure of a provider is recorded, so a later round does not pay for its second attempt", () =>
    Effect.gen(function*() {
      let requests = 0
      const provider = ProviderSampler.layer({
        name: "p",
        createMessage: () =>
          Effect.suspend(() =>
            ++requests === 1
              ? Effect.fail(new SamplingError.ProviderError({ provider: "p", reason: "unavailable", message: "busy" }))
              : Effect.succeed({
                role: "assistant" as const,
                model: "m",
                content: { type: "text" as const, text: "pong" }
              })
          )
      })
      const handler = Effect.gen(function*() {
        const client = yield* Sampler.Sampler
        const pong = yield* Effect.retry(Effect.provide(ask("ping"), provider), { times: 2 })
        return [pong, (yield* client.sample("a")).text, (yield* client.sample("b")).text]
      })
      const { value } = yield* drive(handler, echo)
      expect([value, requests]).toStrictEqual([["pong", "<a>", "<b>"], 2])
    }))

  it.effect("two fibers that use one name while both are alive end the call, and no handler can catch it", () =>
    Effect.gen(function*() {
      const save = (n: number) => Rounds.once("save", Effect.as(Effect.sleep(1), n), { success: Schema.Int })
      const handler = Effect.andThen(ask("a"), Effect.all([save(1), save(2)], unbounded))
      const error = yield* Effect.flip(drive(Effect.catchCause(handler, () => Effect.succeed("caught")), echo))
      expect(error).toMatchObject({
        _tag: "ReplayMismatch",
        message: expect.stringContaining(`Two fibers use the once-step "save" at the same time`)
      })
    }))

  for (const [how, start] of Object.entries(starts)) {
    it.effect(`a client that answers in another order gives ${how} nothing that another one recorded`, () =>
      Effect.gen(function*() {
        const order = (name: string) =>
          Effect.andThen(ask(name), Rounds.once("pay", Effect.succeed(`paid ${name}`), { success: Schema.String }))
        const handler = Effect.andThen(start([order("a"), order("b")]), ask("c"))
        const first = yield* RoundRunner.run(handler, baseCall)
        const [a, b] = keysOf(first)
        const second = yield* RoundRunner.run(handler, answered(first, { [b!]: say("yes") }))
        const third = yield* Effect.flip(RoundRunner.run(handler, answered(second, { [a!]: say("yes") })))
        expect(third).toMatchObject({ _tag: "ReplayMismatch" })
      }))
  }

  it.effect("fibers in scopes of their own use equal names, keys and random numbers", () =>
    Effect.gen(function*() {
      const paid: Array<string> = []
      const order = (name: string) =>
        Effect.gen(function*() {
          yield* jitter
          yield* Rounds.once("pay", Effect.sync(() => void paid.push(name)))
          const number = yield* Random.nextIntBetween(0, 1_000_000)
          const { text } = yield* Sampler.sample(`thank ${name} ${number}`, { key: "thank" })
          return [text, yield* ask(`again ${yield* Random.nextInt}`)]
        })
      const names = ["a", "b", "c/d", "c%47d"]
      const handler = Effect.forEach(names, (name) => Rounds.scope(name, order(name)), unbounded)
      const { rounds, value } = yield* drive(handler, echo)
      expect(paid.toSorted()).toStrictEqual(names.toSorted())
      expect(value.map(([text]) => text?.slice(1, 8))).toStrictEqual(["thank a", "thank b", "thank c", "thank c"])
      expect(rounds.map((keys) => keys.length)).toStrictEqual([4, 4])
      expect(rounds[0]!.toSorted()).toStrictEqual(["a/thank", "b/thank", "c%3747d/thank", "c%47d/thank"])
    }))

  it.effect("a failed attempt and the ask around it are found again in every round", () =>
    Effect.gen(function*() {
      let attempts = 0
      let asked = 0
      const step = Rounds.once("step", Effect.suspend(() => ++attempts < 2 ? Effect.fail("no") : Effect.succeed("x")), {
        success: Schema.String,
        failure: Schema.String
      })
      const handler = Effect.gen(function*() {
        const first = yield* Effect.retry(Effect.tap(ask("a"), () => step), { times: 2 })
        return [first, yield* ask("b"), yield* ask("a")]
      })
      const { rounds, value } = yield* drive(handler, () => say(`${++asked}`))
      expect([value, rounds.length]).toStrictEqual([["2", "3", "4"], 4])
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

  it.effect("a once-step that failed in the first round does not run again, and repeats no later once-step and no ask", () =>
    Effect.gen(function*() {
      let probes = 0
      const ran: Array<string> = []
      const handler = Effect.gen(function*() {
        const probe = Effect.suspend(() => ++probes < 3 ? Effect.fail("no") : Effect.succeed("x"))
        yield* Effect.option(Rounds.once("probe", probe, { success: Schema.String, failure: Schema.String }))
        yield* Rounds.once("pay", Effect.sync(() => ran.push("pay")), { success: Schema.Int })
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
          yield* Effect.option(Rounds.once("probe", probe, { success: Schema.String, failure: Schema.String }))
          yield* Rounds.once(`pay ${n}`, Effect.sync(() => ran.push(n)), { success: Schema.Int })
        }
        return yield* ask("a")
      })
      yield* drive(handler, echo)
      expect(ran).toStrictEqual([0, 1, 2])
    }))
})
