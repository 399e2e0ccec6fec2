/**
 * An Effect application that samples without MCP. The environment chooses the provider: development, tests and production
 * run the same code.
 */
import { ClientSampler, ProviderSampler, Sampler } from "@effect-sampling/core"
import { OpenAiSampler } from "@effect-sampling/openai"
import { Config, Effect, type Layer } from "effect"

export const slogan = Effect.fn("slogan")(function*(product: string) {
  const reply = yield* Sampler.sample(`A slogan for ${product}, in five words at most`, { maxTokens: 50 })
  return { slogan: reply.text, by: reply.source.name }
})

/** For development and tests, because it needs no network. */
const offline = ProviderSampler.layer({
  name: "offline",
  createMessage: () => Effect.succeed("[offline] Simply the best.")
})

/** For any server on this machine that speaks OpenAI's API: Ollama, vLLM, LM Studio. */
const local = OpenAiSampler.layerConfig({
  baseUrl: Config.String("LOCAL_MODEL_URL"),
  apiKey: Config.succeed(undefined),
  name: Config.succeed("local")
})

/**
 * `SAMPLING_PROVIDER` is `offline`, `local` or `openai`. Only the settings of the chosen provider are read.
 */
export const sampler: Layer.Layer<Sampler.Sampler, Config.ConfigError> = Sampler.fromConfig({
  client: ClientSampler.layer,
  providers: { offline, local, openai: OpenAiSampler.layerConfig() }
})
