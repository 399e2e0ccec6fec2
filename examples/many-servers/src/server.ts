/**
 * One server process. It prints its port, and serves until it is stopped.
 */
import { StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Layer } from "effect"
import { server } from "./program.ts"

StreamableHttpServer.Address.use(({ port }) => Console.log(`port ${port}`)).pipe(
  Effect.andThen(Effect.never),
  Effect.provide(Layer.provide(server, NodeServices.layer)),
  NodeRuntime.runMain
)
