import { SamplingUnsupported } from "@effect-sampling/core/SamplingError"
import { withAdvice } from "@effect-sampling/core/wire/Advice"

export const unsupportedContent = (provider: string, problem: string): SamplingUnsupported =>
  withAdvice(
    new SamplingUnsupported({
      missing: "content",
      message: `The provider "${provider}" does not support this request: ${problem}. Convert or remove that content.`
    }),
    "Or fall back to a provider that supports it: Sampler.fallback(OpenAiSampler.layer(…), other)."
  )
