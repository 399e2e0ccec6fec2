import {
  ClientConnection,
  ClientSampler,
  ProviderSampler,
  Sampler,
  SamplingError,
  type SamplingRequest,
  TestClient,
  TestSampler
} from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigProvider, Context, Data, Effect, Exit, Fiber, Latch, Layer, Logger } from "effect"
import { fakeClient, hello, recordSpans, tool } from "./fixtures/domain.ts"

const unsupported = new SamplingError.SamplingUnsupported({ missing: "sampling", message: "cannot" })
const rejected = new SamplingError.SamplingRejected({ message: "no" })
const unavailable = new SamplingError.ProviderError({ provider: "p", reason: "unavailable", message: "down" })

/** A provider that counts how often its layer is built and its model is asked. */
const source = (name: string, answer: string | SamplingError.SamplingError, tools = false) => {
  const counts = { built: 0, asked: 0 }
  const layer = ProviderSampler.layerEffect(
    Effect.sync(() => {
      counts.built++
      return {
        name,
        tools,
        createMessage: () =>
          Effect.suspend(() => {
            counts.asked++
            return typeof answer === "string" ? Effect.succeed(answer) : Effect.fail(answer)
          })
      }
    })
  )
  return { counts, layer }
}

const sample = Sampler.sample("hi")

const tags = (errors: ReadonlyArray<SamplingError.SamplingError>) => errors.map((error) => error._tag)

class Broken extends Data.TaggedError("Broken")<{}> {}

const broken: Layer.Layer<Sampler.Sampler | Sampler.Provider, Broken> = ProviderSampler.layerEffect(
  Effect.fail(new Broken())
)

