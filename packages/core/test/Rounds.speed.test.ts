import { ClientSampler, Rounds } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { expect, layer } from "@effect/vitest"
import { Arbitrary, Duration, Effect, Layer, Queue, Random, Ref, Schema } from "effect"
import { ask, baseCall, drive, echo, openStates, say, unbounded } from "./fixtures/rounds.ts"

const seeds = Arbitrary.schema(Schema.Natural)

/** Numbers that differ from run to run of a handler, and not from test to test. */
const numbers = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

type Next = () => number

/** Now and then longer than the settle time. */
const pause = (next: Next) =>
  Effect.suspend(() => next() < 0.3 ? Effect.sleep(1 + Math.floor(next() * 5)) : Effect.void)

/** What was asked, and what was answered. */
type Asked = readonly [question: string, answer: string]

/** A client that gives every answer once, and leaves out some asks of a round. */
const driveSlowly = <E, R>(handler: Effect.Effect<ReadonlyArray<Asked>, E, R>, next: Next) =>
  Effect.gen(function*() {
    const given: Array<string> = []
    const call = { ...baseCall }
    for (let round = 0; round < 200; round++) {
      const ended = yield* RoundRunner.run(handler, call)
      if (ended._tag === "Complete") {
        const used = ended.value.map(([question, answer]) => `${question} => ${answer}`)
        expect(new Set(used).size).toBe(used.length)
        expect(given).toEqual(expect.arrayContaining(used))
        return used.length
      }
      const entries = Object.entries(ended.inputRequests)
      const answers = entries.filter((_, index) => index === round % entries.length || next() < 0.6).map(
        ([key, request]) => {
          const answer = `a${given.length}`
          given.push(`${echo(request).content.text.slice(1, -1)} => ${answer}`)
          return [key, say(answer)] as const
        }
      )
      Object.assign(call, { requestState: ended.requestState, inputResponses: Object.fromEntries(answers) })
    }
    return yield* Effect.die("it did not come to an end")
  }).pipe(
    Effect.provideService(Rounds.MaxRounds, 1000),
    Effect.provideService(Rounds.SettleTime, Duration.millis(2))
  )

/** Branches that ask the same, and then what depends on their answers. */
const branches = (next: Next, isAlike: boolean) =>
  Effect.map(
    Effect.forEach([0, 1, 2], (branch) =>
      Effect.gen(function*() {
        const asked: Array<Asked> = []
        let question = "same"
        for (let i = 0; i < 3; i++) {
          yield* pause(next)
          const answer = yield* ask(question)
          asked.push([question, answer])
          question = `${isAlike ? "" : branch} after ${answer}`
        }
        return asked
      }), unbounded),
    (all) => all.flat()
  )

/** Workers that share their jobs. */
const workers = (next: Next) =>
  Effect.gen(function*() {
    const jobs = yield* Queue.unbounded<number>()
    yield* Queue.offerAll(jobs, [1, 2, 3, 4, 5])
    const asked = yield* Ref.make<ReadonlyArray<Asked>>([])
    const work = Effect.gen(function*() {
      while ((yield* Queue.size(jobs)) > 0) {
        let question = `job ${yield* Queue.take(jobs)}`
        for (let i = 0; i < 2; i++) {
          yield* pause(next)
          const answer = yield* ask(question)
          yield* Ref.update(asked, (all) => [...all, [question, answer] as const])
          question = `${question} ${answer}`
        }
      }
    })
    yield* Effect.all([work, work, work], unbounded)
    return yield* Ref.get(asked)
  })

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Branches of any speed", (it) => {
  /** Several at a time, as most of the time is waiting. */
  const together = <E, R>(seed: number, test: (next: Next) => Effect.Effect<void, E, R>) =>
    Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8], (n) => test(numbers(seed + n)), {
      concurrency: "unbounded",
      discard: true
    })

  for (const isAlike of [true, false]) {
    it.effect.prop(
      `that ask the same first, and ${isAlike ? "the same" : "something else"} then, never mismatch`,
      [seeds],
      ([seed]) =>
        together(
          seed,
          (next) => Effect.map(driveSlowly(branches(next, isAlike), next), (asked) => expect(asked).toBe(9))
        ),
      { arbitrary: { runs: 20 }, timeout: 20_000 }
    )
  }

  it.effect.prop(
    "that take jobs from a queue never mismatch",
    [seeds],
    ([seed]) =>
      together(seed, (next) => Effect.map(driveSlowly(workers(next), next), (asked) => expect(asked).toBe(10))),
    {
      arbitrary: { runs: 20 },
      timeout: 20_000
    }
  )
})

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })(
  "A handler that asks otherwise",
  (it) => {
    let runs = 0
    const different = Effect.suspend(() => ask(`number ${runs++}`))
    const handlers = {
      "by itself": different,
      "after another ask": Effect.andThen(ask("a"), different),
      "in a time-out": Effect.timeout(different, "1 hour"),
      "in a race": Effect.raceFirst(different, Effect.sleep("1 hour")),
      "next to another ask": Effect.all([different, ask("a")], unbounded),
      "in a step": Rounds.once("step", different, { schema: Schema.String }),
      "where nothing can be interrupted": Effect.uninterruptible(different)
    }
    for (const [where, handler] of Object.entries(handlers)) {
      it.effect(`${where} fails in the next run, and names both asks`, () =>
        Effect.gen(function*() {
          runs = 0
          const error = yield* Effect.flip(
            Effect.timeout(
              drive<string | void | ReadonlyArray<string>, unknown, Effect.Services<typeof handler>>(handler, echo),
              "2 seconds"
            )
          )
          expect(error).toMatchObject({ _tag: "ReplayMismatch" })
          expect(error).toMatchObject({
            expected: expect.stringContaining("number 0"),
            found: expect.stringContaining("number 1")
          })
        }))
    }

    it.effect("next to a fiber that goes on by itself ends with the last round at the latest", () =>
      Effect.gen(function*() {
        const handler = Effect.raceFirst(different, Effect.forever(Effect.sleep(1)))
        const error = yield* Effect.flip(
          drive(handler, echo).pipe(Effect.provideService(Rounds.SettleTime, Duration.millis(1)))
        )
        expect(error).toMatchObject({ _tag: "RoundsExceeded", rounds: 8 })
      }))

    it.effect("for its own random numbers does not", () =>
      Effect.gen(function*() {
        const drawing = Effect.flatMap(Random.nextInt, (n) => ask(`${n}`))
        const { rounds } = yield* drive(Effect.all([drawing, Effect.andThen(drawing, drawing)], unbounded), echo)
        expect(rounds.map((keys) => keys.length)).toStrictEqual([2, 1])
      }))
  }
)
