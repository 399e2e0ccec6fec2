import { ClientSampler } from "@effect-sampling/core"
import { AsyncHandler, Handler } from "@effect-sampling/mcp-sdk-v2"
import { assert, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/client"
import { InMemoryTransport, McpServer } from "@modelcontextprotocol/server"
import { Effect } from "effect"
import { z } from "zod"

const shape = { text: z.string(), times: z.string().default("once") }
const say = ({ text, times }: { text: string; times: string }) => `${text} ${times}`
const parameters = { arguments: { text: "hello" } }

const connect = Effect.fnUntraced(function*(server: McpServer) {
  const [here, there] = InMemoryTransport.createLinkedPair()
  const client = new Client({ name: "try", version: "1.0.0" })
  yield* Effect.promise(() => server.connect(there))
  yield* Effect.acquireRelease(Effect.promise(() => client.connect(here)), () => Effect.promise(() => client.close()))
  return client
})

describe("Handler", () => {
  it.live("Tools and prompts take records of zod schemas, as effects and as async functions", () =>
    Effect.gen(function*() {
      const server = new McpServer({ name: "shapes", version: "1.0.0" })
      const { registerPrompt, registerTool } = yield* Effect.acquireRelease(
        Effect.promise(() => AsyncHandler.make(ClientSampler.layer)),
        (it) => Effect.promise(it.dispose)
      )
      registerTool(server, "async", { inputSchema: shape }, async (input) => say(input))
      registerPrompt(server, "async", { argsSchema: shape }, async (input) => say(input))
      yield* Handler.registerTool(server, "effect", { inputSchema: shape }, (input) => Effect.succeed(say(input)))
      yield* Handler.registerPrompt(server, "effect", { argsSchema: shape }, (input) => Effect.succeed(say(input)))
      const client = yield* connect(server)
      for (const name of ["async", "effect"]) {
        const result = yield* Effect.promise(() => client.callTool({ name, ...parameters }))
        assert.deepStrictEqual(result.content, [{ type: "text", text: "hello once" }])
        const { messages } = yield* Effect.promise(() => client.getPrompt({ name, ...parameters }))
        assert.deepStrictEqual(messages, [{ role: "user", content: { type: "text", text: "hello once" } }])
      }
    }))
})