describe("fallback", () => {
  it.effect("a provider before the client is a warning when the Layer is built, unless its author says when to move on", () =>
    Effect.gen(function*() {
      const log: Array<unknown> = []
      const logger = Logger.make(({ message }) => void log.push(message))
      const provider = source("openai", "from a").layer
      const build = (layer: Layer.Layer<Sampler.Sampler>) =>
        Effect.provide(Effect.scoped(Layer.build(layer)), Logger.layer([logger]))
      yield* build(Sampler.fallback(ClientSampler.layer, provider))
      yield* build(Sampler.fallback(provider, ClientSampler.layer, { when: () => true }))
      yield* build(Sampler.firstOf([provider, source("b", "from b").layer]))
      assert.deepStrictEqual(log, [])
      yield* build(Sampler.fallback(provider, ClientSampler.layer))
      yield* build(Sampler.firstOf([ClientSampler.layer, provider, ClientSampler.layer]))
      assert.strictEqual(log.length, 2)
      for (const message of log) assert.include(String(message), `The provider "openai" stands before`)
    }))

  it.effect("a fallback asks only the first source when it answers", () =>
    Effect.gen(function*() {
      const [a, b] = [source("a", "from a"), source("b", "from b")]
      const reply = yield* sample.pipe(Effect.provide(Sampler.fallback(a.layer, b.layer)))
      assert.strictEqual(reply.text, "from a")
      assert.deepStrictEqual(reply.source, { kind: "provider", name: "a" })
      assert.deepStrictEqual(reply.passedOver, [])
      assert.strictEqual(b.counts.asked, 0)
    }))

  it.effect("a fallback asks the second source when the first cannot answer, and records why", () =>
    Effect.gen(function*() {
      const [a, b] = [source("a", unsupported), source("b", "from b")]
      const reply = yield* sample.pipe(Effect.provide(a.layer.pipe(Sampler.fallback(b.layer))))
      assert.strictEqual(reply.text, "from b")
      assert.strictEqual(reply.source.name, "b")
      assert.deepStrictEqual(reply.passedOver, [unsupported])
    }))

  it.effect.each([
    rejected,
    unavailable,
    new SamplingError.ConnectionLost({ message: "m" }),
    new SamplingError.ClientError({ code: 1, message: "m" }),
    new SamplingError.InvalidResponse({ message: "m" })
  ])("a fallback does not continue after %s", (error) =>
    Effect.gen(function*() {
      const [a, b] = [source("a", error), source("b", "from b")]
      const failure = yield* sample.pipe(Effect.provide(Sampler.fallback(a.layer, b.layer)), Effect.flip)
      assert.strictEqual(failure, error)
      assert.strictEqual(b.counts.asked, 0)
    }))

  it.effect("a fallback continues after silence, unless there is no limit to it", () =>
    Effect.gen(function*() {
      const silent = new SamplingError.SamplingTimeout({ afterMillis: 60_000, message: "m" })
      const [a, b] = [source("a", silent), source("b", "from b")]
      const reply = yield* sample.pipe(Effect.provide(Sampler.fallback(a.layer, b.layer)))
      assert.deepStrictEqual([reply.text, reply.passedOver], ["from b", [silent]])
      for (const options of [{ silence: Infinity }, { silence: "Infinity", when: () => false }] as const) {
        const failure = yield* sample.pipe(Effect.provide(Sampler.fallback(a.layer, b.layer, options)), Effect.flip)
        assert.strictEqual(failure, silent)
      }
      assert.strictEqual(b.counts.asked, 1)
    }))

  it.effect("a client that stays silent for a minute is given up, but the last source is not", () =>
    Effect.gen(function*() {
      const limits: Array<number | undefined> = []
      const connection: ClientConnection.ClientConnection = {
        client: undefined,
        protocolVersion: "2025-11-25",
        capabilities: { sampling: {} },
        unreachable: undefined,
        ask: ({ silenceMillis }) => {
          limits.push(silenceMillis)
          return Effect.fail(unsupported)
        }
      }
      const { fallback, firstOf } = Sampler
      const client = ClientSampler.layer
      const layers = [
        fallback(client, source("b", "from b").layer),
        fallback(client, source("b", "from b").layer, { silence: "5 seconds" }),
        firstOf([source("a", unsupported).layer, client]),
        client,
        // The last source of the inner choice has another one behind it.
        fallback(firstOf([source("a", unsupported).layer, client]), source("b", "from b").layer)
      ]
      for (const layer of layers) {
        yield* sample.pipe(
          Effect.provide(layer),
          Effect.provideService(ClientConnection.ClientConnection, connection),
          Effect.exit
        )
      }
      assert.deepStrictEqual(limits, [60_000, 5000, undefined, undefined, 60_000])
    }))

  it.effect("a fallback asks no source when the request is invalid", () =>
    Effect.gen(function*() {
      const [a, b] = [source("a", "from a"), source("b", "from b")]
      const error = yield* Sampler.sample([]).pipe(
        Effect.provide(Sampler.fallback(a.layer, b.layer, { when: () => true })),
        Effect.flip
      )
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.deepStrictEqual([a.counts.asked, b.counts.asked], [0, 0])
    }))

  it.effect("the `when` of a fallback decides which errors continue, data-first and data-last", () =>
    Effect.gen(function*() {
      const when = (error: SamplingError.SamplingError) => error._tag === "SamplingRejected"
      for (
        const combine of [
          (a: Layer.Layer<Sampler.Sampler>, b: Layer.Layer<Sampler.Sampler>) => Sampler.fallback(a, b, { when }),
          (a: Layer.Layer<Sampler.Sampler>, b: Layer.Layer<Sampler.Sampler>) => a.pipe(Sampler.fallback(b, { when }))
        ]
      ) {
        const reply = yield* sample.pipe(
          Effect.provide(combine(source("a", rejected).layer, source("b", "from b").layer))
        )
        assert.deepStrictEqual(reply.passedOver, [rejected])
        const failure = yield* sample.pipe(
          Effect.provide(combine(source("a", unsupported).layer, source("b", "from b").layer)),
          Effect.flip
        )
        assert.strictEqual(failure, unsupported)
      }
    }))

  it.effect("a fallback fails with the error of the second source when both fail", () =>
    Effect.gen(function*() {
      const second = new SamplingError.SamplingUnsupported({ missing: "sampling.tools", message: "second" })
      const failure = yield* sample.pipe(
        Effect.provide(Sampler.fallback(source("a", unsupported).layer, source("b", second).layer)),
        Effect.flip
      )
      assert.strictEqual(failure, second)
    }))

  it.effect("a fallback does not catch defects", () =>
    Effect.gen(function*() {
      const bug = new Error("bug")
      const b = source("b", "from b")
      const a = ProviderSampler.layer({ name: "a", createMessage: () => Effect.die(bug) })
      const exit = yield* sample.pipe(
        Effect.provide(Sampler.fallback(a, b.layer, { when: () => true })),
        Effect.exit
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause) && Cause.squash(exit.cause) === bug)
      assert.strictEqual(b.counts.asked, 0)
    }))

  it.effect("a fallback does not catch interruption", () =>
    Effect.gen(function*() {
      const started = yield* Latch.make()
      const b = source("b", "from b")
      const a = ProviderSampler.layer({
        name: "a",
        createMessage: () => Effect.andThen(started.open, Effect.never)
      })
      const fiber = yield* Effect.forkChild(
        sample.pipe(Effect.provide(Sampler.fallback(a, b.layer, { when: () => true })))
      )
      yield* started.await
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.strictEqual(b.counts.asked, 0)
    }))

  it.effect("a fallback continues when the client lacks sampling, and stops when its user refuses", () =>
    Effect.gen(function*() {
      const layer = Sampler.fallback(ClientSampler.layer, source("b", "from b").layer)
      const able = fakeClient()
      const unable = fakeClient({ capabilities: {} })
      const refusing = fakeClient({ ask: () => Effect.fail(rejected) })
      const replies = yield* Effect.all([
        able.provide(sample),
        unable.provide(sample),
        Effect.flip(refusing.provide(sample))
      ]).pipe(Effect.provide(layer))
      assert.strictEqual(replies[0].source.kind, "client")
      assert.strictEqual(replies[1].source.kind, "provider")
      assert.strictEqual(replies[2], rejected)
      assert.deepStrictEqual(unable.asked, [])
    }))

  it.effect.each(["2025-11-25", "2026-07-28"] as const)(
    "a refusal that a client of MCP %s sends as a result continues to the fallback if `when` allows it",
    (protocolVersion) =>
      Effect.gen(function*() {
        const provider = source("b", "from b")
        const answer = {
          role: "user" as const,
          content: { type: "text" as const, text: "The user cancelled the request." },
          model: "",
          stopReason: "cancelled",
          source: { kind: "client" as const, name: "copilot" },
          passedOver: []
        }
        // A sampler that checks its answers would not give this one.
        const refusing = {
          ...Sampler.make({
            capabilities: Effect.succeed({ sampling: true, tools: false, jsonSchema: false }),
            createMessage: () => Effect.succeed(answer)
          }),
          createMessage: () => Effect.succeed(answer)
        }
        const layer = Sampler.fallback(ClientSampler.layer, provider.layer, {
          when: ({ _tag }) => _tag === "SamplingRejected"
        })
        const { asks, value } = yield* TestClient.call(Effect.provide(sample, layer), {
          protocolVersion,
          sampler: Layer.succeed(Sampler.Sampler, refusing)
        })
        assert.strictEqual(value.text, "from b")
        assert.deepStrictEqual(tags(value.passedOver), ["SamplingRejected"])
        assert.lengthOf(asks, 1)
        assert.strictEqual(provider.counts.asked, 1)
      })
  )

  it.effect("the span of a fallback lists the passed-over errors", () =>
    Effect.gen(function*() {
      const { layer, spans } = recordSpans()
      yield* sample.pipe(
        Effect.provide(Sampler.fallback(source("a", unsupported).layer, source("b", "from b").layer)),
        Effect.provide(layer)
      )
      assert.deepStrictEqual(spans[0]!.attributes.get("sampling.passed_over"), ["SamplingUnsupported: sampling"])
      assert.strictEqual(spans[0]!.attributes.get("sampling.source.name"), "b")
    }))

  it.effect("the tokens of a completion are recorded only on the span of the source that answered", () =>
    Effect.gen(function*() {
      const { layer, spans } = recordSpans()
      const provider = TestSampler.scripted([{ content: "hello", usage: { inputTokens: 3, outputTokens: 1 } }])
      yield* sample.pipe(
        Effect.provide(Sampler.fallback(source("a", unsupported).layer, provider)),
        Effect.provide(layer)
      )
      assert.deepStrictEqual(
        spans.map(({ attributes, name }) => [name, attributes.get("gen_ai.usage.input_tokens")]),
        [["Sampler.firstOf", undefined], ["sampling/createMessage", undefined], ["sampling/createMessage", 3]]
      )
    }))
})

