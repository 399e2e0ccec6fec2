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
  it("`sample` needs only the Sampler", () => {
    expect(Sampler.sample("hi")).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError, Sampler.Sampler>
    >()
  })

  it("`sample` of the service needs nothing", () => {
    expect(sampler.sample("hi", { maxTokens: 5 })).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError>
    >()
  })

  it("`sample` takes strings, messages, lists of both and effect/ai prompts", () => {
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

  it("`sample` takes options that may be undefined, and no unknown ones", () => {
    expect(Sampler.sample).type.toBeCallableWith("hi", { maxTokens: undefined, modelPreferences: ["a", "b"] })
    expect(Sampler.sample).type.toBeCallableWith("hi", undefined)
    expect(Sampler.sample).type.not.toBeCallableWith("hi", { includeContext: "all" })
    expect(Sampler.sample).type.not.toBeCallableWith("hi", { modelPreferences: [5] })
    expect(Sampler.sample).type.not.toBeCallableWith("hi", { max_tokens: 5 })
  })

  it("`make` builds the whole service", () => {
    expect(Sampler.make).type.toBe<
      (options: {
        readonly createMessage: Sampler.Sampler["Service"]["createMessage"]
        readonly capabilities: Effect.Effect<Sampler.SamplerCapabilities>
      }) => Sampler.Sampler["Service"]
    >()
  })
})

describe("fallback", () => {
  it("joins errors and requirements, data-first and data-last", () => {
    expect(Sampler.fallback(openai, local)).type.toBe<Layer.Layer<Sampler.Sampler, NoKey | NoModel, Http | Files>>()
    expect(openai.pipe(Sampler.fallback(local))).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey | NoModel, Http | Files>
    >()
    expect(Sampler.fallback(client, openai)).type.toBe<Layer.Layer<Sampler.Sampler, NoKey, Http>>()
    expect(Sampler.fallback(client, client)).type.toBe<Layer.Layer<Sampler.Sampler>>()
  })

  it("takes `when`, which sees every error", () => {
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

  it("refuses a Layer without a Sampler", () => {
    expect(Sampler.fallback).type.not.toBeCallableWith(client, noSampler)
    expect(Sampler.fallback).type.not.toBeCallableWith(noSampler, client)
    expect(Sampler.fallback).type.not.toBeCallableWith()
  })
})

describe("firstOf", () => {
  it("gives the unions of errors and requirements", () => {
    expect(Sampler.firstOf([client, openai, local])).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey | NoModel, Http | Files>
    >()
    expect(Sampler.firstOf([client])).type.toBe<Layer.Layer<Sampler.Sampler>>()
    expect(Sampler.firstOf([openai, client], { when: () => true })).type.toBe<
      Layer.Layer<Sampler.Sampler, NoKey, Http>
    >()
  })

  it("refuses no source at all, and a Layer without a Sampler", () => {
    expect(Sampler.firstOf).type.not.toBeCallableWith([])
    expect(Sampler.firstOf).type.not.toBeCallableWith([client, noSampler])
  })
})

describe("always", () => {
  it("keeps the provider's errors and requirements", () => {
    expect(Sampler.always(openai)).type.toBe<Layer.Layer<Sampler.Sampler, NoKey, Http>>()
    expect(Sampler.always(TestSampler.scripted([]))).type.toBe<Layer.Layer<Sampler.Sampler>>()
  })

  it("refuses the client, a mix with the client, and nothing", () => {
    expect(Sampler.always).type.not.toBeCallableWith(ClientSampler.layer)
    expect(Sampler.always).type.not.toBeCallableWith(Sampler.fallback(ClientSampler.layer, openai))
    expect(Sampler.always).type.not.toBeCallableWith(noSampler)
    expect(Sampler.always).type.not.toBeCallableWith()
  })
})

describe("fromConfig", () => {
  it("may fail as the client, any provider or the configuration does", () => {
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

  it("refuses the client as a provider", () => {
    expect(Sampler.fromConfig).type.not.toBeCallableWith({ client, providers: { client } })
  })
})

describe("ClientSampler", () => {
  it("needs nothing to be built and cannot fail to be", () => {
    expect(ClientSampler.layer).type.toBe<Layer.Layer<Sampler.Sampler>>()
  })

  it("finds its connection in a Reference, which no effect must provide", () => {
    expect(Effect.map(ClientConnection.ClientConnection, (connection) => connection)).type.toBe<
      Effect.Effect<ClientConnection.ClientConnection | undefined>
    >()
  })
})

describe("ProviderSampler", () => {
  it("`layer` needs nothing and marks a provider", () => {
    expect(ProviderSampler.layer(options)).type.toBe<Layer.Layer<Sampler.Sampler | Sampler.Provider>>()
  })

  it("`layerEffect` has the errors and requirements of its effect, but no Scope", () => {
    expect(ProviderSampler.layerEffect(build)).type.toBe<
      Layer.Layer<Sampler.Sampler | Sampler.Provider, NoKey, Http>
    >()
  })
})

describe("TestSampler", () => {
  it("stands in for a provider and lets its requests be read", () => {
    type TestLayer = Layer.Layer<Sampler.Sampler | Sampler.Provider | TestSampler.TestSampler>
    expect(TestSampler.scripted(["a"])).type.toBe<TestLayer>()
    expect(TestSampler.fromFunction(() => Effect.succeed("a"))).type.toBe<TestLayer>()
    expect<ReturnType<typeof TestSampler.failing>>().type.toBe<TestLayer>()
    expect<typeof TestSampler.requests>().type.toBeAssignableTo<
      Effect.Effect<ReadonlyArray<unknown>, never, TestSampler.TestSampler>
    >()
  })
})
