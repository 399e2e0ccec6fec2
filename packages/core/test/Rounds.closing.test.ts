import { ClientSampler, RequestState, Rounds, SamplingError } from "@effect-sampling/core"
import type { Sampler } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { expect, layer } from "@effect/vitest"
import {
  Cause,
  Clock,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Pool,
  Queue,
  RcMap,
  RcRef,
  Scheduler,
  Schema,
  Scope,
  Stream,
  Tracer,
  TxRef
} from "effect"
import { TestClock } from "effect/testing"
import { ask, baseCall, drive, echo, openStates, unbounded } from "./fixtures/rounds.ts"

/** Never ends, and never pauses for longer than the settle time. */
const ticking = Effect.forever(Effect.sleep(5))

/** What a fiber of the handler may do for as long as the process lives. */
const activities: Record<string, Effect.Effect<void>> = {
  "sleeps": ticking,
  "yields": Effect.forever(Effect.yieldNow),
  "races": Effect.forever(Effect.race(Effect.sleep(5), Effect.never)),
  "starts fibers side by side": Effect.forever(Effect.all([Effect.sleep(5), Effect.sleep(8)], unbounded))
}

const joined = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.flatMap(Effect.forkChild(effect), Fiber.join)

const orLate = <E, R>(effect: Effect.Effect<string, E, R>) =>
  Effect.race(effect, Effect.as(Effect.sleep("1 hour"), "late"))

/** Runs the effect in its own fiber, and receives its exit through a queue: the caller does not join the fiber. */
const received = <E, R>(effect: Effect.Effect<string, E, R>) =>
  Effect.gen(function*() {
    const exits = yield* Queue.make<Exit.Exit<string, E>>()
    yield* Effect.forkChild(Effect.flatMap(Effect.exit(effect), (exit) => Queue.offer(exits, exit)))
    return yield* yield* Queue.take(exits)
  })

