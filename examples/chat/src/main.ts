/**
 * Calls the concierge from a client whose scripted model uses the hotel's tools, and from a client that cannot sample.
 */
import { type Content, TestSampler } from "@effect-sampling/core"
import { SamplingClient } from "@effect-sampling/mcp-sdk"
import { NodeRuntime } from "@effect/platform-node"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { getDefaultEnvironment, StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { Console, Effect } from "effect"
import * as Assert from "node:assert"
import * as Process from "node:process"

const askConcierge = Effect.fnUntraced(function*(client: Client) {
  const transport = new StdioClientTransport({
    command: Process.execPath,
    args: ["--conditions", "@effect-sampling/source", new URL("server.ts", import.meta.url).pathname],
    env: getDefaultEnvironment()
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(transport)),
    () => Effect.promise(() => client.close())
  )
  const wish = "A table for two at Da Mario, please, as early as possible."
  return yield* Effect.promise(() => client.callTool({ name: "concierge", arguments: { wish } }))
}, Effect.scoped)

const call = (id: string, name: string, input: Content.ToolUseContent["input"]) => ({
  content: { type: "tool_use", id, name, input } as const,
  stopReason: "toolUse"
})

const scriptedModel = TestSampler.scripted([
  call("1", "find_table", { restaurant: "Da Mario", guests: 2 }),
  call("2", "book_table", { restaurant: "Da Mario", guests: 2, time: "19:00" }),
  "[scripted model] Booked for 19:00."
])

const main = Effect.gen(function*() {
  const capable = new Client({ name: "capable", version: "1.0.0" })
  yield* SamplingClient.serve(capable)
  const answer = yield* askConcierge(capable)
  yield* Console.log(JSON.stringify(answer.content))
  Assert.deepStrictEqual(answer.content, [{ type: "text", text: "[scripted model] Booked for 19:00." }])

  const requests = yield* TestSampler.requests
  yield* Console.log(`The client's model was asked ${requests.length} times.`)
  Assert.strictEqual(requests.length, 3)
  Assert.deepStrictEqual(requests[2]?.tools?.map(({ name }) => name), ["find_table", "book_table"])
  Assert.match(JSON.stringify(requests[2]?.messages.at(-1)), /DA MARIO\/2\/19:00/)

  const refused = yield* askConcierge(new Client({ name: "incapable", version: "1.0.0" }))
  yield* Console.log(JSON.stringify(refused.content))
  Assert.strictEqual(refused.isError, true)
  Assert.match(JSON.stringify(refused.content), /did not declare the capability/)
}).pipe(Effect.provide(scriptedModel))

NodeRuntime.runMain(main)
