import { ClientSampler, Sampler } from "@effect-sampling/core"
import { Handler, StdioTransport } from "@effect-sampling/mcp-sdk"
import { assert, describe, it } from "@effect/vitest"
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { CallToolRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import type { CallToolResult, JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js"
import { Deferred, Effect } from "effect"
import { PassThrough } from "node:stream"

const initialize: JSONRPCMessage = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: { sampling: {} }, clientInfo: { name: "raw", version: "1" } }
}

const call: JSONRPCMessage = { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "ask", arguments: {} } }

const result = { role: "assistant", model: "m", content: { type: "text", text: "at once" } }

/** Connects a server whose one tool samples. */
const serve = (transport: Transport, options: Sampler.SampleOptions) =>
  Effect.gen(function*() {
    const server = new Server({ name: "s", version: "1" }, { capabilities: { tools: {} } })
    const ask = yield* Handler.tool(server, () => Effect.map(Sampler.sample("Hi", options), (reply) => reply.text))
    server.setRequestHandler(CallToolRequestSchema, (_, extra): Promise<CallToolResult> => ask(extra))
    yield* Effect.promise(() => server.connect(transport))
    return server
  }).pipe(Effect.provide(ClientSampler.layer))

describe("Answers on the transport of a server", () => {
  it.live("an answer that comes before its request is written reaches the ask", () =>
    Effect.gen(function*() {
      const [here, there] = InMemoryTransport.createLinkedPair()
      const answered = yield* Deferred.make<JSONRPCMessage>()
      here.onmessage = (message: JSONRPCMessage) => {
        if ("method" in message && "id" in message) void here.send({ jsonrpc: "2.0", id: message.id, result })
        else if ("id" in message && message.id === 2) Deferred.doneUnsafe(answered, Effect.succeed(message))
      }
      const server = yield* serve(there, {})
      for (const message of [initialize, call]) {
        yield* Effect.promise(() => here.send(message))
      }
      const response = yield* Effect.timeout(Deferred.await(answered), "3 seconds")
      assert.include(JSON.stringify(response), "at once")
      yield* Effect.promise(() => server.close())
    }))

  it.live("an ask that cannot be written as JSON fails as an invalid request", () =>
    Effect.gen(function*() {
      const [stdin, stdout] = [new PassThrough(), new PassThrough()]
      const transport = StdioTransport.make({ stdin, stdout })
      const server = yield* serve(transport, { metadata: { big: 1n } })
      const answered = yield* Deferred.make<string>()
      stdout.on("data", (chunk: Buffer) => {
        const line = String(chunk)
        if (line.includes("\"id\":2")) Deferred.doneUnsafe(answered, Effect.succeed(line))
      })
      stdin.write(`${JSON.stringify(initialize)}\n${JSON.stringify(call)}\n`)
      const line = yield* Effect.timeout(Deferred.await(answered), "3 seconds")
      assert.include(line, "JSON")
      assert.include(line, "not sent")
      yield* Effect.promise(() => server.close())
    }))

  it.live("a tool that runs two wrapped functions at once gets the answers of both", () =>
    Effect.gen(function*() {
      const [here, there] = InMemoryTransport.createLinkedPair()
      const answered = yield* Deferred.make<JSONRPCMessage>()
      here.onmessage = (message: JSONRPCMessage) => {
        if ("method" in message && "id" in message) void here.send({ jsonrpc: "2.0", id: message.id, result })
        else if ("id" in message && message.id === 2) Deferred.doneUnsafe(answered, Effect.succeed(message))
      }
      const server = new Server({ name: "s", version: "1" }, { capabilities: { tools: {} } })
      const ask = yield* Handler.tool(server, () => Effect.map(Sampler.sample("Hi"), (reply) => reply.text))
      server.setRequestHandler(CallToolRequestSchema, async (_, extra): Promise<CallToolResult> => {
        const results = await Promise.all([ask(extra), ask(extra)])
        return { content: results.flatMap(({ content }) => content) }
      })
      yield* Effect.promise(() => server.connect(there))
      for (const message of [initialize, call]) yield* Effect.promise(() => here.send(message))
      const response = yield* Effect.timeout(Deferred.await(answered), "3 seconds")
      assert.lengthOf(JSON.stringify(response).match(/at once/g) ?? [], 2)
      yield* Effect.promise(() => server.close())
    }).pipe(Effect.provide(ClientSampler.layer)))
})
