/**
 * Calls the tool from a client that can sample and from a client that cannot. The provider is OpenAI when `OPENAI_API_KEY`
 * is set, and a local server with a scripted model otherwise.
 */
import { TestSampler } from "@effect-sampling/core"
import { SamplingClient, StreamableHttpServer } from "@effect-sampling/mcp-sdk"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { NodeRuntime } from "@effect/platform-node"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { Config, ConfigProvider, Console, Effect, Layer, Option } from "effect"
import * as Assert from "node:assert"
import { server } from "./program.ts"

const explain = Effect.fnUntraced(function*(client: Client) {
  const { url } = yield* StreamableHttpServer.Address
  const transport = new StreamableHTTPClientTransport(new URL(url))
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(transport)),
    () => Effect.promise(() => client.close())
  )
  const result = yield* Effect.promise(() => client.callTool({ name: "explain", arguments: { term: "fallback" } }))
  yield* Console.log(JSON.stringify(result.structuredContent))
  return result.structuredContent
}, Effect.scoped)

const main = Effect.gen(function*() {
  const capable = new Client({ name: "capable", version: "1.0.0" })
  yield* SamplingClient.serve(capable).pipe(Effect.provide(TestSampler.scripted(["[scripted model] Plan B."])))
  Assert.deepStrictEqual(yield* explain(capable), { explanation: "[scripted model] Plan B.", by: "client capable" })

  const incapable = yield* explain(new Client({ name: "incapable", version: "1.0.0" }))
  Assert.match(JSON.stringify(incapable), /"by":"provider openai"/)
})

/** Configures the provider of the environment, or a local server that speaks OpenAI's API. */
const environment = Layer.unwrap(Effect.gen(function*() {
  const key = yield* Config.option(Config.Redacted("OPENAI_API_KEY"))
  if (Option.isSome(key)) return Layer.empty
  const local = yield* OpenAiServer.make()
  return ConfigProvider.layer(ConfigProvider.fromUnknown({ OPENAI_BASE_URL: local.url }))
}))

main.pipe(Effect.provide(Layer.provide(server, environment)), NodeRuntime.runMain)
