import { ClientSampler, Rounds, SamplingError } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { expect, layer } from "@effect/vitest"
import { Arbitrary, Duration, Effect, Layer, Queue, Random, Ref, Schema } from "effect"
import { ask, baseCall, drive, echo, openStates, say, unbounded } from "./fixtures/rounds.ts"

const seeds = Arbitrary.schema(Schema.Natural)

/** A generator of numbers that differ between the runs of a handler, and that one seed repeats. */
const numbers = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

type Next = () => number

/** Sleeps now and then, at times for longer than the settle time of 2 milliseconds. */
const pause = (next: Next) =>
  Effect.suspend(() => next() < 0.3 ? Effect.sleep(1 + Math.floor(next() * 5)) : Effect.void)

/** A question and the answer that the handler received. */
type Asked = readonly [question: string, answer: string]

/** Drives a handler as a client that never sends an answer twice, and that leaves some asks of a round unanswered. */
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
    return yield* Effect.die("the call did not complete within 200 rounds")
  }).pipe(
    Effect.provideService(Rounds.MaxRounds, 1000),
    Effect.provideService(Rounds.SettleTime, Duration.millis(2))
  )

/** Branches that all ask the same question first, and then questions that depend on their answers. */
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

/** Three workers that take their jobs from one queue. */
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

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })(
  "Branches of varying speed in rounds",
  (it) => {
    /** Runs eight seeds at the same time, because each run mostly sleeps. */
    const together = <E, R>(seed: number, test: (next: Next) => Effect.Effect<void, E, R>) =>
      Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8], (n) => test(numbers(seed + n)), {
        concurrency: "unbounded",
        discard: true
      })

    for (const isAlike of [true, false]) {
      it.effect.prop(
        `branches that ask the same first and then ${isAlike ? "alike" : "different"} follow-ups never mismatch`,
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
      "workers of varying speed that take jobs from one queue never mismatch",
      [seeds],
      ([seed]) =>
        together(seed, (next) => Effect.map(driveSlowly(workers(next), next), (asked) => expect(asked).toBe(10))),
      {
        arbitrary: { runs: 20 },
        timeout: 20_000
      }
    )
  }
)

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })(
  "Handlers that ask differently in the next run",
  (it) => {
    let runs = 0
    const different = Effect.suspend(() => ask(`number ${runs++}`))
    const handlers = {
      "by itself": different,
      "after another ask": Effect.andThen(ask("a"), different),
      "in a timeout": Effect.timeout(different, "1 hour"),
      "in a race": Effect.raceFirst(different, Effect.sleep("1 hour")),
      "next to another ask": Effect.all([different, ask("a")], unbounded),
      "in a once-step": Rounds.once("step", different, {
        success: Schema.String,
        failure: SamplingError.SamplingError
      }),
      "in an uninterruptible region": Effect.uninterruptible(different)
    }
    for (const [where, handler] of Object.entries(handlers)) {
      it.effect(`a different ask ${where} ends the call before the client gives up, with an error that names both asks`, () =>
        Effect.gen(function*() {
          runs = 0
          const error = yield* Effect.flip(
            Effect.timeout(
              drive<string | void | ReadonlyArray<string>, unknown, Effect.Services<typeof handler>>(handler, echo),
              "2 seconds"
            )
          )
          expect(error).toMatchObject({ _tag: "ReplayMismatch" })
          // The first ask whose answer was never taken, and what this run asked instead.
          expect(error).toMatchObject({
            expected: expect.stringContaining("number 0"),
            found: expect.stringContaining(`number ${runs - 1}`)
          })
          expect(runs).toBeLessThanOrEqual(5)
        }))
    }

    it.effect("a different ask next to a heartbeat ends the call before the client gives up", () =>
      Effect.gen(function*() {
        const handler = Effect.raceFirst(different, Effect.forever(Effect.sleep(1)))
        const error = yield* Effect.flip(
          drive(handler, echo).pipe(Effect.provideService(Rounds.SettleTime, Duration.millis(1)))
        )
        expect(error).toMatchObject({ _tag: "ReplayMismatch" })
      }))

    it.effect("asks that depend on random numbers repeat in the next run", () =>
      Effect.gen(function*() {
        const drawing = Effect.flatMap(Random.nextInt, (n) => ask(`${n}`))
        const { rounds } = yield* drive(Effect.all([drawing, Effect.andThen(drawing, drawing)], unbounded), echo)
        expect(rounds.map((keys) => keys.length)).toStrictEqual([2, 1])
      }))
  }
)
