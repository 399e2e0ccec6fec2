/**
 * The concierge as an MCP tool. It runs on the model of the connected client.
 */
import { ClientSampler, SamplerLanguageModel } from "@effect-sampling/core"
import { Feature, StdioServer } from "@effect-sampling/mcp-sdk"
import { Effect, Layer, Schema } from "effect"
import { AiError, type LanguageModel, Tool, Toolkit } from "effect/ai"
import { desk, serveGuest } from "./concierge.ts"

const Concierge = Tool.make("concierge", {
  description: "Fulfils the wish of a hotel guest",
  parameters: Schema.Struct({ wish: Schema.String }),
  success: Schema.String,
  failure: AiError.AiError
})

const Tools = Toolkit.make(Concierge)

const handlers = Tools.toLayer(Effect.gen(function*() {
  const context = yield* Effect.context<LanguageModel.LanguageModel | Layer.Success<typeof desk>>()
  return Tools.of({ concierge: ({ wish }) => Effect.provide(serveGuest(wish), context) })
}))

/** This Layer alone makes the concierge run on the client's model. */
const model = Layer.provide(SamplerLanguageModel.layer, ClientSampler.layer)

export const serve = StdioServer.serve({
  name: "chat",
  version: "1.0.0",
  features: [Feature.toolkit(Tools)]
}).pipe(Effect.provide(Layer.provide(handlers, [desk, model])))
