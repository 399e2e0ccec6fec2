import { SamplingUnsupported } from "@effect-sampling/core/SamplingError"

export const unsupportedContent = (provider: string, problem: string): SamplingUnsupported =>
  new SamplingUnsupported({
    missing: "content",
    message: `The provider "${provider}" cannot take this request: ${problem}. Convert or leave out that content, or ` +
      "configure a provider that takes it: Sampler.fallback(OpenAiSampler.layer(…), other)."
  })
