/**
 * The server. The environment decides who answers (`SAMPLING_BEHAVIOR`, `SAMPLING_PROVIDER`, `OPENAI_…`) and how clients
 * connect (`TRANSPORT`: `stdio` or `http`).
 */
import { ClientSampler, Sampler } from "@effect-sampling/core"
import { Feature, StdioServer, StreamableHttpServer } from "@effect-sampling/mcp-sdk"
import { OpenAiSampler } from "@effect-sampling/openai"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Effect, Layer, Logger } from "effect"
import { EightTools, handlers } from "./program.ts"
import { reporting } from "./report.ts"

const sampler = Sampler.fromConfig({
  client: ClientSampler.layer,
  providers: { openai: OpenAiSampler.layerConfig() }
})

const options = {
  name: "eight-tools",
  version: "1.0.0",
  features: [Feature.toolkit(EightTools)]
}

const main = Effect.gen(function*() {
  const transport = yield* Config.Literals(["stdio", "http"], "TRANSPORT").pipe(Config.withDefault("stdio"))
  return yield* transport === "stdio"
    ? StdioServer.serve(options)
    : Layer.launch(StreamableHttpServer.layer({ ...options, port: 0 }))
}).pipe(
  Effect.provide(Layer.provide(handlers, reporting(sampler))),
  Effect.provideService(Logger.LogToStderr, true)
)

NodeRuntime.runMain(main)
