/**
 * effect-sampling on the SDK 1.x, as its users write it.
 */
// @effect-diagnostics strictEffectProvide:off -- the entry point of a server
import { ClientSampler } from "@effect-sampling/core"
import { Feature, StdioServer } from "@effect-sampling/mcp-sdk"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { Effect, Layer } from "effect"
import type { Peer } from "../Peer.ts"
import { Handlers, Tools } from "../tools.ts"

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
