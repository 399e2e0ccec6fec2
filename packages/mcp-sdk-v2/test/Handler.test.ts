/* oxlint-disable typescript/no-unsafe-type-assertion -- assertions look into what came over the wire */
import { ClientSampler, Sampler } from "@effect-sampling/core"
import { Handler } from "@effect-sampling/mcp-sdk-v2"
import { assert, describe, it } from "@effect/vitest"
import { fromJsonSchema, InMemoryTransport, McpServer, ResourceTemplate } from "@modelcontextprotocol/server"
import type { CallToolResult, GetPromptResult, JSONRPCMessage, Server } from "@modelcontextprotocol/server"
import { Cause, Data, Deferred, Effect, Logger } from "effect"
import { Journal } from "../../mcp-sdk/test/fixtures/Journal.ts"
import { answer } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import type { Message } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { connect as connectAt, eras } from "./fixtures/official.ts"

class Refused extends Data.TaggedError("Refused")<{ readonly message: string }> {}

const secret = "postgres://user:secret@10.0.0.1"

const text = (result: unknown): string => {
  const block = (result as CallToolResult).content[0]
  return block?.type === "text" ? block.text : ""
}

const fields = <A>(types: Readonly<Record<string, string>>) =>
  fromJsonSchema<A>({
    type: "object",
    properties: Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }])),
    required: Object.keys(types)
  })

const makeServer = Effect.gen(function*() {
  const server = new McpServer({ name: "existing", version: "1.0.0" })
  server.registerTool("zod", { inputSchema: fields<{ readonly n: number }>({ n: "number" }) }, ({ n }) => ({
    content: [{ type: "text", text: `zod ${n}` }]
  }))
  const sample = yield* Handler.tool(
    server,
    ({ topic }: { readonly topic: string }) => Effect.map(Sampler.sample(topic), (reply) => reply.text)
  )
  server.registerTool("sample", { inputSchema: fields<{ readonly topic: string }>({ topic: "string" }) }, sample)
  server.registerTool(
    "whole",
    {},
    yield* Handler.tool(
      server,
      () => Effect.succeed({ content: [{ type: "text" as const, text: "whole" }], structuredContent: { x: 1 } })
    )
  )
  server.registerTool("refuses", {}, yield* Handler.tool(server, () => new Refused({ message: "not today" })))
  server.registerTool("dies", {}, yield* Handler.tool(server, () => Effect.die(new Error(secret))))
  server.registerTool(
    "throws",
    {},
    yield* Handler.tool(server, (): Effect.Effect<string> => {
      throw new Error(secret)
    })
  )
  server.registerPrompt(
    "prompt",
    { argsSchema: fields<{ readonly topic: string }>({ topic: "string" }) },
    yield* Handler.prompt(
      server,
      ({ topic }: { readonly topic: string }) =>
        Effect.map(Sampler.sample(topic), (reply) => ({
          messages: [{ role: "user" as const, content: { type: "text" as const, text: reply.text } }]
        }))
    )
  )
  server.registerPrompt("refuses", {}, yield* Handler.prompt(server, () => new Refused({ message: "not today" })))
  server.registerPrompt(
    "throws",
    {},
    yield* Handler.prompt(server, (): Effect.Effect<GetPromptResult> => {
      throw new Error(secret)
    })
  )
  server.registerResource(
    "static",
    "file:///static",
    {},
    yield* Handler.resource(
      server,
      (uri: URL) =>
        Effect.map(Sampler.sample("static"), (reply) => ({ contents: [{ uri: uri.href, text: reply.text }] }))
    )
  )
  server.registerResource(
    "template",
    new ResourceTemplate("note://{id}", { list: undefined }),
    {},
    yield* Handler.resource(
      server,
      (uri: URL, variables: Readonly<Record<string, string | Array<string>>>) =>
        Effect.succeed({ contents: [{ uri: uri.href, text: `note ${String(variables["id"])}` }] })
    )
  )
  return server
}).pipe(Effect.provide(ClientSampler.layer))