const forkedRaces = {
  "an uninterruptible handler joins a fiber that races": Effect.uninterruptible(joined(orLate(ask("a")))),
  "a handler joins an uninterruptible fiber that races": joined(Effect.uninterruptible(orLate(ask("a")))),
  "a handler joins an uninterruptible fiber that races, and races again when it is interrupted": joined(
    Effect.uninterruptible(Effect.catchCause(orLate(ask("b")), () => orLate(ask("a")))).pipe(
      Effect.andThen(ask("a"))
    )
  ),
  "an uninterruptible handler joins a fiber whose race joins a fiber that asks": Effect.uninterruptible(
    joined(orLate(joined(ask("a"))))
  ),
  "an uninterruptible fiber starts its race after the round has ended": joined(Effect.uninterruptible(
    Effect.catchCause(ask("b"), () => Effect.void).pipe(Effect.andThen(orLate(joined(ask("a")))))
  )),
  "an uninterruptible handler joins a detached fiber that races": Effect.uninterruptible(
    Effect.flatMap(Effect.forkDetach(orLate(ask("a"))), Fiber.join)
  ),
  "an uninterruptible handler waits for the exit of a fiber with a slow finalizer": Effect.uninterruptible(
    received(Effect.ensuring(ask("a"), Effect.sleep(20)))
  ),
  "an uninterruptible handler waits for the exit of a race with a slow finalizer": Effect.uninterruptible(
    received(Effect.ensuring(orLate(ask("a")), Effect.sleep(20)))
  ),
  "an uninterruptible fiber waits for the exit of a fiber that asks inside a once-step": joined(
    Effect.uninterruptible(
      received(Rounds.once("step", ask("a"), { success: Schema.String, failure: SamplingError.SamplingError }))
    )
  ),
  "an uninterruptible fiber inside a once-step waits for the exit of a fiber that asks": Rounds.once(
    "step",
    joined(Effect.uninterruptible(received(ask("a")))),
    { success: Schema.String, failure: SamplingError.SamplingError }
  ),
  "an uninterruptible handler waits for the exit of a fiber that joins a race": Effect.uninterruptible(
    received(joined(orLate(ask("a"))))
  )
}

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("End of a round", (it) => {
  it.effect("the end of a round lets a finalizer with a timeout finish while a detached fiber asks", () =>
    Effect.gen(function*() {
      const released: Array<string> = []
      const asked = yield* Deferred.make<void>()
      const release = Deferred.await(asked).pipe(
        Effect.andThen(Effect.sleep(20)),
        Effect.andThen(Effect.sync(() => released.push("released")))
      )
      const handler = Effect.scoped(Effect.gen(function*() {
        yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(release, "10 seconds")))
        const late = Effect.andThen(Effect.sleep(20), Deferred.succeed(asked, undefined))
        yield* Effect.forkDetach(Effect.andThen(late, orLate(ask("background"))))
        return yield* ask("a")
      }))
      const { value } = yield* drive(handler, echo)
      expect([value, released]).toStrictEqual(["<a>", ["released", "released"]])
    }).pipe(Effect.provideService(Rounds.SettleTime, Duration.zero)))

  it.effect("the end of a round lets finalizers with a timeout or a race finish", () =>
    Effect.gen(function*() {
      let released = 0
      const release = Effect.andThen(Effect.sleep(10), Effect.sync(() => released++))
      const handler = Effect.scoped(Effect.gen(function*() {
        yield* Effect.addFinalizer(() => Effect.orDie(Effect.timeout(release, "10 seconds")))
        yield* Effect.addFinalizer(() => Effect.race(release, Effect.never))
        return yield* ask("a")
      }))
      yield* drive(handler, echo)
      expect(released).toBe(4)
    }))

  it.effect("the end of a round does not interrupt fibers that a shared resource started on its first use", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const started = { scheduled: 0, atOnce: 0 }
      const ended: Array<string> = []
      const background = (name: keyof typeof started) =>
        Effect.onExit(
          Effect.andThen(Effect.sync(() => started[name]++), ticking),
          () => Effect.sync(() => ended.push(name))
        )
      const start = yield* Effect.cached(Effect.all([
        Effect.forkIn(background("scheduled"), scope),
        Effect.forkIn(background("atOnce"), scope, { startImmediately: true })
      ]))
      const handler = Effect.scoped(Effect.gen(function*() {
        yield* start
        yield* Effect.addFinalizer(() => Effect.sleep(10))
        return yield* ask("a")
      }))
      const { value } = yield* drive(handler, echo)
      expect([value, started, ended]).toStrictEqual(["<a>", { scheduled: 1, atOnce: 1 }, []])
      yield* Scope.close(scope, Exit.void)
      expect(ended.toSorted()).toStrictEqual(["atOnce", "scheduled"])
    }))

  it.effect("the end of a round keeps the resources of shared pools, references and maps", () =>
    Effect.gen(function*() {
      let made = 0
      let live = 0
      const resource = Effect.acquireRelease(
        Effect.sync(() => {
          live++
          return ++made
        }),
        () => Effect.sync(() => live--)
      )
      const pool = yield* Pool.makeWithTTL({ acquire: resource, min: 1, max: 2, timeToLive: "1 minute" })
      const reference = yield* RcRef.make({ acquire: resource, idleTimeToLive: "1 minute" })
      const map = yield* RcMap.make({
        lookup: (key: string) => Effect.map(resource, (n) => `${key} ${n}`),
        idleTimeToLive: "1 minute"
      })
      const use = Effect.scoped(Effect.all([Pool.get(pool), RcRef.get(reference), RcMap.get(map, "key")]))
      const handler = Effect.gen(function*() {
        const before = yield* use
        yield* Effect.scoped(Effect.andThen(use, ask("a")))
        return [before, yield* use]
      })
      const { value } = yield* drive(handler, echo)
      expect(value[1]).toStrictEqual(value[0])
      expect([made, live]).toStrictEqual([3, 3])
    }))

  it.effect("a shared worker that a round started serves later rounds", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const queue = yield* Queue.unbounded<Deferred.Deferred<string>>()
      const work = Effect.forever(Effect.flatMap(Queue.take(queue), (job) => Deferred.succeed(job, "served")))
      const start = yield* Effect.cached(Effect.forkIn(work, scope))
      const serve = Effect.gen(function*() {
        yield* start
        const job = yield* Deferred.make<string>()
        yield* Queue.offer(queue, job)
        return yield* Deferred.await(job)
      })
      const handler = Effect.gen(function*() {
        return [yield* serve, yield* ask("a"), yield* serve]
      })
      const { value } = yield* drive(handler, echo)
      expect(value).toStrictEqual(["served", "<a>", "served"])
      yield* Scope.close(scope, Exit.void)
    }))

  it.effect("a round ends although a fiber never stops running", () =>
    Effect.gen(function*() {
      const { value } = yield* drive(Effect.raceFirst(ask("a"), Effect.forever(Effect.yieldNow)), echo)
      expect(value).toBe("<a>")
    }))

  it.effect("a round ends although an uninterruptible handler asks again after each interruption", () =>
    Effect.gen(function*() {
      const untilAnswered: typeof asked = Effect.suspend(() => Effect.catchCause(asked, () => untilAnswered))
      const asked = ask("a")
      const { rounds, value } = yield* drive(Effect.uninterruptible(untilAnswered), echo)
      expect([value, rounds.length]).toStrictEqual(["<a>", 1])
      const beside = yield* Effect.forkDetach(drive(
        Effect.andThen(Effect.forkDetach(Effect.never), Effect.uninterruptible(untilAnswered)),
        echo
      ))
      expect((yield* Effect.timeout(Fiber.join(beside), "3 seconds")).value).toBe("<a>")
    }))

  it.effect("a round ends although a child of an uninterruptible handler asks again after each interruption", () =>
    Effect.gen(function*() {
      const untilAnswered: typeof asked = Effect.suspend(() => Effect.catchCause(asked, () => untilAnswered))
      const asked = ask("a")
      const { value } = yield* drive(Effect.uninterruptible(Effect.all([untilAnswered, ask("b")], unbounded)), echo)
      expect(value).toStrictEqual(["<a>", "<b>"])
    }))

  it.effect("a round ends although more finalizers ask than one fiber may ask", () =>
    Effect.gen(function*() {
      const each = (index: number) => Effect.ensuring(ask(`${index}`), Effect.ignore(ask(`end ${index}`)))
      const round = yield* RoundRunner.run(
        Effect.forEach(Array.from({ length: 1200 }, (_, i) => i), each, unbounded),
        baseCall
      )
      expect(round._tag === "InputRequired" && Object.keys(round.inputRequests).length).toBe(1200)
    }))

  it.effect("the end of a round waits for finalizers that wait for other systems, in every fiber of the handler", () =>
    Effect.gen(function*() {
      const released: Array<string> = []
      const release = (name: string) =>
        Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20))).pipe(
          Effect.andThen(Effect.sleep(10)),
          Effect.andThen(Effect.sync(() => released.push(name)))
        )
      const asking = (name: string) => Effect.ensuring(ask(name), release(name))
      const handler = Effect.gen(function*() {
        const fork = yield* Effect.forkChild(asking("fork"))
        const both = yield* Effect.all([asking("one"), asking("two")], unbounded)
        return [...both, yield* Fiber.join(fork)]
      }).pipe(Effect.ensuring(release("root")))
      const round = yield* Effect.provideService(RoundRunner.run(handler, baseCall), Rounds.SettleTime, Duration.zero)
      expect(round._tag).toBe("InputRequired")
      expect(released.toSorted()).toStrictEqual(["fork", "one", "root", "two"])
    }))

  it.effect("the end of a round releases what was acquired before an ask in an acquisition", () =>
    Effect.gen(function*() {
      const acquired: Array<string> = []
      const released: Array<string> = []
      const resource = (name: string, acquire: Effect.Effect<unknown, SamplingError.SamplingError, Sampler.Sampler>) =>
        Effect.acquireRelease(
          Effect.andThen(acquire, Effect.sync(() => acquired.push(name))),
          () => Effect.sync(() => released.push(name))
        )
      const handler = Effect.scoped(Effect.gen(function*() {
        yield* resource("outer", Effect.void)
        yield* resource("inner", ask("a"))
        yield* Effect.addFinalizer(() => Effect.ignore(Effect.andThen(ask("b"), ask("c"))))
        return yield* ask("d")
      }))
      const first = yield* RoundRunner.run(handler, baseCall)
      expect([first._tag, released]).toStrictEqual(["InputRequired", ["outer"]])
      const { value } = yield* drive(handler, echo)
      expect(value).toBe("<d>")
      expect(released.toSorted()).toStrictEqual(acquired.toSorted())
    }))

  for (const [activity, background] of Object.entries(activities)) {
    it.effect(`a round leaves a handler behind that nothing can end, beside a detached fiber that ${activity}`, () =>
      Effect.gen(function*() {
        // The tests after this one share the process.
        const detached: Array<Fiber.Fiber<void>> = []
        yield* Effect.addFinalizer(() => Fiber.interruptAll(detached))
        const handler = Effect.gen(function*() {
          detached.push(yield* Effect.forkDetach(background))
          const gate = yield* Deferred.make<string>()
          yield* Effect.forkChild(Effect.flatMap(ask("a"), (text) => Deferred.succeed(gate, text)))
          return yield* Effect.uninterruptible(Deferred.await(gate))
        })
        const { value } = yield* drive(handler, echo)
        expect(value).toBe("<a>")
      }))
  }

  it.effect("a round leaves a handler behind whose finalizer works first, and then never ends", () =>
    Effect.gen(function*() {
      const finalizer = Effect.andThen(Effect.promise(() => Promise.resolve()), Effect.never)
      const round = yield* RoundRunner.run(Effect.ensuring(ask("a"), finalizer), baseCall)
      expect(round._tag).toBe("InputRequired")
    }).pipe(Effect.provideService(Rounds.SettleTime, Duration.zero)))

  it.effect("a completed call leaves the fibers alone that outlive it, unless they ask", () =>
    Effect.gen(function*() {
      const results = yield* Queue.unbounded<string>()
      const askLate = Effect.gen(function*() {
        const asker = yield* Effect.forkChild(Effect.exit(Effect.andThen(Effect.sleep(5), ask("late"))))
        const exit = yield* Fiber.await(asker)
        yield* Queue.offer(results, Exit.hasInterrupts(exit) ? "interrupted" : "answered")
      })
      const round = yield* RoundRunner.run(Effect.as(Effect.forkDetach(askLate), "done"), baseCall)
      expect(round._tag).toBe("Complete")
      expect(yield* Queue.take(results)).toBe("interrupted")
    }))

  it.effect("a round ends in an uninterruptible race", () =>
    Effect.gen(function*() {
      const race = (text: string) => Effect.race(ask(text), Effect.as(Effect.sleep("1 hour"), "late"))
      const handler = Effect.uninterruptible(Effect.andThen(Effect.exit(race("a")), race("b")))
      const { value } = yield* drive(handler, echo)
      expect(value).toBe("<b>")
    }))

  for (const [situation, within] of Object.entries(forkedRaces)) {
    it.effect(`a round ends when ${situation}`, () =>
      Effect.gen(function*() {
        const { value } = yield* drive(within, echo)
        expect(value).toBe("<a>")
      }))
  }

  it.effect("the end of a round stops a detached fiber that asks again and again", () =>
    Effect.gen(function*() {
      const ended = yield* Deferred.make<void>()
      const background = Effect.forever(Effect.exit(ask("background"))).pipe(
        Effect.onExit(() => Deferred.succeed(ended, undefined))
      )
      const round = yield* RoundRunner.run(Effect.andThen(Effect.forkDetach(background), ask("a")), baseCall)
      expect(round._tag).toBe("InputRequired")
      yield* Deferred.await(ended)
    }))

  for (const preventYield of [true, false]) {
    it.effect(`a round under a timeout ends at once ${preventYield ? "without" : "with"} yields of the scheduler`, () =>
      Effect.gen(function*() {
        const handler = Effect.timeout(
          Effect.gen(function*() {
            const first = yield* ask("a")
            const many = yield* Effect.all([ask("b"), ask("c")], unbounded)
            return yield* ask([first, ...many].join())
          }),
          "1 hour"
        )
        const { rounds, value } = yield* drive(handler, echo).pipe(
          Effect.provideService(Rounds.SettleTime, Duration.minutes(1)),
          Effect.provideService(Scheduler.PreventSchedulerYield, preventYield)
        )
        expect([value, rounds.map((keys) => keys.length)]).toStrictEqual(["<<a>,<b>,<c>>", [1, 2, 1]])
      }))
  }

  it.effect("a round ends on a test clock, which the handler may adjust", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Effect.timeout(ask("a"), "3 hours"))
        const answer = yield* Fiber.join(fiber)
        yield* TestClock.adjust("2 hours")
        return [answer, yield* Clock.currentTimeMillis]
      })
      const { value } = yield* Effect.provide(drive(handler, echo), TestClock.layer())
      expect(value).toStrictEqual(["<a>", 7_200_000])
    }))

  it.effect("a round ends at once with a settle time of zero, and after all other work with an infinite one", () =>
    Effect.gen(function*() {
      const handler = Effect.all([ask("a"), Effect.andThen(Effect.sleep(150), ask("b"))], unbounded)
      const sizes = (settleTime: Duration.Duration) =>
        Effect.map(
          Effect.provideService(drive(handler, echo), Rounds.SettleTime, settleTime),
          ({ rounds }) => rounds.map((keys) => keys.length)
        )
      expect(yield* sizes(Duration.infinity)).toStrictEqual([2])
      const lonely = Effect.all([ask("a"), Effect.never], unbounded)
      const round = yield* Effect.provideService(RoundRunner.run(lonely, baseCall), Rounds.SettleTime, Duration.zero)
      expect(round._tag).toBe("InputRequired")
    }))

  it.effect("a round ends at once when a fiber returns from other work and then waits for a fiber that asks", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const answers = yield* Queue.unbounded<string>()
        const asking = Effect.flatMap(ask("a", "key"), (text) => Queue.offer(answers, text))
        yield* Effect.forkChild(asking, { startImmediately: true })
        yield* Effect.promise(() => Promise.resolve())
        return yield* Queue.take(answers)
      })
      const { value } = yield* Effect.provideService(drive(handler, echo), Rounds.SettleTime, Duration.infinity)
      expect(value).toBe("<a>")
    }))

  it.effect("the end of a round waits for streams and transactions that are about to ask", () =>
    Effect.gen(function*() {
      const asks = Stream.mapEffect((text: string) => ask(text), { concurrency: 2 })
      const stream = Stream.merge(asks(Stream.make("a", "b", "c")), asks(Stream.make("d")))
      const streamed = yield* drive(Stream.runCollect(stream), echo)
      expect(streamed.value.toSorted()).toStrictEqual(["<a>", "<b>", "<c>", "<d>"])
      const counting = Effect.gen(function*() {
        const count = yield* TxRef.make(0)
        const both = Effect.tx(
          Effect.flatMap(TxRef.get(count), (n) => n < 2 ? Effect.txRetry : Effect.succeed(n))
        )
        const one = (text: string) => Effect.andThen(ask(text), Effect.tx(TxRef.update(count, (n) => n + 1)))
        return yield* Effect.all([both, one("a"), one("b")], unbounded)
      })
      const counted = yield* drive(counting, echo)
      expect([counted.value[0], counted.rounds.map((keys) => keys.length)]).toStrictEqual([2, [2]])
    }))
})

