import { Client, ClientSampler, Rounds, Sampler, SamplingError, TestClient, TestSampler } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"

const eras = [{ protocolVersion: "2025-11-25" }, { protocolVersion: "2026-07-28" }] as const

const text = (prompt: string) => Effect.map(Sampler.sample(prompt), (reply) => reply.text)

const poem = Effect.gen(function*() {
  const hero = yield* text("Name a hero.")
  const [verse, title] = yield* Effect.all([text(`Praise ${hero}.`), text(`A title for ${hero}?`)], {
    concurrency: "unbounded"
  })
  return `${title}: ${verse}`
}).pipe(Effect.provide(ClientSampler.layer))

const seats = Client.elicit(Schema.Struct({ guests: Schema.Int }), "How many guests?").pipe(
  Effect.map(({ guests }) => `${guests} seats`),
  Effect.catchTag("ElicitationDeclined", () => Effect.succeed("no table"))
)

describe("TestClient.call", () => {
  it.effect("a test client answers while the call waits, or in rounds, with the same asks", () =>
    Effect.gen(function*() {
      const called = yield* Effect.forEach(
        eras,
        (era) => TestClient.call(poem, { ...era, sampler: TestSampler.scripted(["Ada", "She wrote.", "First"]) })
      )
      assert.deepStrictEqual(
        called.map(({ asks, runs, value }) => ({ value, runs, asks: asks.length })),
        [{ value: "First: She wrote.", runs: 1, asks: 3 }, { value: "First: She wrote.", runs: 3, asks: 3 }]
      )
      assert.deepStrictEqual(called[1]!.asks, called[0].asks)
      assert.deepStrictEqual(called[0].asks[0], {
        method: "sampling/createMessage",
        params: { messages: [{ role: "user", content: { type: "text", text: "Name a hero." } }], maxTokens: 512 }
      })
    }))

  for (const era of eras) {
    describe(`revision ${era.protocolVersion}`, () => {
      it.effect(`the user of a ${era.protocolVersion} test client may accept or decline`, () =>
        Effect.gen(function*() {
          const accepted = yield* TestClient.call(seats, {
            ...era,
            elicit: ({ message }) => ({ action: "accept", content: { guests: message.length } })
          })
          assert.strictEqual(accepted.value, "16 seats")
          const declined = yield* TestClient.call(seats, { ...era, elicit: () => ({ action: "decline" }) })
          assert.strictEqual(declined.value, "no table")
        }))

      it.effect(`the input of a ${era.protocolVersion} test client's user is sent as JSON and decoded`, () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(
            TestClient.call(seats, { ...era, elicit: () => ({ action: "accept", content: { guests: Number.NaN } }) })
          )
          assert.strictEqual(error._tag, "InvalidResponse")
        }))

      it.effect(`a ${era.protocolVersion} test client reports the asks of a handler that fails`, () =>
        Effect.gen(function*() {
          const failing = Effect.andThen(poem, Effect.fail("no paper"))
          const { asks, value } = yield* TestClient.call(Effect.exit(failing), {
            ...era,
            sampler: TestSampler.scripted(["Ada", "She wrote.", "First"])
          })
          assert.deepStrictEqual(value, Exit.fail("no paper"))
          assert.strictEqual(asks.length, 3)
        }))

      it.effect(`a ${era.protocolVersion} test client returns its roots`, () =>
        Effect.gen(function*() {
          const roots = [{ uri: "file:///work", name: "work" }]
          const { asks, value } = yield* TestClient.call(Client.roots(), { ...era, roots })
          assert.deepStrictEqual(value, roots)
          assert.deepStrictEqual(asks, [{ method: "roots/list", params: {} }])
        }))

      it.effect(`a ${era.protocolVersion} test client declares only the capabilities it was given`, () =>
        Effect.gen(function*() {
          const failures = [
            yield* Effect.flip(TestClient.call(Effect.asVoid(poem), era)),
            yield* Effect.flip(TestClient.call(Effect.asVoid(seats), era)),
            yield* Effect.flip(TestClient.call(Effect.asVoid(Client.roots()), era))
          ]
          assert.deepStrictEqual(
            failures.map((error) => "missing" in error ? `${error._tag} ${error.missing}` : error._tag),
            ["SamplingUnsupported sampling", "ClientUnsupported elicitation", "ClientUnsupported roots"]
          )
        }))

      it.effect(`a ${era.protocolVersion} test client without sampling leaves the sample to a fallback provider`, () =>
        Effect.gen(function*() {
          const composed = Sampler.fallback(ClientSampler.layer, TestSampler.scripted(["of the provider"]))
          const { asks, value } = yield* TestClient.call(Effect.provide(text("Hi"), composed), era)
          assert.deepStrictEqual([value, asks], ["of the provider", []])
        }))
    })
  }

  it.effect("a failing test model fails the ask while the call waits, and the whole call in rounds", () =>
    Effect.gen(function*() {
      const careful = Effect.catchTag(text("Hi"), "SamplingRejected", () => Effect.succeed("refused")).pipe(
        Effect.provide(ClientSampler.layer)
      )
      const sampler = TestSampler.failing(new SamplingError.SamplingRejected({ message: "no" }))
      const waited = yield* TestClient.call(careful, { protocolVersion: "2025-11-25", sampler })
      assert.strictEqual(waited.value, "refused")
      const error = yield* Effect.flip(TestClient.call(careful, { sampler }))
      assert.strictEqual(error._tag, "SamplingRejected")
    }))

  it.effect("a test call in rounds shows that a plain side effect repeats and a once-step does not", () =>
    Effect.gen(function*() {
      const count = { plain: 0, once: 0 }
      const handler = Effect.gen(function*() {
        count.plain++
        yield* Rounds.once("count", Effect.sync(() => ++count.once), { success: Schema.Int })
        return yield* text("Hi")
      }).pipe(Effect.provide(ClientSampler.layer))
      const { runs } = yield* TestClient.call(handler, { sampler: TestSampler.scripted(["Hello"]) })
      assert.deepStrictEqual([runs, count], [2, { plain: 2, once: 1 }])
    }))

  it.effect("a test call in rounds fails for a handler that asks something else in each run", () =>
    Effect.gen(function*() {
      let runs = 0
      const fickle = Effect.suspend(() => text(`Attempt ${++runs}`)).pipe(
        Effect.andThen(text("Go on")),
        Effect.provide(ClientSampler.layer)
      )
      const sampler = TestSampler.fromFunction(() => Effect.succeed("well"))
      const error = yield* Effect.flip(TestClient.call(fickle, { sampler }))
      assert.strictEqual(error._tag, "ReplayMismatch")
    }))

  it.effect("a test client receives its asks and sends its answers as JSON", () =>
    Effect.gen(function*() {
      const handler = Effect.andThen(
        Sampler.sample("Hi", { metadata: { at: new Date(0) } }),
        Client.elicit(Schema.Struct({ at: Schema.String }), "When?")
      )
      for (const era of eras) {
        const { asks, value } = yield* TestClient.call(Effect.provide(handler, ClientSampler.layer), {
          ...era,
          sampler: TestSampler.scripted(["Hello"]),
          elicit: () => ({ action: "accept", content: { at: new Date(0) } })
        })
        assert.deepInclude(asks[0]?.params, { metadata: { at: "1970-01-01T00:00:00.000Z" } })
        assert.deepStrictEqual(value, { at: "1970-01-01T00:00:00.000Z" })
      }
    }))

  it.effect("a test client does not replace a sampler that the handler already has", () =>
    Effect.gen(function*() {
      const { asks, value } = yield* TestClient.call(text("Hi"), { sampler: TestSampler.scripted([]) })
      assert.deepStrictEqual([value, asks], ["own", []])
    }).pipe(Effect.provide(TestSampler.scripted(["own"]))))
})
