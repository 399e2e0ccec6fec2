/**
 * A server that asks the client's model first, and a provider if the client cannot sample.
 */
import { ClientSampler, Sampler, SamplingError } from "@effect-sampling/core"
import { Feature, StreamableHttpServer } from "@effect-sampling/mcp-sdk"
import { OpenAiSampler } from "@effect-sampling/openai"
import { Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

const Explain = Tool.make("explain", {
  description: "Explains a term and says who explained it",
  parameters: Schema.Struct({ term: Schema.String }),
  success: Schema.Struct({ explanation: Schema.String, by: Schema.String }),
  failure: SamplingError.SamplingError
}).annotate(Tool.Readonly, true)

const Tools = Toolkit.make(Explain)

const handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler
  return Tools.of({
    explain: ({ term }) =>
      Effect.map(sampler.sample(`Explain in one sentence: ${term}`), (reply) => ({
        explanation: reply.text,
        by: `${reply.source.kind} ${reply.source.name}`
      }))
  })
}))

/** Reads `OPENAI_API_KEY`, `OPENAI_BASE_URL` and `OPENAI_MODEL`. */
const sampler = Sampler.fallback(ClientSampler.layer, OpenAiSampler.layerConfig())

export const server = StreamableHttpServer.layer({
  name: "fallback",
  version: "1.0.0",
  port: 0,
  features: [Feature.toolkit(Tools)]
}).pipe(Layer.provide(handlers), Layer.provide(sampler))
