import type { Sampler } from "@effect-sampling/core"
import { OpenAiSampler } from "@effect-sampling/openai"
import { Config } from "effect"
import type { Layer, Redacted } from "effect"
import { describe, expect, it } from "tstyche"

declare const apiKey: Redacted.Redacted

describe("OpenAiSampler", () => {
  it("the layer needs no services and cannot fail to build", () => {
    expect(OpenAiSampler.layer({ apiKey })).type.toBe<Layer.Layer<Sampler.Sampler | Sampler.Provider>>()
  })

  it("layerConfig fails only with a ConfigError", () => {
    expect(OpenAiSampler.layerConfig()).type.toBe<
      Layer.Layer<Sampler.Sampler | Sampler.Provider, Config.ConfigError>
    >()
  })

  it("layerConfig knows what can be checked at the start", () => {
    expect(OpenAiSampler.layerConfig({ checkAtStart: "nothing" })).type.toBe<
      Layer.Layer<Sampler.Sampler | Sampler.Provider, Config.ConfigError>
    >()
    expect(OpenAiSampler.layerConfig).type.not.toBeCallableWith({ checkAtStart: "everything" })
  })

  it("the key is accepted only as Redacted", () => {
    expect(OpenAiSampler.layer).type.not.toBeCallableWith({ apiKey: "sk-…" })
    expect(OpenAiSampler.layerConfig).type.not.toBeCallableWith({ apiKey: Config.String("OPENAI_API_KEY") })
    expect(OpenAiSampler.layerConfig).type.toBeCallableWith({ apiKey: Config.Redacted("MY_KEY") })
  })
})
