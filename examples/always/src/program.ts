/**
 * A server whose completions always come from a provider. It never asks the client, even if the client could sample:
 * passing `ClientSampler.layer` to `Sampler.always` is a type error.
 */
import { Sampler, SamplingError } from "@effect-sampling/core"
import { Feature, StdioServer } from "@effect-sampling/mcp-sdk"
import { OpenAiSampler } from "@effect-sampling/openai"
import { Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

const Classify = Tool.make("classify", {
  description: "Classifies a support ticket",
  parameters: Schema.Struct({ ticket: Schema.String }),
  success: Schema.String,
  failure: SamplingError.SamplingError
}).annotate(Tool.Readonly, true)

const Tools = Toolkit.make(Classify)

const handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler
  return Tools.of({
    classify: ({ ticket }) =>
      Effect.map(
        sampler.sample(ticket, { systemPrompt: "Answer with one word: bug, question or praise.", temperature: 0 }),
        (reply) => reply.text.trim()
      )
  })
}))

/** Reads `OPENAI_API_KEY`, `OPENAI_BASE_URL` and `OPENAI_MODEL`. */
const sampler = Sampler.always(OpenAiSampler.layerConfig())

export const serve = StdioServer.serve({
  name: "always",
  version: "1.0.0",
  features: [Feature.toolkit(Tools)]
}).pipe(Effect.provide(Layer.provide(handlers, sampler)))
