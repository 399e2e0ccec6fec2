import { SamplingUnsupported } from "@effect-sampling/core/SamplingError"

export const unsupportedContent = (provider: string, problem: string): SamplingUnsupported =>
  new SamplingUnsupported({
    missing: "content",
    message:
      `The provider "${provider}" does not support this request: ${problem}. Convert or remove that content, or ` +
      "fall back to a provider that supports it: Sampler.fallback(OpenAiSampler.layer(…), other)."
  })
