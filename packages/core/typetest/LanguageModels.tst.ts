import { LanguageModelSampler, type Sampler, SamplerLanguageModel, type SamplingError } from "@effect-sampling/core"
import { Context, Effect, type Layer, type Option } from "effect"
import { type AiError, LanguageModel } from "effect/ai"
import { describe, expect, it } from "tstyche"

const Limit = Context.Reference("test/Limit", { defaultValue: () => 0 })
class Http extends Context.Service<Http, {}>()("test/Http") {}

describe("SamplerLanguageModel", () => {
  it("`SamplerLanguageModel.layer` and `make` require only the Sampler", () => {
    expect(SamplerLanguageModel.layer).type.toBe<Layer.Layer<LanguageModel.LanguageModel, never, Sampler.Sampler>>()
    expect(SamplerLanguageModel.make).type.toBe<
      Effect.Effect<LanguageModel.LanguageModel, never, Sampler.Sampler>
    >()
  })

  it("a program with a SamplerLanguageModel requires the Sampler instead of a LanguageModel", () => {
    const program = LanguageModel.generateText({ prompt: "hi" })
    expect(Effect.provide(program, SamplerLanguageModel.layer)).type.toBe<
      Effect.Effect<LanguageModel.GenerateTextResponse<{}>, AiError.AiError, Sampler.Sampler>
    >()
  })

  it("`SamplerLanguageModel.Options` accepts the options of `sample`", () => {
    expect<typeof SamplerLanguageModel.Options.Service>().type.toBe<Sampler.SampleOptions>()
  })

  it("`samplingError` returns a typed error", () => {
    expect(SamplerLanguageModel.samplingError).type.toBe<
      (error: AiError.AiError) => Option.Option<SamplingError.SamplingError>
    >()
  })

  it("`samplingMetadata` takes the finish part of an answer and returns typed metadata", () => {
    type Finish = Extract<LanguageModel.GenerateTextResponse<{}>["content"][number], { type: "finish" }>
    expect<Parameters<typeof SamplerLanguageModel.samplingMetadata>[0]>().type.toBe<Finish>()
    expect<ReturnType<typeof SamplerLanguageModel.samplingMetadata>>().type.toBe<
      Option.Option<SamplerLanguageModel.SamplingMetadata>
    >()
  })
})

describe("LanguageModelSampler", () => {
  it("`LanguageModelSampler.layer` marks a provider, and requires the LanguageModel", () => {
    expect(LanguageModelSampler.layer({ name: "a" })).type.toBe<
      Layer.Layer<Sampler.Sampler | Sampler.Provider, never, LanguageModel.LanguageModel>
    >()
  })

  it("`configure` may provide references, and may not require services", () => {
    expect(LanguageModelSampler.layer).type.toBeCallableWith({
      name: "a",
      configure: ({ maxTokens }: { readonly maxTokens: number }) => Effect.provideService(Limit, maxTokens)
    })
    expect(LanguageModelSampler.layer).type.not.toBeCallableWith({
      name: "a",
      configure: () => <A, E>(effect: Effect.Effect<A, E>) => Effect.andThen(Http, effect)
    })
    expect(LanguageModelSampler.layer).type.not.toBeCallableWith({})
  })
})