describe("firstOf", () => {
  it.effect("firstOf asks its sources in order until one can answer", () =>
    Effect.gen(function*() {
      const first = new SamplingError.SamplingUnsupported({ missing: "client", message: "1" })
      const second = new SamplingError.SamplingUnsupported({ missing: "content", message: "2" })
      const last = source("d", "from d")
      const reply = yield* sample.pipe(
        Effect.provide(
          Sampler.firstOf([
            source("a", first).layer,
            source("b", second).layer,
            source("c", "from c").layer,
            last.layer
          ])
        )
      )
      assert.strictEqual(reply.text, "from c")
      assert.deepStrictEqual(reply.passedOver, [first, second])
      assert.strictEqual(last.counts.asked, 0)
    }))

  it.effect("firstOf of one source behaves as that source", () =>
    Effect.gen(function*() {
      const reply = yield* sample.pipe(Effect.provide(Sampler.firstOf([source("a", "from a").layer])))
      assert.strictEqual(reply.text, "from a")
      const error = yield* sample.pipe(Effect.provide(Sampler.firstOf([source("a", unsupported).layer])), Effect.flip)
      assert.strictEqual(error, unsupported)
    }))

  it.effect("firstOf fails with the error of the last source, without calling `when` for it", () =>
    Effect.gen(function*() {
      const judged: Array<SamplingError.SamplingError> = []
      const when = (error: SamplingError.SamplingError) => {
        judged.push(error)
        return true
      }
      const failure = yield* sample.pipe(
        Effect.provide(Sampler.firstOf([source("a", rejected).layer, source("b", unavailable).layer], { when })),
        Effect.flip
      )
      assert.strictEqual(failure, unavailable)
      assert.deepStrictEqual(judged, [rejected])
    }))

  it.effect("nested fallbacks keep the order of the passed-over errors", () =>
    Effect.gen(function*() {
      const error = (message: string) => new SamplingError.SamplingUnsupported({ missing: "client", message })
      const failing = (name: string) => source(name, error(name)).layer
      const answering = source("z", "from z").layer
      const inner = Sampler.firstOf([failing("b"), failing("c"), answering])
      const reply = yield* sample.pipe(Effect.provide(Sampler.fallback(failing("a"), inner)))
      assert.deepStrictEqual(reply.passedOver.map((passed) => passed.message), ["a", "b", "c"])
    }))

  it.effect("a layer that is used twice in a fallback is built once", () =>
    Effect.gen(function*() {
      const [a, b] = [source("a", unsupported), source("b", "from b")]
      const layer = Sampler.fallback(Sampler.firstOf([a.layer, a.layer, b.layer]), b.layer)
      yield* Effect.all([sample, sample, sample]).pipe(Effect.provide(layer))
      assert.deepStrictEqual([a.counts.built, b.counts.built], [1, 1])
      assert.strictEqual(b.counts.asked, 3)
    }))

  it.effect("a fallback shares its layers with the rest of the application", () =>
    Effect.gen(function*() {
      const a = source("a", "from a")
      const rest = Layer.effectDiscard(Sampler.Sampler).pipe(Layer.provide(a.layer))
      yield* sample.pipe(Effect.provide(Layer.mergeAll(rest, Sampler.fallback(a.layer, source("b", "").layer), rest)))
      assert.strictEqual(a.counts.built, 1)
    }))

  it.effect("a fallback fails to build when one of its layers fails", () =>
    Effect.gen(function*() {
      const error = yield* sample.pipe(
        Effect.provide(Sampler.fallback(source("a", "from a").layer, broken)),
        Effect.flip
      )
      assert.strictEqual(error._tag, "Broken")
    }))

  it.effect("a fallback releases the resources of its layers", () =>
    Effect.gen(function*() {
      const released: Array<string> = []
      const scoped = (name: string) =>
        ProviderSampler.layerEffect(
          Effect.acquireRelease(
            Effect.succeed({ name, createMessage: () => Effect.succeed("hi") }),
            () => Effect.sync(() => released.push(name))
          )
        )
      yield* sample.pipe(
        Effect.tap(() => Effect.sync(() => assert.deepStrictEqual(released, []))),
        Effect.provide(Sampler.fallback(scoped("a"), scoped("b")))
      )
      assert.deepStrictEqual(released.toSorted(), ["a", "b"])
    }))

  it.effect("firstOf has the capabilities of the source that it asks first, and falls back for tools", () =>
    Effect.gen(function*() {
      const without = source("a", "from a", false).layer
      const able = source("b", "from b", true).layer
      const capabilities = Effect.flatMap(Sampler.Sampler, (sampler) => sampler.capabilities)
      assert.deepStrictEqual(yield* Effect.provide(capabilities, Sampler.firstOf([able, without])), {
        sampling: true,
        tools: true,
        jsonSchema: false
      })
      assert.deepStrictEqual(yield* Effect.provide(capabilities, Sampler.firstOf([without, able])), {
        sampling: true,
        tools: false,
        jsonSchema: false
      })
      const reply = yield* Sampler.Sampler.use((sampler) => sampler.createMessage({ ...hello, tools: [tool] })).pipe(
        Effect.provide(Sampler.fallback(without, able))
      )
      assert.strictEqual(reply.source.name, "b")
      assert.deepStrictEqual(tags(reply.passedOver), ["SamplingUnsupported"])
    }))
})