for (const era of eras) {
  describe(`at ${era}`, () => {
    const connect = (server: Server | McpServer) => connectAt(era, server)

    describe("Handler", { timeout: 30_000 }, () => {
      it.live("makes tools that sample, next to tools of the SDK", () =>
        Effect.gen(function*() {
          const client = yield* connect(yield* makeServer)
          const call = (name: string, parameters: Record<string, unknown> = {}) =>
            Effect.promise(() => client.callTool({ name, arguments: parameters }))
          assert.strictEqual(text(yield* call("zod", { n: 1 })), "zod 1")
          assert.include(text(yield* call("sample", { topic: "cats" })), "cats")
          assert.deepStrictEqual((yield* call("whole")).structuredContent, { x: 1 })
        }))

      it.live("answers typed errors with their message, and defects with a generic one that is logged", () => {
        const log: Array<string> = []
        const logger = Logger.make(({ cause, message }) => log.push(`${String(message)} ${Cause.pretty(cause)}`))
        return Effect.gen(function*() {
          const client = yield* connect(yield* makeServer)
          const call = (name: string) => Effect.promise(() => client.callTool({ name }))
          const refused = yield* call("refuses")
          assert.isTrue(refused.isError)
          assert.strictEqual(text(refused), "not today")
          for (const name of ["dies", "throws"]) {
            const result = yield* call(name)
            assert.isTrue(result.isError)
            assert.strictEqual(text(result), "Internal error: see the server's log")
          }
          assert.strictEqual(log.length, 2)
          assert.include(log[0]!, secret)
          assert.include(log[1]!, secret)
        }).pipe(Effect.provide(Logger.layer([logger])))
      })

      it.live("makes prompts and resources that sample", () =>
        Effect.gen(function*() {
          const client = yield* connect(yield* makeServer)
          const prompt = yield* Effect.promise(() => client.getPrompt({ name: "prompt", arguments: { topic: "dogs" } }))
          assert.include(JSON.stringify(prompt.messages), "dogs")
          const fixed = yield* Effect.promise(() => client.readResource({ uri: "file:///static" }))
          assert.include(JSON.stringify(fixed.contents), "static")
          const note = yield* Effect.promise(() => client.readResource({ uri: "note://7" }))
          assert.include(JSON.stringify(note.contents), "note 7")
          const messageOf = (promise: Promise<unknown>) =>
            Effect.promise(() => promise.then(() => "it succeeded", (error: Error) => error.message))
          assert.include(yield* messageOf(client.getPrompt({ name: "refuses" })), "not today")
          const thrown = yield* messageOf(client.getPrompt({ name: "throws" }))
          assert.include(thrown, "Internal error")
          assert.notInclude(thrown, "secret")
        }))

      it.live("interrupts the effect when the client cancels, the first request of a session included", () =>
        Effect.gen(function*() {
          const interrupted = yield* Deferred.make<void>()
          const server = new McpServer({ name: "existing", version: "1.0.0" })
          const joke = yield* Handler.tool(server, () =>
            Effect.as(
              Effect.onInterrupt(Sampler.sample("joke"), () => Deferred.succeed(interrupted, undefined)),
              "unreachable"
            ))
          server.registerTool("joke", {}, joke)
          const [here, there] = InMemoryTransport.createLinkedPair()
          const received = new Journal<Message>()
          here.onmessage = (message: JSONRPCMessage) => received.add(message as Message)
          yield* Effect.promise(() => server.connect(there))
          yield* Effect.promise(() => here.start())
          const send = (message: object) => Effect.promise(() => here.send(message as JSONRPCMessage))
          yield* send({
            jsonrpc: "2.0",
            id: 1,
            method: "initialize",
            params: {
              protocolVersion: "2025-11-25",
              capabilities: { sampling: {} },
              clientInfo: { name: "x", version: "1" }
            }
          })
          yield* send({ jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "joke" } })
          const asked = yield* Effect.promise(() => received.find(({ method }) => method === "sampling/createMessage"))
          yield* send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 2 } })
          yield* Deferred.await(interrupted)
          yield* Effect.promise(() =>
            received.find(({ method, params }) => method === "notifications/cancelled" && params.requestId === asked.id)
          )
          yield* send(answer(asked.id))
          yield* Effect.promise(() => server.close())
        }).pipe(Effect.provide(ClientSampler.layer)))
    })
  })
}
