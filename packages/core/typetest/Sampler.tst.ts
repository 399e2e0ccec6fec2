import {
  ClientConnection,
  ClientSampler,
  ProviderSampler,
  Sampler,
  type SamplingError,
  type SamplingPrompt,
  TestSampler
} from "@effect-sampling/core"
import { type Config, Context, Data, Effect, type Layer, type Scope } from "effect"
import { Prompt } from "effect/ai"
import { describe, expect, it } from "tstyche"

class NoKey extends Data.TaggedError("NoKey")<{}> {}
class NoModel extends Data.TaggedError("NoModel")<{}> {}
class Http extends Context.Service<Http, {}>()("test/Http") {}
class Files extends Context.Service<Files, {}>()("test/Files") {}

declare const sampler: Sampler.Sampler["Service"]
declare const client: Layer.Layer<Sampler.Sampler>
declare const openai: Layer.Layer<Sampler.Sampler | Sampler.Provider, NoKey, Http>
declare const local: Layer.Layer<Sampler.Sampler | Sampler.Provider, NoModel, Files>
declare const noSampler: Layer.Layer<Http>
declare const options: ProviderSampler.Options
declare const build: Effect.Effect<ProviderSampler.Options, NoKey, Http | Scope.Scope>

describe("Sampler", () => {
  it("`Sampler.sample` requires only the Sampler", () => {
    expect(Sampler.sample("hi")).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError, Sampler.Sampler>
    >()
  })

  it("`sample` of the service requires nothing", () => {
    expect(sampler.sample("hi", { maxTokens: 5 })).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError>
    >()
  })

  it("`sample` accepts strings, messages, lists of both and effect/ai prompts", () => {
    const message = { role: "user", content: { type: "text", text: "hi" } } as const
    expect(Sampler.sample).type.toBeCallableWith("hi")
    expect(Sampler.sample).type.toBeCallableWith(message)
    expect(Sampler.sample).type.toBeCallableWith(["hi", message])
    expect(Sampler.sample).type.toBeCallableWith(Prompt.make("hi"))
    expect(Sampler.sample).type.not.toBeCallableWith(5)
    expect(Sampler.sample).type.not.toBeCallableWith([5])
    expect(Sampler.sample).type.not.toBeCallableWith({ role: "system", content: { type: "text", text: "hi" } })
    expect(Sampler.sample).type.not.toBeCallableWith()
    expect<string>().type.toBeAssignableTo<SamplingPrompt.Input>()
  })

  it("`sample` accepts options that are undefined, and refuses unknown ones", () => {
    expect(Sampler.sample).type.toBeCallableWith("hi", { maxTokens: undefined, modelPreferences: ["a", "b"] })
    expect(Sampler.sample).type.toBeCallableWith("hi", undefined)
    expect(Sampler.sample).type.not.toBeCallableWith("hi", { includeContext: "all" })
    expect(Sampler.sample).type.not.toBeCallableWith("hi", { modelPreferences: [5] })
    expect(Sampler.sample).type.not.toBeCallableWith("hi", { max_tokens: 5 })
  })

  it("`Sampler.make` returns the whole service", () => {
    expect(Sampler.make).type.toBe<
      (options: {
        readonly createMessage: Sampler.Sampler["Service"]["createMessage"]
        readonly capabilities: Effect.Effect<Sampler.SamplerCapabilities>
        readonly check?: Sampler.Sampler["Service"]["check"] | undefined
      }) => Sampler.Sampler["Service"]
    >()
  })
})

describe("fallback", () => {
  it("`fallback` joins errors and requirements, data-first and data-last", () => {
    expect(Sampler.fallback(openai, local)).type.toBe<Layer.Layer<Sampler.Sampler, NoKey | NoModel, Http | Files>>()
    expect(openai.pipe(Sampler.fallback(local))).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey | NoModel, Http | Files>
    >()
    expect(Sampler.fallback(client, openai)).type.toBe<Layer.Layer<Sampler.Sampler, NoKey, Http>>()
    expect(Sampler.fallback(client, client)).type.toBe<Layer.Layer<Sampler.Sampler>>()
  })

  it("the `when` of `fallback` accepts every SamplingError", () => {
    expect(Sampler.fallback(client, openai, { when: (error) => error._tag === "SamplingRejected" })).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey, Http>
    >()
    expect(client.pipe(Sampler.fallback(openai, { when: (error) => error._tag === "SamplingRejected" }))).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey, Http>
    >()
    expect<NonNullable<Sampler.FallbackOptions["when"]>>().type.toBe<
      (error: SamplingError.SamplingError) => boolean
    >()
  })

  it("`fallback` refuses a layer without a Sampler", () => {
    expect(Sampler.fallback).type.not.toBeCallableWith(client, noSampler)
    expect(Sampler.fallback).type.not.toBeCallableWith(noSampler, client)
    expect(Sampler.fallback).type.not.toBeCallableWith()
  })
})

