import { ClientSampler, ProviderSampler, Rounds, Sampler, SamplingError } from "@effect-sampling/core"
import { expect, layer } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Pool, Queue, Random, Schema, Scope, Semaphore, Stream } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { ask, drive, echo, openStates, say, unbounded } from "./fixtures/rounds.ts"

const once = <A, R>(
  name: string,
  effect: Effect.Effect<A, SamplingError.SamplingError, R>,
  success: Schema.Codec<A, unknown>
) => Rounds.once(name, effect, { success, failure: SamplingError.SamplingError })

const forks = {
  "a forked fiber": <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect),
  "a detached fiber": <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkDetach(effect)
}

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("Once-steps", (it) => {
  it.effect("a once-step does not record an outcome that only the end of the round caused", () =>
    Effect.gen(function*() {
      const careful = Effect.catchCause(ask("a"), () => Effect.succeed("nobody answered"))
      const { value } = yield* drive(Effect.uninterruptible(once("careful", careful, Schema.String)), echo)
      expect(value).toBe("<a>")
    }))

  for (const [where, fork] of Object.entries(forks)) {
    for (const releaseMillis of [5, 300]) {
      it.effect(`a once-step in ${where} sees no end of the round before a release of ${releaseMillis} ms`, () =>
        Effect.gen(function*() {
          const paid: Array<string> = []
          const pay = <E, R>(name: string, asked: Effect.Effect<string, E, R>) =>
            once(
              name,
              Effect.map(Effect.exit(asked), (exit) => {
                const amount = Exit.isSuccess(exit) ? exit.value : "nothing"
                paid.push(amount)
                return amount
              }),
              Schema.String
            )
          const joined = Effect.flatMap(Effect.forkChild(ask("b"), { startImmediately: true }), Fiber.join)
          const handler = Effect.acquireUseRelease(
            Effect.void,
            () => Effect.flatMap(fork(Effect.all([pay("a", ask("a")), pay("b", joined)])), Fiber.join),
            () => Effect.sleep(releaseMillis)
          )
          const { value } = yield* drive(handler, echo)
          expect([value, paid]).toStrictEqual([["<a>", "<b>"], ["<a>", "<b>"]])
        }))
    }
  }

  it.effect("a once-step does not observe the end of a round while the fiber that started it is ending", () =>
    Effect.gen(function*() {
      const paid: Array<string> = []
      const pay = once(
        "pay",
        Effect.map(Effect.exit(ask("a")), (exit) => {
          paid.push(Exit.isSuccess(exit) ? exit.value : "nothing")
          return "paid"
        }),
        Schema.String
      )
      const sayingGoodbye = Effect.ensuring(ask("b"), Effect.ignore(ask("goodbye")))
      const stream = Stream.mapEffect(Stream.make(pay, sayingGoodbye), (each) => each, { concurrency: 2 })
      const both = Effect.all([Stream.runCollect(stream), ask("c")], unbounded)
      const handler = Effect.gen(function*() {
        const scope = yield* Scope.make()
        const joined = Effect.flatMap(Effect.forkIn(both, scope), Fiber.join)
        return yield* Effect.onExit(joined, (exit) => Scope.close(scope, exit))
      })
      yield* drive(handler, echo)
      expect(paid).toStrictEqual(["<a>"])
    }))

  it.effect("a once-step after the call does not end the detached fiber that reaches it", () =>
    Effect.gen(function*() {
      const beats = yield* Queue.unbounded<number>()
      const beat = Effect.exit(once("refresh", Effect.succeed("new"), Schema.String)).pipe(
        Effect.andThen(Queue.offer(beats, 1)),
        Effect.andThen(Effect.sleep(1))
      )
      const handler = Effect.flatMap(Effect.forkDetach(Effect.forever(beat)), (fiber) => Effect.succeed(fiber))
      const { value: fiber } = yield* drive(handler, echo)
      for (let count = 0; count < 3; count++) yield* Queue.take(beats)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("a once-step that a detached fiber reaches after the call runs as it does outside of rounds", () =>
    Effect.gen(function*() {
      const sent = yield* Queue.unbounded<string>()
      const send = (mail: string) => once(mail, Effect.as(Queue.offer(sent, mail), mail), Schema.String)
      const handler = Effect.gen(function*() {
        const answer = yield* Effect.tap(ask("a"), () => send("first"))
        yield* Effect.forkDetach(Effect.andThen(Effect.sleep(5), send("third")))
        yield* Effect.forkDetach(send("second"))
        return answer
      })
      const { value } = yield* drive(handler, echo)
      expect(value).toBe("<a>")
      const mails = [yield* Queue.take(sent), yield* Queue.take(sent), yield* Queue.take(sent)]
      expect(mails).toStrictEqual(["first", "second", "third"])
    }))

  it.effect("a once-step that still waits for its turn when the call completes receives its recorded result", () =>
    Effect.gen(function*() {
      let run = 0
      let sent = 0
      const send = once("send", Effect.sync(() => `${++sent}`), Schema.String)
      const handler = Effect.gen(function*() {
        if (++run === 1) yield* Effect.andThen(send, ask("a"))
        return yield* Effect.forkDetach(send, { startImmediately: true })
      })
      const { value: fiber } = yield* drive(handler, echo)
      expect([yield* Fiber.join(fiber), sent]).toStrictEqual(["1", 1])
    }))

  it.effect("an ask inside a once-step with a context from outside it ends the round like any other ask", () =>
    Effect.gen(function*() {
      const outer = Effect.gen(function*() {
        const context = yield* Effect.context<Sampler.Sampler>()
        const both = Effect.all([ask("b"), ask("c")], unbounded)
        const asks = Effect.all([ask("a"), both]).pipe(Effect.map((texts) => texts.flat().join(" ")))
        return yield* once("inner", Effect.provideContext(asks, context), Schema.String)
      })
      const handler = Effect.all([once("outer", outer, Schema.String), ask("d")])
      const { rounds, value } = yield* drive(handler, echo)
      expect([value, rounds.map((keys) => keys.length)]).toStrictEqual([["<a> <b> <c>", "<d>"], [1, 2, 1]])
    }))

  it.effect("a once-step is found after a timeout and a race that a replay ends at once", () =>
    Effect.gen(function*() {
      const ran: Array<string> = []
      const slow = (name: string) =>
        once(name, Effect.andThen(Effect.sleep(1), Effect.sync(() => `${name} ${ran.push(name)}`)), Schema.String)
      const handler = Effect.gen(function*() {
        yield* Effect.timeout(slow("a"), "1 hour")
        yield* Effect.race(slow("b"), Effect.never)
        const both = yield* Effect.all([slow("c"), slow("d")], unbounded)
        return [...both, yield* ask("e")]
      })
      const { value } = yield* drive(handler, echo)
      expect([value, ran]).toStrictEqual([["c 3", "d 4", "<e>"], ["a", "b", "c", "d"]])
    }))

  it.effect("a round waits for a once-step whose work a shared worker does, and the work is done once", () =>
    Effect.gen(function*() {
      let charged = 0
      const orders = yield* Queue.unbounded<Deferred.Deferred<string>>()
      const charge = Effect.andThen(Effect.yieldNow, Effect.sync(() => `charge ${++charged}`))
      const work = Effect.flatMap(
        Queue.take(orders),
        (order) => Effect.flatMap(charge, (receipt) => Deferred.succeed(order, receipt))
      )
      yield* Effect.forkChild(Effect.forever(work))
      const pay = Effect.gen(function*() {
        const order = yield* Deferred.make<string>()
        yield* Queue.offer(orders, order)
        return yield* Deferred.await(order)
      })
      const { value } = yield* drive(Effect.all([ask("a"), once("pay", pay, Schema.String)], unbounded), echo)
      expect([value, charged]).toStrictEqual([["<a>", "charge 1"], 1])
    }))

  it.effect("a round under a timeout ends although a once-step waits for a lock that an asking fiber holds", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const lock = (yield* Semaphore.make(1)).withPermits(1)
        return yield* Effect.all([lock(ask("a")), once("step", lock(Effect.succeed("done")), Schema.String)], unbounded)
      })
      const { value } = yield* drive(Effect.timeout(handler, "1 hour"), echo)
      expect(value).toStrictEqual(["<a>", "done"])
    }))

  it.effect("a round ends although a once-step waits for an item of a pool that an asking fiber holds", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const pool = yield* Pool.make({ acquire: Effect.void, size: 1 })
        const using = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.scoped(Effect.andThen(Pool.get(pool), effect))
        return yield* Effect.all(
          [using(ask("a")), once("step", using(Effect.succeed("done")), Schema.String)],
          unbounded
        )
      })
      const { value } = yield* drive(Effect.scoped(handler), echo)
      expect(value).toStrictEqual(["<a>", "done"])
    }))

  it.effect("a fiber that was forked before a once-step does not belong to it, although it begins later", () =>
    Effect.gen(function*() {
      let charged = 0
      const handler = Effect.gen(function*() {
        const charge = yield* Effect.forkChild(once("charge", Effect.sync(() => ++charged), Schema.Number))
        const beside = yield* Effect.forkChild(ask("beside"))
        const first = yield* once("step", ask("a"), Schema.String)
        return [first, yield* ask("b"), yield* Fiber.join(beside), yield* Fiber.join(charge)]
      })
      const { rounds, value } = yield* drive(handler, echo)
      expect([value, rounds.map((keys) => keys.length)]).toStrictEqual([["<a>", "<b>", "<beside>", 1], [2, 1]])
    }))

  it.effect("a once-step inside another one runs although its name was recorded elsewhere", () =>
    Effect.gen(function*() {
      let saved = 0
      const save = once("save", Effect.sync(() => `${++saved}`), Schema.String)
      const first = once("first", Effect.andThen(ask("a"), save), Schema.String)
      const second = once("second", Effect.andThen(save, ask("b")), Schema.String)
      const { value } = yield* drive(Effect.all([first, second], unbounded), echo)
      expect([value, saved]).toStrictEqual([["2", "<b>"], 2])
    }))

  it.effect("an answer that a once-step used is not used for a later ask of the same content", () =>
    Effect.gen(function*() {
      let answers = 0
      const handler = Effect.gen(function*() {
        const inside = yield* once("step", ask("same"), Schema.String)
        yield* ask("something else")
        return [inside, yield* ask("same")]
      })
      const { value } = yield* drive(handler, () => say(`${++answers}`))
      expect([value, answers]).toStrictEqual([["1", "3"], 3])
    }))

  it.effect("random numbers drawn inside a once-step do not change those drawn after it", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const inside = yield* once("draw", Random.nextInt, Schema.Int)
        const after = yield* Random.nextInt
        expect(after).not.toBe(inside)
        return yield* ask(`${inside} ${after}`)
      })
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.length).toBe(1)
    }))

  it.effect("a once-step replays values that are not JSON through its schema", () =>
    Effect.gen(function*() {
      const values = [undefined, new Date(0), 10n, new Map([["a", 1]]), Number.NaN, { a: undefined }]
      const handler = Effect.gen(function*() {
        const found = [
          yield* once("void", Effect.void, Schema.Void),
          yield* once("date", Effect.succeed(new Date(0)), Schema.Date),
          yield* once("bigint", Effect.succeed(10n), Schema.BigInt),
          yield* once(
            "map",
            Effect.succeed<ReadonlyMap<string, number>>(new Map([["a", 1]])),
            Schema.ReadonlyMap(Schema.String, Schema.Finite)
          ),
          // oxlint-disable-next-line effect/no-schema-number -- NaN is not a finite number
          yield* once("nan", Effect.succeed(Number.NaN), Schema.Number),
          yield* once("struct", Effect.succeed({ a: undefined }), Schema.Struct({ a: Schema.Undefined }))
        ]
        yield* ask("a")
        return found
      })
      const { value } = yield* drive(handler, echo)
      expect(value).toStrictEqual(values)
    }))

  it.effect("a once-step whose value does not fit its schema is a defect, and is not recorded", () =>
    Effect.gen(function*() {
      let ran = 0
      const step = once("step", Effect.sync((): unknown => [++ran, 1n]), Schema.Unknown)
      const exit = yield* Effect.exit(drive(Effect.andThen(step, ask("a")), echo))
      expect([Exit.hasDies(exit), ran]).toStrictEqual([true, 1])
    }))

  it.effect("an attempt of a once-step that asked and failed is over, and the next attempt asks again", () =>
    Effect.gen(function*() {
      let attempts = 0
      const step = Rounds.once(
        "flaky",
        Effect.tap(ask("a"), () => ++attempts < 3 ? Effect.fail("not yet" as const) : Effect.void),
        { success: Schema.String, failure: Schema.Union([Schema.Literal("not yet"), SamplingError.SamplingError]) }
      )
      const { rounds, value } = yield* drive(Effect.andThen(Effect.eventually(step), ask("b")), echo)
      expect([value, attempts, rounds.length]).toStrictEqual(["<b>", 3, 4])
    }))

  it.effect("a once-step in a tool of a tool loop may ask, and runs once", () =>
    Effect.gen(function*() {
      const ran: Array<string> = []
      const note = (name: string, effect: Effect.Effect<string>) =>
        once(name, Effect.tap(effect, () => Effect.sync(() => ran.push(name))), Schema.String)
      const Tools = Toolkit.make(
        Tool.make("book", { parameters: Schema.Struct({ n: Schema.Finite }), success: Schema.String })
      )
      const sampler = yield* Sampler.Sampler
      const asking = (text: string) => Effect.orDie(Effect.map(sampler.sample(text), (reply) => reply.text))
      const handlers = Tools.toLayer({
        book: ({ n }) =>
          Effect.gen(function*() {
            yield* note(`pay ${n}`, Effect.succeed("paid"))
            return yield* note(`ask ${n}`, Effect.flatMap(asking(`confirm ${n}`), (text) => asking(`sure ${text}`)))
          }).pipe(Effect.orDie)
      })
      const handler = Sampler.sample("book two", { toolkit: Tools, concurrency: 2 }).pipe(
        Effect.map((reply) => reply.text),
        Effect.provide(handlers)
      )
      const { value } = yield* drive(handler, ({ params }) => {
        const { messages } = decodeMessages(params)
        if (messages.length === 1 && JSON.stringify(messages).includes("book two")) {
          const use = (n: number) => ({ type: "tool_use", id: `${n}`, name: "book", input: { n } })
          return { role: "assistant", model: "m", content: [use(1), use(2)] }
        }
        return messages.length === 1 ? echo({ params }) : say(JSON.stringify(messages.at(-1)))
      })
      expect(value).toContain("<sure <confirm 1>>")
      expect(value).toContain("<sure <confirm 2>>")
      expect(ran.toSorted()).toStrictEqual(["ask 1", "ask 2", "pay 1", "pay 2"])
    }))

  it.effect("a recorded tool call returns the same plain JSON in all runs", () =>
    Effect.gen(function*() {
      const Tools = Toolkit.make(Tool.make("get", { parameters: Schema.Struct({}), success: Schema.Unknown }))
      const results = [new Date(0), { a: undefined }, { at: new Date(0) }, new Map([["a", 1]])]
      for (const result of results) {
        const handler = Effect.map(Sampler.sample("x", { toolkit: Tools }), (reply) => reply.text).pipe(
          Effect.provide(Tools.toLayer({ get: () => Effect.succeed(result) })),
          Effect.tap(() => ask("end"))
        )
        const { rounds } = yield* drive(handler, ({ params }) =>
          decodeMessages(params).messages.length === 1 && JSON.stringify(params).includes("\"x\"")
            ? { role: "assistant", model: "m", content: { type: "tool_use", id: "1", name: "get", input: {} } }
            : say("done"))
        expect(rounds.length).toBe(3)
      }
    }))

  it.effect("each completion of a provider is recorded, next to asks of the client", () =>
    Effect.gen(function*() {
      let paid = 0
      const provider = ProviderSampler.layer({ name: "p", createMessage: () => Effect.sync(() => `p${++paid}`) })
      const handler = Effect.gen(function*() {
        const first = yield* Effect.provide(ask("x"), provider)
        const second = yield* ask(`about ${first}`)
        const same = Effect.provide(ask("same"), provider)
        return [second, ...(yield* Effect.all([same, same, ask("z")], unbounded))]
      })
      const { value } = yield* drive(handler, echo)
      expect([value, paid]).toStrictEqual([["<about p1>", "p2", "p3", "<z>"], 3])
    }))

  it.effect("a fallback provider answers when the client has used all its rounds", () =>
    Effect.gen(function*() {
      for (const maxRounds of [0, 1, 2]) {
        let paid = 0
        const provider = ProviderSampler.layer({ name: "p", createMessage: () => Effect.sync(() => `p${++paid}`) })
        const handler = Effect.forEach([1, 2, 3], (n) => ask(`${n}`, `name ${n}`)).pipe(
          Effect.provide(Sampler.fallback(ClientSampler.layer, provider)),
          Effect.provideService(Rounds.MaxRounds, 8)
        )
        const { rounds, value } = yield* Effect.provideService(drive(handler, echo), Rounds.MaxRounds, maxRounds)
        expect(value).toStrictEqual([
          ...["<1>", "<2>"].slice(0, maxRounds),
          ...["p1", "p2", "p3"].slice(0, 3 - maxRounds)
        ])
        expect([rounds.length, paid]).toStrictEqual([maxRounds, 3 - maxRounds])
      }
    }))
})

const decodeMessages = Schema.decodeUnknownSync(
  Schema.Struct({ messages: Schema.Array(Schema.Unknown) })
)
