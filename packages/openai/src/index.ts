export * as OpenAiSampler from "./OpenAiSampler.ts"
