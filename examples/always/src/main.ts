/**
 * Connects a client that could sample, and shows that its model is not asked. The server uses OpenAI when `OPENAI_API_KEY`
 * is set, and a local server with a scripted model otherwise.
 */
import { TestSampler } from "@effect-sampling/core"
import { SamplingClient } from "@effect-sampling/mcp-sdk"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { NodeRuntime } from "@effect/platform-node"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { getDefaultEnvironment, StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { Config, Console, Effect, Option } from "effect"
import * as Assert from "node:assert"
import * as Process from "node:process"

const environment = Effect.gen(function*() {
  const names = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"]
  const settings = yield* Effect.forEach(names, (name) => Config.option(Config.String(name)))
  const set = Object.fromEntries(names.flatMap((name, index) => {
    const value = Option.getOrUndefined(settings[index]!)
    return value === undefined ? [] : [[name, value]]
  }))
  if ("OPENAI_API_KEY" in set) return set
  const local = yield* OpenAiServer.make({ reply: () => "bug" })
  return { OPENAI_BASE_URL: local.url }
})

const main = Effect.gen(function*() {
  const client = new Client({ name: "capable", version: "1.0.0" })
  yield* SamplingClient.serve(client)
  const transport = new StdioClientTransport({
    command: Process.execPath,
    args: ["--conditions", "@effect-sampling/source", new URL("server.ts", import.meta.url).pathname],
    env: { ...getDefaultEnvironment(), ...yield* environment }
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(transport)),
    () => Effect.promise(() => client.close())
  )
  const result = yield* Effect.promise(() =>
    client.callTool({ name: "classify", arguments: { ticket: "It crashes when I press save." } })
  )
  yield* Console.log(JSON.stringify(result.content))
  Assert.match(JSON.stringify(result.content), /bug/i)

  const asked = yield* TestSampler.requests
  yield* Console.log(`The client's model was asked ${asked.length} times.`)
  Assert.strictEqual(asked.length, 0)
}).pipe(Effect.scoped, Effect.provide(TestSampler.scripted([])))

NodeRuntime.runMain(main)
