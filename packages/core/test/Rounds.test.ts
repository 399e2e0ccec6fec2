import { ClientSampler, ProviderSampler, Rounds, Sampler } from "@effect-sampling/core"
import * as Advice from "@effect-sampling/core/wire/Advice"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { expect, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Random, Ref, Schema, Stream } from "effect"
import { baseCall, drive, echo, openStates, unbounded } from "./fixtures/rounds.ts"

const ask = (text: string, key?: string) =>
  Effect.map(Sampler.sample(text, key === undefined ? {} : { key }), (reply) => reply.text)

const call = (fields: Partial<RoundRunner.Call>): RoundRunner.Call => ({ ...baseCall, ...fields })

const reply = (text: string) => ({ role: "assistant", model: "m", content: { type: "text", text } })

const inputRequired = (round: RoundRunner.Round<unknown>): RoundRunner.InputRequired => {
  if (round._tag !== "InputRequired") throw new Error("the call is complete")
  return round
}

const beforeAsking: Readonly<Record<string, Effect.Effect<unknown>>> = {
  "records a once-step": Rounds.once("step", Effect.succeed(1), { success: Schema.Int }),
  "reads its start time": Rounds.startedAt,
  "uses random numbers": Random.next
}

const continued = ({ requestState }: RoundRunner.InputRequired) => ({ requestState })