/** Runs one round, and returns what a handler, whose finalizers need one minute, and the end of the round reported. */
const reportsOf = (makeHandler: (minute: Effect.Effect<void>) => ReturnType<typeof ask>) =>
  Effect.gen(function*() {
    const reports: Array<string> = []
    const released = yield* Deferred.make<void>()
    const minute = Effect.andThen(
      Deferred.succeed(released, undefined),
      Effect.andThen(Effect.sleep("1 minute"), Effect.sync(() => reports.push("released")))
    )
    const round = RoundRunner.run(makeHandler(minute), baseCall).pipe(
      Effect.tap(({ _tag }) => Effect.sync(() => reports.push(_tag)))
    )
    const fiber = yield* Effect.forkChild(Effect.provideService(round, Rounds.SettleTime, Duration.infinity))
    yield* Deferred.await(released)
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(fiber)
    return reports
  })

layer(Layer.merge(openStates, ClientSampler.layer))("Finalizers at the end of a round", (it) => {
  it.effect("the end of a round waits for a finalizer that runs under a timeout", () =>
    Effect.gen(function*() {
      const reports = yield* reportsOf((minute) =>
        Effect.ensuring(ask("a"), Effect.orDie(Effect.timeout(minute, "1 hour")))
      )
      expect(reports).toStrictEqual(["released", "InputRequired"])
    }))

  it.effect("the end of a round waits for a finalizer that runs effects side by side", () =>
    Effect.gen(function*() {
      const reports = yield* reportsOf((minute) => Effect.ensuring(ask("a"), Effect.all([minute, minute], unbounded)))
      expect(reports).toStrictEqual(["released", "released", "InputRequired"])
    }))

  it.effect("the end of a round waits for a finalizer that joins a fiber, which it starts at once", () =>
    Effect.gen(function*() {
      const reports = yield* reportsOf((minute) =>
        Effect.ensuring(ask("a"), Effect.flatMap(Effect.forkChild(minute, { startImmediately: true }), Fiber.join))
      )
      expect(reports).toStrictEqual(["released", "InputRequired"])
    }))

  it.effect("the end of a round waits for the finalizer of a child that does not ask", () =>
    Effect.gen(function*() {
      const reports = yield* reportsOf((minute) =>
        Effect.andThen(
          Effect.forkChild(Effect.ensuring(Effect.never, minute), { startImmediately: true }),
          ask("a")
        )
      )
      expect(reports).toStrictEqual(["released", "InputRequired"])
    }))

  it.effect("the end of a round waits for the finalizer of a fiber that lost a race", () =>
    Effect.gen(function*() {
      const reports = yield* reportsOf((minute) => Effect.race(ask("a"), Effect.ensuring(Effect.never, minute)))
      expect(reports).toStrictEqual(["released", "InputRequired"])
    }))

  it.effect("the end of a round waits for a finalizer that starts and joins one fiber after another", () =>
    Effect.gen(function*() {
      let started = 0
      const release = Effect.repeat(joined(Effect.sync(() => started++)), { times: 499 })
      const round = RoundRunner.run(Effect.ensuring(ask("a"), release), baseCall)
      yield* Effect.provideService(round, Rounds.SettleTime, Duration.infinity)
      expect(started).toBe(500)
    }))

  it.effect("the end of a round waits for a finalizer under another tracer", () =>
    Effect.gen(function*() {
      const reports: Array<string> = []
      const { promise, resolve } = Promise.withResolvers<void>()
      const releasing = yield* Deferred.make<void>()
      const release = Effect.andThen(Deferred.succeed(releasing, undefined), Effect.promise(() => promise)).pipe(
        Effect.andThen(Effect.sync(() => reports.push("released"))),
        Effect.withTracer(Tracer.make({ span: (options) => new Tracer.NativeSpan(options) }))
      )
      const handler = Effect.gen(function*() {
        const gate = yield* Deferred.make<string>()
        yield* Effect.forkChild(Effect.flatMap(ask("a"), (text) => Deferred.succeed(gate, text)))
        return yield* Effect.ensuring(Deferred.await(gate), release)
      })
      const round = RoundRunner.run(handler, baseCall).pipe(
        Effect.tap(({ _tag }) => Effect.sync(() => reports.push(_tag)))
      )
      const fiber = yield* Effect.forkChild(Effect.provideService(round, Rounds.SettleTime, Duration.infinity))
      yield* Deferred.await(releasing)
      yield* Effect.yieldNow
      resolve()
      yield* Fiber.join(fiber)
      expect(reports).toStrictEqual(["released", "InputRequired"])
    }))
})

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })(
  "Cancelled calls in rounds",
  (it) => {
    it.effect("a cancelled call does not run the error handlers around an ask", () =>
      Effect.gen(function*() {
        let caught = 0
        const asked = yield* Deferred.make<void>()
        const catching = Effect.catchCause(ask("a"), () => Effect.sync(() => caught++))
        const signalling = Effect.andThen(Effect.sleep(1), Deferred.succeed(asked, undefined))
        const handler = Effect.all([catching, Effect.andThen(signalling, ticking)], unbounded)
        const fiber = yield* Effect.forkChild(
          Effect.provideService(RoundRunner.run(handler, baseCall), Rounds.SettleTime, Duration.hours(1))
        )
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(fiber)
        expect(caught).toBe(0)
      }))

    it.effect("a cancelled call does not wait for work in flight", () =>
      Effect.gen(function*() {
        const handler = Effect.andThen(Effect.forkDetach(Effect.never), Effect.uninterruptible(ask("a")))
        const fiber = yield* Effect.forkDetach(
          Effect.provideService(RoundRunner.run(handler, baseCall), Rounds.SettleTime, Duration.infinity),
          { startImmediately: true }
        )
        yield* Effect.sleep(5)
        yield* Effect.timeout(Fiber.interrupt(fiber), "2 seconds")
      }))

    it.effect("a cancelled call releases its resources at every moment of cancellation", () =>
      Effect.gen(function*() {
        let held = 0
        const slowStates = Effect.provideService(RequestState.RequestState, {
          seal: () => Effect.as(Effect.sleep(3), "state"),
          open: () => Effect.die("not used")
        })
        const handler = Effect.scoped(Effect.gen(function*() {
          yield* Effect.acquireRelease(
            Effect.sync(() => held++),
            () => Effect.andThen(Effect.sleep(1), Effect.sync(() => held--))
          )
          yield* Effect.sleep(1)
          return yield* Effect.all([ask("a"), Effect.andThen(Effect.sleep(2), ask("b"))], unbounded)
        }))
        for (let millis = 0; millis < 12; millis++) {
          const fiber = yield* Effect.forkChild(slowStates(RoundRunner.run(handler, baseCall)))
          yield* Effect.sleep(millis)
          yield* Fiber.interrupt(fiber)
          const exit = yield* Fiber.await(fiber)
          expect(held).toBe(0)
          expect(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)).toBe(true)
        }
      }))
  }
)
