/**
 * Starts the server and connects a client whose model guesses. The model is OpenAI's when `OPENAI_API_KEY` is set, and
 * scripted otherwise.
 */
import { type Sampler, TestSampler } from "@effect-sampling/core"
import { SamplingClient } from "@effect-sampling/mcp-sdk"
import { OpenAiSampler } from "@effect-sampling/openai"
import { NodeRuntime } from "@effect/platform-node"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { Config, Console, Effect, type Layer, Option } from "effect"
import * as Assert from "node:assert"
import * as Process from "node:process"

const guess = (number: number) => ({
  content: { type: "tool_use" as const, id: `guess-${number}`, name: "guess", input: { number } },
  stopReason: "toolUse"
})

const scripted = TestSampler.scripted([guess(50), guess(101), guess(42)])

const play = Effect.gen(function*() {
  const client = new Client({ name: "player", version: "1.0.0" })
  yield* SamplingClient.serve(client)
  const transport = new StdioClientTransport({
    command: Process.execPath,
    args: ["--conditions", "@effect-sampling/source", new URL("server.ts", import.meta.url).pathname]
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(transport)),
    () => Effect.promise(() => client.close())
  )
  const result = CallToolResultSchema.parse(yield* Effect.promise(() => client.callTool({ name: "play" })))
  yield* Console.log(JSON.stringify(result.structuredContent ?? result.content))
  return result.structuredContent
}).pipe(Effect.scoped)

const withScript = Effect.gen(function*() {
  Assert.deepStrictEqual(yield* play, { won: true, turns: 3 })
  const requests = yield* TestSampler.requests
  const told = requests.map(({ messages }) => JSON.stringify(messages.slice(-2)))
  Assert.strictEqual(told.length, 3)
  Assert.match(told[1]!, /lower/)
  Assert.match(told[2]!, /Invalid arguments.*A hint/)
}).pipe(Effect.provide(scripted))

const main = Effect.gen(function*() {
  const key = yield* Config.option(Config.NonEmptyString("OPENAI_API_KEY"))
  if (Option.isNone(key)) return yield* withScript
  const model: Layer.Layer<Sampler.Sampler, Config.ConfigError> = OpenAiSampler.layerConfig()
  Assert.match(JSON.stringify(yield* Effect.provide(play, model)), /"won":/)
})

NodeRuntime.runMain(main)
