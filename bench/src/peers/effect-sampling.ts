/**
 * effect-sampling on the SDK 1.x, as its users write it: a toolkit whose handler takes the `Sampler`.
 */
// @effect-diagnostics strictEffectProvide:off -- the entry point of a server
import { ClientSampler, Sampler, SamplingError } from "@effect-sampling/core"
import { Feature, StdioServer } from "@effect-sampling/mcp-sdk"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import type { Peer } from "../Peer.ts"
import * as Workload from "../Workload.ts"

const Tools = Toolkit.make(
  Tool.make(Workload.toolName, {
    description: Workload.toolDescription,
    parameters: Schema.Struct({ text: Schema.String, asks: Schema.Int }),
    success: Schema.String,
    failure: SamplingError.SamplingError
  })
)

const Handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler
  return {
    [Workload.toolName]: Effect.fnUntraced(function*({ asks, text }) {
      let summary = Workload.resultText(0)
      for (let asked = 0; asked < asks; asked++) {
        const reply = yield* sampler.sample(Workload.toPrompt(text), { maxTokens: Workload.maxTokens })
        summary = reply.text
      }
      return summary
    })
  }
}))

const layer = Layer.provide(Handlers, ClientSampler.layer)

const peer: Peer = {
  serveStdio: () =>
    StdioServer.serve({ name: "effect-sampling", version: "1.0.0", features: [Feature.toolkit(Tools)] }).pipe(
      Effect.provide(layer),
      Effect.runPromise
    ),
  serveMemory: (transport) => {
    const server = new Server({ name: "effect-sampling", version: "1.0.0" }, {})
    return Feature.register(server, Feature.toolkit(Tools)).pipe(
      Effect.andThen(Effect.promise(() => server.connect(transport))),
      Effect.provide(layer),
      Effect.runPromise
    )
  }
}

export default peer
