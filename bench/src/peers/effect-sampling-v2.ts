/**
 * effect-sampling on the SDK 2.x, which serves the tools of the peer `effect-sampling` in rounds.
 */
// @effect-diagnostics strictEffectProvide:off -- the entry point of a server
import { ClientSampler } from "@effect-sampling/core"
import { Feature, StdioServer } from "@effect-sampling/mcp-sdk-v2"
import { Effect, Layer } from "effect"
import type { Peer } from "../Peer.ts"
import { Handlers, Tools } from "../tools.ts"

const peer: Peer = {
  serveRounds: () =>
    StdioServer.serve({ name: "effect-sampling-v2", version: "1.0.0", features: [Feature.toolkit(Tools)] }).pipe(
      Effect.provide(Layer.provide(Handlers, ClientSampler.layer)),
      Effect.runPromise
    )
}

export default peer