layer(Layer.merge(openStates, ClientSampler.layer), { excludeTestServices: true })("RoundRunner.run", (it) => {
  it.effect("a handler without asks completes in its first run", () =>
    Effect.gen(function*() {
      const { rounds, value } = yield* drive(Effect.succeed(1), echo)
      expect([value, rounds]).toStrictEqual([1, []])
    }))

  it.effect("a handler of n sequential asks runs n + 1 times and sends each ask once", () =>
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

  it.effect("concurrent asks go into one round", () =>
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

  it.effect("a round has as many asks as the concurrency of the handler allows", () =>
    Effect.gen(function*() {
      const handler = Effect.forEach(["a", "b", "c", "d", "e"], (text) => ask(text), { concurrency: 2 })
      const { rounds, value } = yield* drive(handler, echo)
      expect(value).toStrictEqual(["<a>", "<b>", "<c>", "<d>", "<e>"])
      expect(rounds.map((keys) => keys.length)).toStrictEqual([2, 2, 1])
    }))

  it.effect("concurrent asks of the same content receive different answers", () =>
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

  it.effect("a stream that asks the same for each element sends each ask once", () =>
    Effect.gen(function*() {
      const handler = Stream.runCollect(
        Stream.mapEffect(Stream.fromIterable(["a", "b", "c"]), (name) => Effect.map(ask("same"), () => name), {
          concurrency: 2
        })
      )
      const { rounds, value } = yield* drive(handler, echo)
      expect([Array.from(value), rounds.flat().length]).toStrictEqual([["a", "b", "c"], 3])
    }))

  it.effect("an ask with a key uses it on the wire, and needs no state", () =>
    Effect.gen(function*() {
      const { rounds, states, value } = yield* drive(ask("What is the capital?", "capital_question"), echo)
      expect([value, rounds, states]).toStrictEqual([
        "<What is the capital?>",
        [["capital_question"]],
        [undefined]
      ])
    }))

  it.effect("an answer without a state is accepted when the ask needs no state", () =>
    Effect.gen(function*() {
      const answered = call({ inputResponses: { capital: reply("Paris") } })
      const ended = yield* RoundRunner.run(ask("What is the capital?", "capital"), answered)
      expect(ended).toMatchObject({ _tag: "Complete", value: "Paris" })
    }))

  for (const [what, before] of Object.entries(beforeAsking)) {
    it.effect(`a handler that first ${what} asks again when an answer comes without its state`, () =>
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

  it.effect("answers to asks that the state does not list are ignored", () =>
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

  it.effect("an answer without a state is ignored when the ask has no key", () =>
    Effect.gen(function*() {
      const first = inputRequired(yield* RoundRunner.run(ask("a"), call({})))
      const inputResponses = Object.fromEntries(Object.keys(first.inputRequests).map((key) => [key, reply("b")]))
      expect((yield* RoundRunner.run(ask("a"), call({ inputResponses })))._tag).toBe("InputRequired")
    }))

  it.effect("a round whose handler joins a fiber that waits for an answer ends with all its asks", () =>
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

  it.effect("each once-step runs once in all rounds of a call", () =>
    Effect.gen(function*() {
      const ran: Array<string> = []
      const step = (name: string) => Rounds.once(name, Effect.sync(() => ran.push(name)), { success: Schema.Int })
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

  it.effect("every run of a handler draws the same random numbers", () =>
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

  it.effect("a forked fiber draws the same random numbers when other fibers start before it", () =>
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

  it.effect("stream elements in scopes, and timeouts around what consumes them, draw the same random numbers in each run", () =>
    Effect.gen(function*() {
      const guess = (text: string) =>
        Rounds.scope(text, Effect.flatMap(Random.nextInt, (number) => Effect.as(ask(`${text} ${number}`), text)))
      const handler = Stream.fromIterable(["a", "b"]).pipe(
        Stream.mapEffect(guess, { concurrency: 2 }),
        Stream.mapEffect((text) => Effect.timeout(guess(`again ${text}`), "1 hour")),
        Stream.runCollect
      )
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.flat().length).toBe(4)
    }))

  it.effect("the last iterations of a loop draw the same random numbers when earlier ones wake other fibers", () =>
    Effect.gen(function*() {
      const indices = [0, 1, 2, 3, 4, 5]
      const handler = Effect.gen(function*() {
        const deferreds = yield* Effect.forEach(indices, () => Deferred.make<void>())
        yield* Effect.forkChild(Effect.forEach(deferreds, (deferred) => Deferred.await(deferred)))
        const work = (index: number) =>
          Rounds.once(`step ${index}`, Effect.sleep(1), { success: Schema.Void }).pipe(
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

  it.effect("a replay mismatch quotes both prompts, escaped and truncated", () =>
    Effect.gen(function*() {
      let runs = 0
      const handler = Effect.suspend(() => ask(++runs < 3 ? `one\n"two" ${runs}` : "x".repeat(100)))
      const error = yield* Effect.flip(drive(handler, echo))
      expect(error).toMatchObject({
        _tag: "ReplayMismatch",
        expected: String.raw`sampling/createMessage "one\n\"two\" 1"`,
        found: `sampling/createMessage "${"x".repeat(60)}…"`
      })
    }))

  it.effect("a run that asks something else fails with an error that names both asks", () =>
    Effect.gen(function*() {
      let run = 0
      const handler = Effect.suspend(() => ask(`number ${run++}`))
      const error = yield* Effect.flip(drive(handler, echo))
      expect(error._tag).toBe("ReplayMismatch")
      expect(error.message).toContain("number 0")
      expect(error.message).toContain("number 2")
      expect(Advice.of(error)).toContain("Rounds.once")
      expect(run).toBe(3)
    }))

  it.effect("the ninth round is refused before the client gives up, and a fallback provider continues", () =>
    Effect.gen(function*() {
      const handler = Effect.gen(function*() {
        let text = ""
        for (let i = 0; i < 12; i++) text = yield* ask(`${text}${i}`)
        return text
      })
      const error = yield* Effect.flip(drive(handler, echo))
      expect(error._tag).toBe("RoundsExceeded")
      expect(Advice.of(error)).toContain(`concurrency: "unbounded"`)
      const provider = ProviderSampler.layer({ name: "provider", createMessage: () => Effect.succeed("!") })
      const { rounds, value } = yield* drive(handler, echo).pipe(
        Effect.provide(Sampler.fallback(ClientSampler.layer, provider))
      )
      expect(rounds.length).toBe(8)
      expect(value).toBe("!")
    }))

  it.effect("a recorded result that no longer fits its schema fails with an error that names the once-step", () =>
    Effect.gen(function*() {
      let run = 0
      const handler = Effect.suspend(() => {
        const schema: Schema.Codec<unknown, unknown> = run++ === 0 ? Schema.String : Schema.Int
        return Effect.andThen(Rounds.once("charge", Effect.succeed("p-1"), { success: schema }), ask("a"))
      })
      const error = yield* Effect.flip(drive(handler, echo))
      expect(error._tag).toBe("ReplayMismatch")
      expect(error.message).toContain(`the once-step "charge" does not fit its schema`)
    }))

  it.effect("a round of asks with keys counts although it left no state", () =>
    Effect.gen(function*() {
      const handler = Effect.andThen(ask("a", "first"), ask("b", "second"))
      const error = yield* Effect.flip(drive(handler, echo).pipe(Effect.provideService(Rounds.MaxRounds, 1)))
      expect(error._tag).toBe("RoundsExceeded")
    }))

  it.effect("finalizers run at the end of each round", () =>
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

  it.effect("a round ends in an uninterruptible region", () =>
    Effect.gen(function*() {
      const handler = Effect.uninterruptible(Effect.andThen(ask("a"), ask("b")))
      const { value } = yield* drive(handler, echo)
      expect(value).toBe("<b>")
    }))

  it.effect("a round waits for work in flight that is about to ask", () =>
    Effect.gen(function*() {
      const handler = Effect.all([ask("a"), Effect.andThen(Effect.sleep(20), ask("b"))], { concurrency: "unbounded" })
      const { rounds } = yield* drive(handler, echo)
      expect(rounds.map((keys) => keys.length)).toStrictEqual([2])
    }))

  it.effect("a round does not wait for timeouts and long sleeps", () =>
    Effect.gen(function*() {
      const handler = Effect.timeout(
        Effect.race(ask("a"), Effect.sleep("3 hours")).pipe(Effect.andThen(ask("b"))),
        "4 hours"
      )
      const { rounds, value } = yield* drive(handler, echo)
      expect([value, rounds.length]).toStrictEqual(["<b>", 2])
    }).pipe(Effect.provideService(Rounds.SettleTime, "1 hour")))

  it.effect("a round waits for a once-step in flight", () =>
    Effect.gen(function*() {
      let ran = 0
      const slow = Rounds.once("slow", Effect.andThen(Effect.sleep(300), Effect.sync(() => ++ran)), {
        success: Schema.Int
      })
      const { value } = yield* drive(Effect.all([ask("a"), slow], { concurrency: "unbounded" }), echo)
      expect(value).toStrictEqual(["<a>", 1])
      expect(ran).toBe(1)
    }))

  it.effect("a round ends although a fiber waits for another fiber", () =>
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