describe("firstOf", () => {
  it("`firstOf` has the unions of errors and requirements", () => {
    expect(Sampler.firstOf([client, openai, local])).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey | NoModel, Http | Files>
    >()
    expect(Sampler.firstOf([client])).type.toBe<Layer.Layer<Sampler.Sampler>>()
    expect(Sampler.firstOf([openai, client], { when: () => true })).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey, Http>
    >()
  })

  it("`firstOf` refuses an empty list, and a layer without a Sampler", () => {
    expect(Sampler.firstOf).type.not.toBeCallableWith([])
    expect(Sampler.firstOf).type.not.toBeCallableWith([client, noSampler])
  })
})

describe("always", () => {
  it("`always` keeps the provider's errors and requirements", () => {
    expect(Sampler.always(openai)).type.toBe<Layer.Layer<Sampler.Sampler, NoKey, Http>>()
    expect(Sampler.always(TestSampler.scripted([]))).type.toBe<Layer.Layer<Sampler.Sampler>>()
  })

  it("`always` refuses the client, a mix with the client, and no argument", () => {
    expect(Sampler.always).type.not.toBeCallableWith(ClientSampler.layer)
    expect(Sampler.always).type.not.toBeCallableWith(Sampler.fallback(ClientSampler.layer, openai))
    expect(Sampler.always).type.not.toBeCallableWith(noSampler)
    expect(Sampler.always).type.not.toBeCallableWith()
  })
})

describe("fromConfig", () => {
  it("`fromConfig` has the errors of the client, of every provider and of the configuration", () => {
    expect(Sampler.fromConfig({ client: ClientSampler.layer, providers: { openai, local } })).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey | NoModel | Config.ConfigError, Http | Files>
    >()
    expect(Sampler.fromConfig({ client: local, providers: { openai } })).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey | NoModel | Config.ConfigError, Http | Files>
    >()
    expect(Sampler.fromConfig({ client, providers: {} })).type.toBe<
      Layer.Layer<Sampler.Sampler, Config.ConfigError>
    >()
  })

  it("`fromConfig` refuses the client as a provider", () => {
    expect(Sampler.fromConfig).type.not.toBeCallableWith({ client, providers: { client } })
  })
})

describe("ClientSampler", () => {
  it("`ClientSampler.layer` requires nothing and cannot fail", () => {
    expect(ClientSampler.layer).type.toBe<Layer.Layer<Sampler.Sampler>>()
  })

  it("the ClientConnection is a Reference, so no effect must provide it", () => {
    expect(Effect.map(ClientConnection.ClientConnection, (connection) => connection)).type.toBe<
      Effect.Effect<ClientConnection.ClientConnection | undefined>
    >()
  })
})

describe("ProviderSampler", () => {
  it("`ProviderSampler.layer` requires nothing, and marks a provider", () => {
    expect(ProviderSampler.layer(options)).type.toBe<Layer.Layer<Sampler.Sampler | Sampler.Provider>>()
  })

  it("`layerEffect` has the errors and requirements of its effect, without its Scope", () => {
    expect(ProviderSampler.layerEffect(build)).type.toBe<
      Layer.Layer<Sampler.Sampler | Sampler.Provider, NoKey, Http>
    >()
  })
})

describe("TestSampler", () => {
  it("a TestSampler layer marks a provider, and gives access to its requests", () => {
    type TestLayer = Layer.Layer<Sampler.Sampler | Sampler.Provider | TestSampler.TestSampler>
    expect(TestSampler.scripted(["a"])).type.toBe<TestLayer>()
    expect(TestSampler.fromFunction(() => Effect.succeed("a"))).type.toBe<TestLayer>()
    expect<ReturnType<typeof TestSampler.failing>>().type.toBe<TestLayer>()
    expect<typeof TestSampler.requests>().type.toBeAssignableTo<
      Effect.Effect<ReadonlyArray<unknown>, never, TestSampler.TestSampler>
    >()
  })
})
