/**
 * Starts the server and connects a client whose model does the research. The model is OpenAI's when `OPENAI_API_KEY` is
 * set, and scripted otherwise. The scripted model searches, reads one note that exists and one that does not, returns an answer
 * without findings, and corrects it.
 */
import { type Sampler, TestSampler } from "@effect-sampling/core"
import { SamplingClient } from "@effect-sampling/mcp-sdk"
import { OpenAiSampler } from "@effect-sampling/openai"
import { NodeRuntime } from "@effect/platform-node"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { Config, Console, Effect, type Layer, Option, Schema } from "effect"
import * as Assert from "node:assert"
import * as Process from "node:process"
import { Findings } from "./program.ts"

const call = (id: string, name: string, input: Record<string, unknown>) =>
  ({ type: "tool_use", id, name, input }) as const

const finding = { claim: "The Lanterna is 77 metres tall", source: "n1" }
const findings = { answer: "77 metres", findings: [finding], confidence: "high" }

const scripted = TestSampler.scripted([
  { content: call("1", "search", { query: "lighthouse of Genoa" }), stopReason: "toolUse" },
  { content: [call("2", "read", { id: "n1" }), call("3", "read", { id: "n9" })], stopReason: "toolUse" },
  { content: call("4", "final_answer", { ...findings, findings: [] }), stopReason: "toolUse" },
  { content: call("5", "final_answer", findings), stopReason: "toolUse" }
])

const research = Effect.gen(function*() {
  const client = new Client({ name: "researcher", version: "1.0.0" })
  yield* SamplingClient.serve(client)
  const transport = new StdioClientTransport({
    command: Process.execPath,
    args: ["--conditions", "@effect-sampling/source", new URL("server.ts", import.meta.url).pathname]
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(transport)),
    () => Effect.promise(() => client.close())
  )
  const answer = yield* Effect.promise(() =>
    client.callTool({ name: "research", arguments: { question: "How tall is the lighthouse of Genoa?" } })
  )
  const result = CallToolResultSchema.parse(answer)
  yield* Console.log(JSON.stringify(result.structuredContent ?? result.content))
  return yield* Schema.decodeUnknownEffect(Findings)(result.structuredContent)
}).pipe(Effect.scoped)

const withScript = Effect.gen(function*() {
  Assert.deepStrictEqual(yield* research, findings)
  const requests = yield* TestSampler.requests
  const told = requests.map(({ messages }) => JSON.stringify(messages.at(-1)))
  Assert.match(told[1]!, /Lighthouse of Genoa/)
  Assert.match(told[2]!, /77 metres.*There is no note n9/)
  Assert.match(told[3]!, /Your answer does not fit: findings/)
}).pipe(Effect.provide(scripted))

const main = Effect.gen(function*() {
  const key = yield* Config.option(Config.NonEmptyString("OPENAI_API_KEY"))
  if (Option.isNone(key)) return yield* withScript
  const model: Layer.Layer<Sampler.Sampler, Config.ConfigError> = OpenAiSampler.layerConfig()
  const { findings } = yield* Effect.provide(research, model)
  Assert.ok(findings.some(({ source }) => source.includes("n1")))
})

NodeRuntime.runMain(main)
