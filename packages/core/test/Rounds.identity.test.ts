import { ClientSampler, Rounds, Sampler, TestClient, TestSampler } from "@effect-sampling/core"
import { expect, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Queue, Schema, Semaphore, Stream, SynchronizedRef } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { ask, drive, echo, openStates, say, unbounded } from "./fixtures/rounds.ts"

const pay = (ledger: Array<string>, name: string) =>
  Rounds.once(`pay ${name}`, Effect.sync(() => `receipt ${name} ${ledger.push(name)}`), { success: Schema.String })

/** Workers that take jobs from a queue, each as fast as it happens to be in this run. */
const pool = <A, E, R>(workers: number, jobs: ReadonlyArray<string>, work: (job: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<string>()
    yield* Queue.offerAll(queue, jobs)
    const done: Array<A> = []
    const worker = Effect.gen(function*() {
      while ((yield* Queue.size(queue)) > 0) {
        const job = yield* Queue.take(queue)
        yield* Effect.sleep(Math.floor(Math.random() * 3))
        done.push(yield* work(job))
      }
    })
    yield* Effect.all(Array.from({ length: workers }, () => worker), unbounded)
    return done
  })

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Names in rounds", (it) => {
  it.effect("a worker pool finds each once-step by its name, whichever worker takes the job", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 10; i++) {
        const ledger: Array<string> = []
        const names = ["a", "b", "c", "d", "e"]
        const work = (job: string) =>
          Effect.flatMap(pay(ledger, job), (receipt) => Effect.map(ask(receipt), (text) => text.slice(1, 10)))
        const { rounds, value } = yield* drive(pool(3, names, work), echo)
        expect(value.toSorted()).toStrictEqual(names.map((name) => `receipt ${name}`))
        expect(ledger.toSorted()).toStrictEqual(names)
        expect(rounds.flat().length).toBe(5)
      }
    }))

  it.effect("a token that whoever comes first fetches under a lock is fetched once", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 10; i++) {
        let fetched = 0
        const handler = Effect.gen(function*() {
          const semaphore = yield* Semaphore.make(1)
          const token = yield* SynchronizedRef.make<string | undefined>(undefined)
          const fetch = Rounds.once("token", Effect.sync(() => `token ${++fetched}`), { success: Schema.String })
          const get = SynchronizedRef.updateAndGetEffect(token, (known) =>
            known === undefined ? fetch : Effect.succeed(known))
          const branch = (name: string) =>
            Effect.sleep(Math.floor(Math.random() * 3)).pipe(
              Effect.andThen(semaphore.withPermits(1)(get)),
              Effect.flatMap((found) =>
                ask(`${name} ${found}`)
              )
            )
          return yield* Effect.forEach(["a", "b", "c"], branch, unbounded)
        })
        const { value } = yield* drive(handler, echo)
        expect([value, fetched]).toStrictEqual([["<a token 1>", "<b token 1>", "<c token 1>"], 1])
      }
    }))

  it.effect("agent loops in workers run each call once, although the model uses the ids of its calls again", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 5; i++) {
        const ran: Array<number> = []
        const Tools = Toolkit.make(
          Tool.make("double", { parameters: Schema.Struct({ n: Schema.Finite }), success: Schema.Finite })
        )
        const toolkit = Effect.provide(
          Tools,
          Tools.toLayer({ double: ({ n }) => Effect.sync(() => (ran.push(n), n * 2)) })
        )
        const model = TestSampler.fromFunction(({ messages }) => {
          const [first] = messages
          const n = Number(/\d+/.exec(JSON.stringify(first?.content))?.[0])
          return Effect.succeed({
            role: "assistant" as const,
            model: "m",
            content: messages.length === 1
              ? { type: "tool_use" as const, id: "call-1", name: "double", input: { n } }
              : { type: "text" as const, text: `twice ${n}` }
          })
        })
        const loop = (job: string) => Effect.map(Sampler.sample(`double ${job}`, { toolkit }), (reply) => reply.text)
        const { value } = yield* TestClient.call(pool(2, ["1", "2", "3", "4"], loop), { sampler: model })
        expect(value.toSorted()).toStrictEqual(["twice 1", "twice 2", "twice 3", "twice 4"])
        expect(ran.toSorted()).toStrictEqual([1, 2, 3, 4])
      }
    }))

  it.effect("ten equal prompts on three workers cost ten completions, with a model that never repeats itself", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 10; i++) {
        let answers = 0
        const jobs = Array.from({ length: 10 }, () => "same")
        const { rounds, value } = yield* drive(pool(3, jobs, ask), () => say(`${++answers}`))
        expect(value.length).toBe(10)
        expect(new Set(value).size).toBe(10)
        expect(rounds.flat().length).toBe(10)
      }
    }))

  it.effect("a cached ask has one value in all rounds, whoever asks first", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 10; i++) {
        let answers = 0
        const handler = Effect.gen(function*() {
          const cached = yield* Effect.cached(ask("plan"))
          const branch = (name: string) =>
            Effect.sleep(Math.floor(Math.random() * 3)).pipe(
              Effect.andThen(cached),
              Effect.flatMap((plan) => Effect.as(ask(`${name} ${plan}`), plan))
            )
          return yield* Effect.forEach(["a", "b", "c"], branch, unbounded)
        })
        const { rounds, value } = yield* drive(handler, () => say(`${++answers}`))
        expect([value, rounds.flat().length]).toStrictEqual([["1", "1", "1"], 4])
      }
    }))
})

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Asks that never repeat", (it) => {
  let now = 0
  const different = Effect.suspend(() => ask(`the time is ${now++}`))
  const places: Readonly<Record<string, Effect.Effect<unknown, unknown, Sampler.Sampler>>> = {
    "in a forked fiber that is joined": Effect.flatMap(Effect.forkChild(different), Fiber.join),
    "before a deferred that waits for it": Effect.gen(function*() {
      const deferred = yield* Deferred.make<string>()
      yield* Effect.forkChild(Effect.flatMap(different, (text) => Deferred.succeed(deferred, text)))
      return yield* Deferred.await(deferred)
    }),
    "in a worker on a queue": Effect.gen(function*() {
      const jobs = yield* Queue.unbounded<string>()
      const results = yield* Queue.unbounded<string>()
      yield* Queue.offer(jobs, "job")
      yield* Effect.forkChild(Effect.forever(
        Effect.flatMap(Queue.take(jobs), () => Effect.flatMap(different, (text) => Queue.offer(results, text)))
      ))
      return yield* Queue.take(results)
    }),
    "in a stream": Stream.runCollect(Stream.mapEffect(Stream.make(1), () => different)),
    "in a race against an effect that never ends": Effect.race(different, Effect.never),
    "next to a heartbeat": Effect.raceFirst(different, Effect.forever(Effect.sleep(1)))
  }
  for (const [where, handler] of Object.entries(places)) {
    it.effect(`an ask ${where} that differs in every run ends the call, and a handler cannot catch that`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(drive(Effect.catchCause(handler, () => Effect.succeed("caught")), echo))
        expect(error).toMatchObject({ _tag: "ReplayMismatch" })
      }))
  }
})
