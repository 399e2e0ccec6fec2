import { ClientSampler, Rounds, Sampler, SamplingError, TestClient, TestSampler } from "@effect-sampling/core"
import { expect, layer } from "@effect/vitest"
import {
  Context,
  Deferred,
  Duration,
  Effect,
  Fiber,
  Latch,
  Layer,
  PubSub,
  Queue,
  Scheduler,
  Schema,
  Semaphore,
  Stream,
  SynchronizedRef,
  Tracer
} from "effect"
import { Tool, Toolkit } from "effect/ai"
import { ask, drive, echo, jitter, openStates, say, unbounded } from "./fixtures/rounds.ts"

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
        yield* jitter
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
            jitter.pipe(
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
        expect(ran.toSorted((one, other) => one - other)).toStrictEqual([1, 2, 3, 4])
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
            jitter.pipe(
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

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Keys in rounds", (it) => {
  const atSomeTime = Effect.suspend(() => Effect.sleep(Math.floor(Math.random() * 4)))
  const concurrent: Readonly<Record<string, Effect.Effect<unknown, unknown, Sampler.Sampler>>> = {
    "of one operation": Effect.forEach(
      ["one", "two"],
      (text) => Effect.andThen(atSomeTime, ask(text, "key")),
      unbounded
    ),
    "of a worker pool": pool(2, ["one", "two", "three"], (text) => ask(text, "key"))
  }
  for (const [which, handler] of Object.entries(concurrent)) {
    it.effect(`two fibers ${which} that ask different things with one key end the call, and get no answer of the other`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(drive(Effect.catchCause(handler, () => Effect.succeed("caught")), echo))
        expect(String(error)).toContain("Two fibers use the key \"key\" for different asks at the same time")
      }))
  }

  it.effect("one key serves equal asks at the same time, scopes at the same time, and different asks in a row", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const equal = yield* Effect.all([ask("same", "key"), ask("same", "key")], unbounded)
        const scoped = yield* Effect.forEach(["a", "b"], (name) => Rounds.scope(name, ask(name, "key")), unbounded)
        const rest = [yield* ask("c", "key"), yield* Effect.flatMap(Effect.forkChild(ask("d", "key")), Fiber.join)]
        return [...equal, ...scoped, ...rest]
      })
      const { rounds, value } = yield* drive(handler, echo)
      expect(value).toStrictEqual(["<same>", "<same>", "<a>", "<b>", "<c>", "<d>"])
      expect(rounds.flat().length).toBe(6)
    }))

  it.effect("a cached ask under a time-out keeps its answers when the block around it runs again", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 10; i++) {
        const block = Effect.flatMap(
          Effect.cached(ask("plan")),
          (plan) =>
            Effect.forEach(
              ["a", "b"],
              (name) => Effect.flatMap(Effect.andThen(atSomeTime, plan), (text) => ask(name + text)),
              unbounded
            )
        )
        const handler = Effect.timeout(Effect.andThen(block, block), "1 hour")
        const { rounds, value } = yield* drive(handler, echo)
        expect(value).toStrictEqual(["<a<plan>>", "<b<plan>>"])
        expect(rounds.flat().length).toBe(6)
      }
    }))
})

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })(
  "Fibers one after the other",
  (it) => {
    it.effect("a fiber that was joined leaves its names to the fibers of the operations after it", () =>
      Effect.gen(function*() {
        const ledger: Array<string> = []
        const handler = Effect.gen(function*() {
          for (let i = 0; i < 3; i++) {
            yield* Fiber.join(yield* Effect.forkChild(Effect.andThen(pay(ledger, "stage"), ask(`stage ${i}`))))
            yield* Effect.timeout(pay(ledger, "stage"), "1 hour")
            yield* Effect.race(pay(ledger, "stage"), Effect.never)
          }
        })
        const { rounds } = yield* drive(handler, echo)
        expect([rounds.length, ledger.length]).toStrictEqual([3, 9])
      }))
  }
)

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Services of a handler", (it) => {
  const names = ["a", "b", "c"]
  let visits = 0
  /** The fibers take turns in another order in each run. */
  const otherTimes = Effect.suspend(() => Effect.sleep(visits++ % 4))
  const work = (ledger: Array<string>) =>
    Effect.forEach(
      names,
      (name) =>
        otherTimes.pipe(
          Effect.andThen(pay(ledger, name)),
          Effect.andThen(ask(name)),
          Effect.flatMap(ask)
        ),
      unbounded
    )
  const services: Readonly<Record<string, Context.Context<never>>> = {
    "a scheduler": Context.make(Scheduler.Scheduler, new Scheduler.MixedScheduler()),
    "a preventer of yields": Context.make(Scheduler.PreventSchedulerYield, true),
    "a tracer": Context.make(Tracer.Tracer, Tracer.make({ span: (options) => new Tracer.NativeSpan(options) }))
  }
  for (const [what, context] of Object.entries(services)) {
    it.effect(`a handler with ${what} of its own sends each ask once, and runs each once-step once`, () =>
      Effect.gen(function*() {
        for (let i = 0; i < 5; i++) {
          const ledger: Array<string> = []
          const { rounds, value } = yield* drive(Effect.provideContext(work(ledger), context), echo)
          expect(value).toStrictEqual(names.map((name) => `<<${name}>>`))
          expect([rounds.flat().length, ledger.toSorted()]).toStrictEqual([6, names])
        }
      }))
  }

  it.effect("the spans of a handler's fibers go to the tracer that the handler provides", () =>
    Effect.gen(function*() {
      const spans: Array<string> = []
      const tracer = Tracer.make({ span: (options) => (spans.push(options.name), new Tracer.NativeSpan(options)) })
      const handler = Effect.gen(function*() {
        yield* Effect.withSpan(Effect.void, "first")
        yield* Effect.all([Effect.withSpan(Effect.void, "left"), Effect.withSpan(Effect.void, "right")], unbounded)
        yield* Fiber.join(yield* Effect.forkChild(Effect.withSpan(Effect.void, "forked")))
        yield* Effect.withSpan(Effect.void, "last")
      }).pipe(Effect.provideService(Tracer.Tracer, tracer))
      yield* drive(handler, echo)
      expect(spans).toStrictEqual(["first", "left", "right", "forked", "last"])
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

  it.effect("once-steps that take answers, beside others whose answers nobody takes, do not end the call", () =>
    Effect.gen(function*() {
      const deliberate = (name: string) =>
        Rounds.once(name, ask(name), { success: Schema.String, failure: SamplingError.SamplingError })
      const handler = Effect.forEach(
        [1, 2, 3, 4],
        (n) => Effect.raceFirst(deliberate(`left ${n}`), Effect.andThen(Effect.yieldNow, deliberate(`right ${n}`)))
      )
      const { rounds, value } = yield* drive(handler, echo)
      expect(value).toStrictEqual(["<left 1>", "<left 2>", "<left 3>", "<left 4>"])
      expect(rounds.length).toBe(4)
    }))
})

const parked: Readonly<Record<string, Effect.Effect<unknown>>> = {
  "takes from an empty queue": Effect.flatMap(Queue.unbounded<number>(), Queue.take),
  "offers to a full queue": Effect.flatMap(
    Queue.bounded<number>(1),
    (queue) => Effect.andThen(Queue.offer(queue, 1), Queue.offer(queue, 2))
  ),
  "waits for a deferred": Effect.flatMap(Deferred.make<void>(), Deferred.await),
  "waits for a latch": Effect.flatMap(Latch.make(), Latch.await),
  "waits for a permit": Effect.flatMap(Semaphore.make(0), (semaphore) => semaphore.take(1)),
  "waits for a message": Effect.scoped(
    Effect.flatMap(Effect.flatMap(PubSub.unbounded<number>(), PubSub.subscribe), PubSub.take)
  ),
  "joins a fiber that waits": Effect.flatMap(Effect.forkChild(Effect.never), Fiber.join),
  "waits for several effects that wait": Effect.all([Effect.never, Effect.never], unbounded),
  "runs a stream from an empty queue": Effect.flatMap(
    Queue.unbounded<number>(),
    (queue) => Stream.runDrain(Stream.mapEffect(Stream.fromQueue(queue), Effect.succeed))
  )
}

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Parked fibers", (it) => {
  for (const [what, wait] of Object.entries(parked)) {
    // With an infinite settle time, a round that took the fiber for work in flight would never end.
    it.effect(`a round does not wait for a fiber that ${what}`, () =>
      Effect.gen(function*() {
        const handler = Effect.andThen(Effect.forkChild(wait), Effect.flatMap(ask("a"), ask))
        const { value } = yield* Effect.timeout(drive(handler, echo), "2 seconds")
        expect(value).toBe("<<a>>")
      }).pipe(Effect.provideService(Rounds.SettleTime, Duration.infinity)))
  }

  const joining: Readonly<Record<string, Effect.Effect<unknown, unknown, Sampler.Sampler>>> = {
    "joins a fiber that it forked": Effect.flatMap(Effect.forkChild(ask("a")), Fiber.join),
    "joins a detached fiber": Effect.flatMap(Effect.forkDetach(ask("a")), Fiber.join),
    "joins a fiber that it forked in a scope": Effect.flatMap(
      Rounds.scope("s", Effect.forkChild(ask("a"))),
      Fiber.join
    ),
    "waits for a deferred that a fiber completes": Effect.flatMap(Deferred.make<string>(), (deferred) =>
      Effect.andThen(
        Effect.forkChild(Effect.flatMap(ask("a"), (text) => Deferred.succeed(deferred, text))),
        Deferred.await(deferred)
      ))
  }
  for (const [what, handler] of Object.entries(joining)) {
    it.effect(`a round does not wait for a handler that first ${what}`, () =>
      Effect.gen(function*() {
        const { rounds } = yield* Effect.timeout(drive(handler, echo), "2 seconds")
        expect(rounds.length).toBe(1)
      }).pipe(Effect.provideService(Rounds.SettleTime, Duration.infinity)))
  }

  it.effect("a round waits for a promise, for as long as it may settle", () =>
    Effect.gen(function*() {
      const slow = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 30)))
      const handler = Effect.all([ask("a"), Effect.andThen(slow, ask("b"))], unbounded)
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.map((keys) => keys.length)).toStrictEqual([2])
    }))
})

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Fibers of other owners", (it) => {
  /** A worker of the process, which runs jobs with the context of whoever sent them. */
  const makeWorker = Effect.gen(function*() {
    const jobs = yield* Queue.unbounded<Effect.Effect<void>>()
    const fiber = yield* Effect.forkDetach(Effect.forever(Effect.flatMap(Queue.take(jobs), (job) => job)))
    const run = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.gen(function*() {
        const context = yield* Effect.context<R>()
        const result = yield* Deferred.make<A, E>()
        yield* Queue.offer(jobs, Effect.asVoid(Deferred.into(Effect.provideContext(effect, context), result)))
        return yield* Deferred.await(result)
      })
    return { fiber, run }
  })

  it.effect("a worker of the process asks for a call, and lives on after the end of its rounds", () =>
    Effect.gen(function*() {
      const { fiber, run } = yield* makeWorker
      for (let i = 0; i < 5; i++) {
        const handler = Effect.flatMap(run(ask(`a ${i}`)), (text) => run(ask(text)))
        const { value } = yield* Effect.timeout(drive(handler, echo), "5 seconds")
        expect(value).toBe(`<<a ${i}>>`)
      }
      expect(fiber.pollUnsafe()).toBeUndefined()
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provideService(Rounds.SettleTime, Duration.infinity)))

  it.effect("a worker of the process runs a once-step of a call once", () =>
    Effect.gen(function*() {
      const { fiber, run } = yield* makeWorker
      const ledger: Array<string> = []
      const handler = Effect.gen(function*() {
        const receipt = yield* run(pay(ledger, "x"))
        return [receipt, yield* run(ask("a")), yield* ask("b")]
      })
      const { value } = yield* Effect.timeout(drive(handler, echo), "5 seconds")
      expect([value, ledger]).toStrictEqual([["receipt x 1", "<a>", "<b>"], ["x"]])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("nothing of a call is held by a worker after the end of the call", () =>
    Effect.gen(function*() {
      const { fiber, run } = yield* makeWorker
      let observers = 0
      const addObserver = fiber.addObserver.bind(fiber)
      Object.assign(fiber, {
        addObserver: (observer: Parameters<typeof addObserver>[0]) => {
          observers++
          return addObserver(observer)
        }
      })
      for (let i = 0; i < 50; i++) {
        yield* drive(Effect.andThen(run(Effect.flatMap(Effect.forkChild(ask("b")), Fiber.join)), run(ask("a"))), echo)
      }
      expect(observers).toBe(0)
      expect(fiber.pollUnsafe()).toBeUndefined()
      yield* Fiber.interrupt(fiber)
    }))
})