describe("always", () => {
  it.effect("Sampler.always never asks the client, even one that could answer", () =>
    Effect.gen(function*() {
      const client = fakeClient()
      const reply = yield* client.provide(sample).pipe(Effect.provide(Sampler.always(source("a", "from a").layer)))
      assert.strictEqual(reply.source.kind, "provider")
      assert.deepStrictEqual(client.asked, [])
    }))

  it.effect("Sampler.always fails with the provider's error", () =>
    Effect.gen(function*() {
      const error = yield* sample.pipe(Effect.provide(Sampler.always(source("a", unavailable).layer)), Effect.flip)
      assert.strictEqual(error, unavailable)
    }))
})

describe("fromConfig", () => {
  const setup = () => {
    const asked: Array<SamplingRequest.SamplingRequest> = []
    const client = ProviderSampler.layer({
      name: "client",
      createMessage: (request) =>
        Effect.suspend(() => {
          asked.push(request)
          return Effect.fail(unsupported)
        })
    })
    return { asked, client, openai: source("openai", "from openai"), google: source("google", "from google") }
  }

  const run = ({ client, google, openai }: ReturnType<typeof setup>, environment: Record<string, string>) =>
    sample.pipe(
      Effect.provide(
        Layer.provide(
          Sampler.fromConfig({ client, providers: { openai: openai.layer, google: google.layer } }),
          ConfigProvider.layer(ConfigProvider.fromUnknown(environment))
        )
      )
    )

  it.effect("fromConfig asks only the client without settings", () =>
    Effect.gen(function*() {
      const sources = setup()
      assert.strictEqual(yield* Effect.flip(run(sources, {})), unsupported)
      assert.deepStrictEqual([sources.openai.counts.built, sources.google.counts.built], [0, 0])
    }))

  it.effect("fromConfig falls back to the chosen provider, and builds only that one", () =>
    Effect.gen(function*() {
      for (const behavior of [{}, { SAMPLING_BEHAVIOR: "fallback" }]) {
        const sources = setup()
        const reply = yield* run(sources, { SAMPLING_PROVIDER: "google", ...behavior })
        assert.strictEqual(reply.text, "from google")
        assert.deepStrictEqual(reply.passedOver, [unsupported])
        assert.strictEqual(sources.asked.length, 1)
        assert.deepStrictEqual([sources.openai.counts.built, sources.google.counts.built], [0, 1])
      }
    }))

  it.effect("fromConfig asks only the provider with the behavior always", () =>
    Effect.gen(function*() {
      const sources = setup()
      const reply = yield* run(sources, { SAMPLING_PROVIDER: "openai", SAMPLING_BEHAVIOR: "always" })
      assert.strictEqual(reply.text, "from openai")
      assert.deepStrictEqual(reply.passedOver, [])
      assert.strictEqual(sources.asked.length, 0)
    }))

  it.effect("fromConfig asks only the client with the behavior client, even if a provider is chosen", () =>
    Effect.gen(function*() {
      const sources = setup()
      const settings = { SAMPLING_PROVIDER: "openai", SAMPLING_BEHAVIOR: "client" }
      assert.strictEqual(yield* Effect.flip(run(sources, settings)), unsupported)
      assert.strictEqual(sources.openai.counts.built, 0)
    }))

  it.effect.each<[Record<string, string>, string]>([
    [
      { SAMPLING_PROVIDER: "opnai" },
      "SAMPLING_PROVIDER is not the name of a provider of this server: set it to one of openai, google"
    ],
    [
      { SAMPLING_PROVIDER: "toString" },
      "SAMPLING_PROVIDER is not the name of a provider of this server: set it to one of openai, google"
    ],
    [
      { SAMPLING_BEHAVIOR: "sometimes" },
      `Expected "client" | "fallback" | "always"\n  at ["SAMPLING_BEHAVIOR"]`
    ],
    [
      { SAMPLING_BEHAVIOR: "always" },
      `SAMPLING_BEHAVIOR is "always", which needs a provider, but SAMPLING_PROVIDER is not set: set it to one of openai, google`
    ],
    [
      { SAMPLING_BEHAVIOR: "fallback" },
      `SAMPLING_BEHAVIOR is "fallback", which needs a provider, but SAMPLING_PROVIDER is not set: set it to one of openai, google`
    ]
  ])(
    "fromConfig names the wrong variable and its possible values: %j",
    ([environment, message]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(run(setup(), environment))
        assert.strictEqual(error._tag, "ConfigError")
        assert.include(error.message, message)
      })
  )

  it.effect("fromConfig refuses a chosen provider when it has no providers", () =>
    Effect.gen(function*() {
      const error = yield* sample.pipe(
        Effect.provide(
          Layer.provide(
            Sampler.fromConfig({ client: ClientSampler.layer, providers: {} }),
            ConfigProvider.layer(ConfigProvider.fromUnknown({ SAMPLING_PROVIDER: "openai" }))
          )
        ),
        Effect.flip
      )
      assert.strictEqual(error._tag, "ConfigError")
      assert.include(
        error.message,
        "SAMPLING_PROVIDER is not the name of a provider of this server: this server has no provider"
      )
    }))

  it.effect("fromConfig fails with the error of the chosen provider's layer", () =>
    Effect.gen(function*() {
      const environment = ConfigProvider.layer(ConfigProvider.fromUnknown({ SAMPLING_PROVIDER: "broken" }))
      const layer = Sampler.fromConfig({ client: ClientSampler.layer, providers: { broken } })
      const error = yield* sample.pipe(Effect.provide(Layer.provide(layer, environment)), Effect.flip)
      assert.strictEqual(error._tag, "Broken")
    }))
})

describe("Provider", () => {
  it.effect("the Provider service holds the provider's name", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(TestSampler.scripted([]))
      assert.deepStrictEqual(Context.get(context, Sampler.Provider), { name: "test" })
    }))
})
