/**
 * An Effect application, without any MCP, that samples. The environment chooses the provider; no line changes between
 * development, tests and production.
 */
import { ClientSampler, ProviderSampler, Sampler } from "@effect-sampling/core"
import { OpenAiSampler } from "@effect-sampling/openai"
import { Config, Effect, type Layer } from "effect"

export const slogan = Effect.fn("slogan")(function*(product: string) {
  const reply = yield* Sampler.sample(`A slogan for ${product}, in five words at most`, { maxTokens: 50 })
  return { slogan: reply.text, by: reply.source.name }
})

/** Needs no network: for development and tests. */
const offline = ProviderSampler.layer({
  name: "offline",
  createMessage: () => Effect.succeed("[offline] Simply the best.")
})

/** Any server that speaks OpenAI's API on this machine: Ollama, vLLM, LM Studio. */
const local = OpenAiSampler.layerConfig({
  baseUrl: Config.String("LOCAL_MODEL_URL"),
  apiKey: Config.succeed(undefined),
  name: Config.succeed("local")
})

/**
 * `SAMPLING_PROVIDER` is `offline`, `local` or `openai`. The chosen provider's settings are read, the others' are not.
 */
export const sampler: Layer.Layer<Sampler.Sampler, Config.ConfigError> = Sampler.fromConfig({
  client: ClientSampler.layer,
  providers: { offline, local, openai: OpenAiSampler.layerConfig() }
})
