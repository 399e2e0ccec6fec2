import { ClientSampler, ProviderSampler, Rounds, Sampler, type SamplingError } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { expect, layer } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Random, Ref, Schema, Stream } from "effect"
import { baseCall, drive, echo, openStates, unbounded } from "./fixtures/rounds.ts"

const ask = (text: string, key?: string) =>
  Effect.map(Sampler.sample(text, key === undefined ? {} : { key }), (reply) => reply.text)

const call = (fields: Partial<RoundRunner.Call>): RoundRunner.Call => ({ ...baseCall, ...fields })

const reply = (text: string) => ({ role: "assistant", model: "m", content: { type: "text", text } })

const inputRequired = (round: RoundRunner.Round<unknown>): RoundRunner.InputRequired => {
  if (round._tag !== "InputRequired") throw new Error("the call is complete")
  return round
}

const beforeAsking: Readonly<Record<string, Effect.Effect<unknown, SamplingError.ReplayMismatch>>> = {
  "records a step": Rounds.once("step", Effect.succeed(1), { schema: Schema.Int }),
  "looks at when it started": Rounds.startedAt,
  "uses random numbers": Random.next
}

const continued = ({ requestState }: RoundRunner.InputRequired) => ({ requestState })

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("RoundRunner.run", (it) => {
  it.effect("completes a handler that asks nothing at once", () =>
    Effect.gen(function*() {
      const { rounds, value } = yield* drive(Effect.succeed(1), echo)
      expect([value, rounds]).toStrictEqual([1, []])
    }))

  it.effect("runs a handler of n asks n + 1 times, and asks each once", () =>
    Effect.gen(function*() {
      let runs = 0
      const handler = Effect.gen(function*() {
        runs++
        let text = "start"
        for (let i = 0; i < 5; i++) text = yield* ask(text)
        return text
      })
      const { rounds, value } = yield* drive(handler, echo)
      expect(value).toBe("<<<<<start>>>>>")
      expect(rounds.map((keys) => keys.length)).toStrictEqual([1, 1, 1, 1, 1])
      expect(runs).toBe(6)
    }))

  it.effect("asks in one round what is asked at the same time", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const first = yield* ask("a")
        const many = yield* Effect.all([ask("b"), ask("c"), ask("d")], { concurrency: "unbounded" })
        return yield* ask([first, ...many].join())
      })
      const { rounds, value } = yield* drive(handler, echo)
      expect(value).toBe("<<a>,<b>,<c>,<d>>")
      expect(rounds.map((keys) => keys.length)).toStrictEqual([1, 3, 1])
    }))

  it.effect("asks as many at once as the concurrency allows", () =>
    Effect.gen(function*() {
      const handler = Effect.forEach(["a", "b", "c", "d", "e"], (text) => ask(text), { concurrency: 2 })
      const { rounds, value } = yield* drive(handler, echo)
      expect(value).toStrictEqual(["<a>", "<b>", "<c>", "<d>", "<e>"])
      expect(rounds.map((keys) => keys.length)).toStrictEqual([2, 2, 1])
    }))

  it.effect("tells apart asks of the same content", () =>
    Effect.gen(function*() {
      let answers = 0
      const handler = Effect.all([ask("same"), ask("same"), ask("same")], { concurrency: "unbounded" })
      const { rounds, value } = yield* drive(handler, () => ({
        role: "assistant",
        model: "m",
        content: { type: "text", text: String(answers++) }
      }))
      expect(value).toStrictEqual(["0", "1", "2"])
      expect(new Set(rounds[0]).size).toBe(3)
    }))

  it.effect("asks the same for each element of a stream once", () =>
    Effect.gen(function*() {
      const handler = Stream.runCollect(
        Stream.mapEffect(Stream.fromIterable(["a", "b", "c"]), (name) => Effect.map(ask("same"), () => name), {
          concurrency: 2
        })
      )
      const { rounds, value } = yield* drive(handler, echo)
      expect([Array.from(value), rounds.flat().length]).toStrictEqual([["a", "b", "c"], 3])
    }))

  it.effect("uses the name of an ask as its key, and needs no state for it", () =>
    Effect.gen(function*() {
      const { rounds, states, value } = yield* drive(ask("What is the capital?", "capital_question"), echo)
      expect([value, rounds, states]).toStrictEqual([
        "<What is the capital?>",
        [["capital_question"]],
        [undefined]
      ])
    }))

  it.effect("takes an answer that comes without a state where the ask needs none", () =>
    Effect.gen(function*() {
      const answered = call({ inputResponses: { capital: reply("Paris") } })
      const ended = yield* RoundRunner.run(ask("What is the capital?", "capital"), answered)
      expect(ended).toMatchObject({ _tag: "Complete", value: "Paris" })
    }))

  for (const [what, before] of Object.entries(beforeAsking)) {
    it.effect(`asks again when an answer comes without the state, where the handler first ${what}`, () =>
      Effect.gen(function*() {
        const handler = Effect.andThen(before, ask("What is the capital?", "capital"))
        const first = yield* RoundRunner.run(handler, call({}))
        const without = yield* RoundRunner.run(handler, call({ inputResponses: { capital: reply("Paris") } }))
        for (const { inputRequests, requestState } of [inputRequired(first), inputRequired(without)]) {
          expect(Object.keys(inputRequests)).toStrictEqual(["capital"])
          expect(requestState).toBeTypeOf("string")
        }
        const again = yield* RoundRunner.run(
          handler,
          call({ ...continued(inputRequired(without)), inputResponses: { capital: reply("Paris") } })
        )
        expect(again).toMatchObject({ _tag: "Complete", value: "Paris" })
      }))
  }

  it.effect("ignores answers that the state does not ask for", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        yield* Rounds.startedAt
        return `${yield* ask("one", "step1")} ${yield* ask("two", "step2")}`
      })
      const first = inputRequired(yield* RoundRunner.run(handler, call({})))
      const inputResponses = { step1: reply("1"), step2: reply("early") }
      const second = inputRequired(yield* RoundRunner.run(handler, call({ ...continued(first), inputResponses })))
      expect(Object.keys(second.inputRequests)).toStrictEqual(["step2"])
      const third = yield* RoundRunner.run(
        handler,
        call({ ...continued(second), inputResponses: { step1: reply("changed"), step2: reply("2") } })
      )
      expect(third).toMatchObject({ _tag: "Complete", value: "1 2" })
    }))

  it.effect("ignores an answer without a state where the ask has no name", () =>
    Effect.gen(function*() {
      const first = inputRequired(yield* RoundRunner.run(ask("a"), call({})))
      const inputResponses = Object.fromEntries(Object.keys(first.inputRequests).map((key) => [key, reply("b")]))
      expect((yield* RoundRunner.run(ask("a"), call({ inputResponses })))._tag).toBe("InputRequired")
    }))

  it.effect("closes a round at once when a fiber is joined that waits for an answer", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(ask("a"))
        const b = yield* ask("b")
        return [yield* Fiber.join(fiber), b]
      })
      const { rounds, value } = yield* drive(handler, echo)
      expect(value).toStrictEqual(["<a>", "<b>"])
      expect(rounds.map((keys) => keys.length)).toStrictEqual([2])
    }))

  it.effect("runs a step once", () =>
    Effect.gen(function*() {
      const ran: Array<string> = []
      const step = (name: string) => Rounds.once(name, Effect.sync(() => ran.push(name)), { schema: Schema.Int })
      const handler = Effect.gen(function*() {
        yield* step("before")
        yield* ask("a")
        yield* Effect.forEach([1, 2, 3], (i) => step(`each ${i}`), { concurrency: "unbounded" })
        yield* ask("b")
        return ran.length
      })
      const { value } = yield* drive(handler, echo)
      expect(ran).toStrictEqual(["before", "each 1", "each 2", "each 3"])
      expect(value).toBe(4)
    }))

  it.effect("gives the same random numbers to each run", () =>
    Effect.gen(function*() {
      const seen: Array<ReadonlyArray<number>> = []
      const handler = Effect.gen(function*() {
        const numbers = yield* Effect.all([Random.next, Random.nextInt, Random.nextIntBetween(0, 100)])
        seen.push(numbers)
        return yield* ask(`about ${numbers[2]}`)
      })
      const { rounds } = yield* drive(handler, echo)
      expect(seen.length).toBe(2)
      expect(seen[0]).toStrictEqual(seen[1])
      expect(rounds.length).toBe(1)
    }))

  it.effect("gives a forked fiber the same random numbers, whatever starts before it does", () =>
    Effect.gen(function*() {
      const guess = Effect.flatMap(Random.nextInt, (number) => ask(`guess ${number}`))
      const handler = Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(guess)
        yield* ask("first")
        yield* Effect.all([ask("a"), ask("b")], unbounded)
        yield* Fiber.join(fiber)
        return yield* ask("last")
      })
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.map((keys) => keys.length)).toStrictEqual([2, 2, 1])
    }))

  it.effect("gives the elements of a stream and the time-outs of who takes them the same random numbers", () =>
    Effect.gen(function*() {
      const guess = (text: string) =>
        Effect.flatMap(Random.nextInt, (number) => Effect.as(ask(`${text} ${number}`), text))
      const handler = Stream.fromIterable(["a", "b"]).pipe(
        Stream.mapEffect(guess, { concurrency: 2 }),
        Stream.mapEffect((text) => Effect.timeout(guess(`again ${text}`), "1 hour")),
        Stream.runCollect
      )
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.flat().length).toBe(4)
    }))

  it.effect("gives the last workers of a loop the same random numbers, whomever the others wake", () =>
    Effect.gen(function*() {
      const indices = [0, 1, 2, 3, 4, 5]
      const handler = Effect.gen(function*() {
        const deferreds = yield* Effect.forEach(indices, () => Deferred.make<void>())
        yield* Effect.forkChild(Effect.forEach(deferreds, (deferred) => Deferred.await(deferred)))
        const work = (index: number) =>
          Rounds.once(`step ${index}`, Effect.sleep(1), { schema: Schema.Void }).pipe(
            Effect.andThen(
              index < 3 ? Effect.void : Effect.flatMap(Random.nextInt, (number) => ask(`${index} ${number}`))
            ),
            Effect.andThen(Deferred.succeed(deferreds[index]!, undefined))
          )
        yield* Effect.forEach(indices, work, { concurrency: 2 })
      })
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.flat().length).toBe(3)
    }))

  it.effect("quotes what was asked where it asks for something else, whatever is in it", () =>
    Effect.gen(function*() {
      let runs = 0
      const handler = Effect.suspend(() => ask(runs++ === 0 ? `one\n"two"` : "x".repeat(100)))
      const error = yield* Effect.flip(drive(handler, echo))
      expect(error).toMatchObject({
        _tag: "ReplayMismatch",
        expected: String.raw`sampling/createMessage "one\n\"two\""`,
        found: `sampling/createMessage "${"x".repeat(60)}…"`
      })
    }))

  it.effect("fails with both asks when a run asks something else", () =>
    Effect.gen(function*() {
      let run = 0
      const handler = Effect.suspend(() => ask(`number ${run++}`))
      const error = yield* Effect.flip(drive(handler, echo))
      expect(error._tag).toBe("ReplayMismatch")
      expect(error.message).toContain("number 0")
      expect(error.message).toContain("number 1")
      expect(error.message).toContain("Rounds.once")
      expect(run).toBe(2)
    }))

  it.effect("refuses further rounds before the client gives up, and goes on with a provider where there is one", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        let text = ""
        for (let i = 0; i < 12; i++) text = yield* ask(`${text}${i}`)
        return text
      })
      const error = yield* Effect.flip(drive(handler, echo))
      expect(error._tag).toBe("RoundsExceeded")
      expect(error.message).toContain(`concurrency: "unbounded"`)
      const provider = ProviderSampler.layer({ name: "provider", createMessage: () => Effect.succeed("!") })
      const { rounds, value } = yield* drive(handler, echo).pipe(
        Effect.provide(Sampler.fallback(ClientSampler.layer, provider))
      )
      expect(rounds.length).toBe(8)
      expect(value).toBe("!")
    }))

  it.effect("says which step gave a result that does not fit its schema any more", () =>
    Effect.gen(function*() {
      let run = 0
      const handler = Effect.suspend(() => {
        const schema: Schema.Codec<unknown, unknown> = run++ === 0 ? Schema.String : Schema.Int
        return Effect.andThen(Rounds.once("charge", Effect.succeed("p-1"), { schema }), ask("a"))
      })
      const error = yield* Effect.flip(drive(handler, echo))
      expect(error._tag).toBe("ReplayMismatch")
      expect(error.message).toContain(`the step "charge" does not fit its schema`)
    }))

  it.effect("counts a round whose asks have names, and that left no state", () =>
    Effect.gen(function*() {
      const handler = Effect.andThen(ask("a", "first"), ask("b", "second"))
      const error = yield* Effect.flip(drive(handler, echo).pipe(Effect.provideService(Rounds.MaxRounds, 1)))
      expect(error._tag).toBe("RoundsExceeded")
    }))

  it.effect("runs finalizers at the end of each round", () =>
    Effect.gen(function*() {
      const closed = yield* Ref.make(0)
      const handler = Effect.scoped(Effect.gen(function*() {
        yield* Effect.addFinalizer(() => Ref.update(closed, (n) => n + 1))
        yield* ask("a")
        return yield* ask("b")
      }))
      yield* drive(handler, echo)
      expect(yield* Ref.get(closed)).toBe(3)
    }))

  it.effect("does not hang in an uninterruptible region", () =>
    Effect.gen(function*() {
      const handler = Effect.uninterruptible(Effect.andThen(ask("a"), ask("b")))
      const { value } = yield* drive(handler, echo)
      expect(value).toBe("<b>")
    }))

  it.effect("waits for other work that is about to ask", () =>
    Effect.gen(function*() {
      const handler = Effect.all([ask("a"), Effect.andThen(Effect.sleep(20), ask("b"))], { concurrency: "unbounded" })
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.map((keys) => keys.length)).toStrictEqual([2])
    }))

  it.effect("does not take a time-out or a long sleep for work in flight", () =>
    Effect.gen(function*() {
      const handler = Effect.timeout(
        Effect.race(ask("a"), Effect.sleep("3 hours")).pipe(Effect.andThen(ask("b"))),
        "4 hours"
      )
      const { rounds, value } = yield* drive(handler, echo)
      expect([value, rounds.length]).toStrictEqual(["<b>", 2])
    }).pipe(Effect.provideService(Rounds.SettleTime, Duration.hours(1))))

  it.effect("waits for a step in flight", () =>
    Effect.gen(function*() {
      let ran = 0
      const slow = Rounds.once("slow", Effect.andThen(Effect.sleep(300), Effect.sync(() => ++ran)), {
        schema: Schema.Int
      })
      const { value } = yield* drive(Effect.all([ask("a"), slow], { concurrency: "unbounded" }), echo)
      expect(value).toStrictEqual(["<a>", 1])
      expect(ran).toBe(1)
    }))

  it.effect("ends a round although a fiber waits for another one", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        const deferred = yield* Deferred.make<string>()
        const fiber = yield* Effect.forkChild(Deferred.await(deferred))
        yield* Deferred.succeed(deferred, yield* ask("a"))
        return yield* Fiber.join(fiber)
      })
      const { value } = yield* drive(handler, echo)
      expect(value).toBe("<a>")
    }))
})
