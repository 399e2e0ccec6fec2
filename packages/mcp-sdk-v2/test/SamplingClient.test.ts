/* oxlint-disable typescript/no-unsafe-type-assertion -- assertions look into what came over the wire */
import { ClientSampler, ProviderSampler, SamplingError, TestSampler } from "@effect-sampling/core"
import type { Sampler } from "@effect-sampling/core"
import { SamplingClient, StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { assert, describe, it } from "@effect/vitest"
import type { Transport } from "@modelcontextprotocol/client"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { InMemoryTransport } from "@modelcontextprotocol/server"
import type { JSONRPCMessage } from "@modelcontextprotocol/server"
import { Context, Deferred, Effect, Layer } from "effect"
import type { Scope } from "effect"
import { fileURLToPath } from "node:url"
import { Journal } from "../../mcp-sdk/test/fixtures/Journal.ts"
import type { Message } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { clientOptions, eras } from "./fixtures/official.ts"
import type { Era } from "./fixtures/official.ts"
import { makeTools } from "./fixtures/tools.ts"

/** A server written by hand, which can ask anything. */
class RawServer {
  readonly received = new Journal<Message>()
  private readonly transport: InMemoryTransport
  private lastId = 0

  constructor(transport: InMemoryTransport) {
    this.transport = transport
    transport.onmessage = (message) => {
      const it = message as Message
      this.received.add(it)
      if (it.method === "initialize") {
        void this.send({
          jsonrpc: "2.0",
          id: it.id,
          result: { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "raw", version: "1" } }
        })
      }
    }
  }

  send(message: unknown): Promise<void> {
    return this.transport.send(message as JSONRPCMessage)
  }

  start(params: unknown, id = ++this.lastId): number {
    void this.send({ jsonrpc: "2.0", id, method: "sampling/createMessage", params })
    return id
  }

  async ask(params: unknown): Promise<Message> {
    const id = this.start(params)
    return this.received.find((message) => message.id === id && message.method === undefined)
  }
}

const connect = (client: Client): Effect.Effect<RawServer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const [here, there] = InMemoryTransport.createLinkedPair()
      const server = new RawServer(there)
      await there.start()
      await client.connect(here)
      return server
    }),
    () => Effect.promise(() => client.close())
  )

const newClient = () => new Client({ name: "c", version: "1" })

const serve = (
  sampler: Layer.Layer<Sampler.Sampler>,
  options: SamplingClient.Options<never> = {}
): Effect.Effect<RawServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const client = newClient()
    yield* SamplingClient.serve(client, options)
    return yield* connect(client)
  }).pipe(Effect.provide(sampler))

const declared = (server: RawServer): unknown =>
  server.received.entries.find(({ method }) => method === "initialize")!.params.capabilities

const user = (text: string) => ({ role: "user", content: { type: "text", text } })

const request = { messages: [user("hi")], maxTokens: 10 }

const withoutTools = ProviderSampler.layer({
  name: "plain",
  tools: false,
  createMessage: () => Effect.succeed({ content: [{ type: "text", text: "plain" }], model: "m" })
})

describe("SamplingClient", { timeout: 30_000 }, () => {
  it.live("declares what it serves, and no more", () =>
    Effect.gen(function*() {
      const context = () => Effect.succeed("context")
      assert.deepStrictEqual(declared(yield* serve(TestSampler.scripted([]))), { sampling: { tools: {} } })
      assert.deepStrictEqual(declared(yield* serve(withoutTools)), { sampling: {} })
      assert.deepStrictEqual(declared(yield* serve(withoutTools, { context })), { sampling: { context: {} } })
    }))

  it.live("answers with the sampler", () =>
    Effect.gen(function*() {
      const server = yield* serve(TestSampler.scripted(["Hello"]))
      const { result } = yield* Effect.promise(() => server.ask(request))
      assert.deepInclude(result, { role: "assistant", content: { type: "text", text: "Hello" } })
      assert.isString(result.model)
    }))

  // requirement: sampling/rejection
  it.live("answers a rejection with -1, other errors with their codes and messages", () =>
    Effect.gen(function*() {
      const cases = [
        [new SamplingError.SamplingRejected({ message: "no" }), -1],
        [new SamplingError.InvalidRequest({ message: "wrong" }), -32_602],
        [new SamplingError.SamplingUnsupported({ missing: "content", message: "cannot" }), -32_601],
        [new SamplingError.ProviderError({ provider: "p", reason: "rateLimit", message: "slow down" }), -32_603],
        [new SamplingError.SamplingTimeout({ afterMillis: 1, message: "too late" }), -32_603]
      ] as const
      const server = yield* serve(TestSampler.scripted(cases.map(([error]) => error)))
      for (const [error, code] of cases) {
        const response = yield* Effect.promise(() => server.ask(request))
        assert.deepStrictEqual(response.error, { code, message: error.message })
      }
    }))

  it.live("keeps defects to itself", () =>
    Effect.gen(function*() {
      const secret = "sk-secret"
      const dying = yield* serve(TestSampler.fromFunction(() => Effect.die(new Error(secret))))
      const throwing = yield* serve(TestSampler.scripted(["x"]), {
        context: () => {
          throw new Error(secret)
        }
      })
      for (const server of [dying, throwing]) {
        const { error } = yield* Effect.promise(() => server.ask({ ...request, includeContext: "thisServer" }))
        assert.strictEqual(error!.code, -32_603)
        assert.notInclude(error!.message, secret)
      }
    }))

  it.live("interrupts the sampler when the server cancels", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const server = yield* serve(TestSampler.fromFunction(() =>
        Deferred.succeed(started, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
        )
      ))
      // Plain SDK 1.x servers count from 0.
      const id = server.start(request, 0)
      yield* Deferred.await(started)
      yield* Effect.promise(() =>
        server.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } })
      )
      yield* Deferred.await(interrupted)
      assert.isFalse(server.received.entries.some((message) => message.id === id && message.method === undefined))
    }))

  it.live("answers malformed requests with -32602 and goes on", () =>
    Effect.gen(function*() {
      const server = yield* serve(TestSampler.scripted(["after"]))
      const wrong: ReadonlyArray<unknown> = [
        undefined,
        {},
        { messages: [], maxTokens: 10 },
        { messages: [user("hi")] },
        { messages: [user("hi")], maxTokens: -1 },
        { messages: [user("hi")], maxTokens: 1.5 },
        { messages: [{ role: "system", content: { type: "text", text: "x" } }], maxTokens: 10 },
        { messages: [{ role: "user", content: "text" }], maxTokens: 10 },
        { messages: [{ role: "user", content: { type: "image", data: "***", mimeType: "image/png" } }], maxTokens: 10 },
        { messages: [{ role: "user", content: { type: "tool_result", toolUseId: "x", content: [] } }], maxTokens: 10 },
        { messages: "x", maxTokens: 10 },
        { messages: [user("hi")], maxTokens: 10, temperature: "hot" }
      ]
      for (const params of wrong) {
        const { error } = yield* Effect.promise(() => server.ask(params))
        assert.include([-32_602, -32_603], error!.code, JSON.stringify(params))
      }
      assert.strictEqual((yield* Effect.promise(() => server.ask(request))).result.content.text, "after")
    }))

  it.live("joins several text blocks for a request without tools, and keeps blocks for one with tools", () =>
    Effect.gen(function*() {
      const text = (it: string) => ({ type: "text" as const, text: it })
      const server = yield* serve(TestSampler.scripted([
        { content: [text("a"), text("b")] },
        { content: [text("a"), { type: "image", data: "AAAA", mimeType: "image/png" }] },
        { content: [text("a"), { type: "tool_use", id: "1", name: "clock", input: {} }], stopReason: "toolUse" },
        { content: [] }
      ]))
      assert.deepStrictEqual((yield* Effect.promise(() => server.ask(request))).result.content, text("ab"))
      assert.strictEqual((yield* Effect.promise(() => server.ask(request))).error!.code, -32_603)
      const tools = [{ name: "clock", inputSchema: { type: "object" } }]
      const { result } = yield* Effect.promise(() => server.ask({ ...request, tools }))
      assert.deepStrictEqual(result.content.map(({ type }: { readonly type: string }) => type), ["text", "tool_use"])
      assert.strictEqual(result.stopReason, "toolUse")
      assert.deepStrictEqual((yield* Effect.promise(() => server.ask(request))).result.content, text(""))
    }))

  it.live("puts context before the system prompt, for the servers that are meant", () =>
    Effect.gen(function*() {
      const sampler = TestSampler.scripted(["1", "2", "3", "4"])
      const requests = yield* Effect.gen(function*() {
        const client = newClient()
        yield* SamplingClient.serve(client, { context: (include) => Effect.succeed(`context of ${include}`) })
        const server = yield* connect(client)
        yield* Effect.promise(() => server.ask({ ...request, includeContext: "thisServer", systemPrompt: "be brief" }))
        yield* Effect.promise(() => server.ask({ ...request, includeContext: "allServers" }))
        yield* Effect.promise(() => server.ask({ ...request, includeContext: "none" }))
        yield* Effect.promise(() => server.ask(request))
        return yield* TestSampler.requests
      }).pipe(Effect.provide(sampler))
      assert.deepStrictEqual(requests.map(({ systemPrompt }) => systemPrompt), [
        "context of thisServer\n\nbe brief",
        "context of allServers",
        undefined,
        undefined
      ])
    }))

  it.live("does not declare sampling where it is not served, and passes on nothing of a client sampler", () =>
    Effect.gen(function*() {
      const server = yield* serve(ClientSampler.layer)
      assert.deepStrictEqual(declared(server), { sampling: {} })
      assert.strictEqual((yield* Effect.promise(() => server.ask(request))).error!.code, -32_601)
    }))
})

/** A client whose model is a sampler, and a server with the tool `ask`, over HTTP and over the stdio of a child. */
const connections = (era: Era) => {
  const make = (transport: Transport) =>
    Effect.gen(function*() {
      const client = new Client({ name: "c", version: "1" }, clientOptions(era))
      yield* SamplingClient.serve(client)
      yield* Effect.acquireRelease(
        Effect.promise(() => client.connect(transport)),
        () => Effect.promise(() => client.close())
      )
      return client
    })
  return [
    [
      "HTTP",
      Effect.gen(function*() {
        const context = yield* Layer.build(
          StreamableHttpServer.layer({ name: "f", version: "1", port: 0, features: [makeTools(() => {})] })
        )
        const { url } = Context.get(context, StreamableHttpServer.Address)
        return yield* make(new StreamableHTTPClientTransport(new URL(url)))
      })
    ],
    [
      "stdio",
      Effect.suspend(() =>
        make(
          new StdioClientTransport({
            command: process.execPath,
            args: [
              "--conditions",
              "@effect-sampling/source",
              fileURLToPath(new URL("./fixtures/stdioServer.ts", import.meta.url)),
              "serve"
            ],
            stderr: "ignore"
          })
        )
      )
    ]
  ] as const
}

for (const era of eras) {
  for (const [transport, connection] of connections(era)) {
    describe(`SamplingClient at ${era} over ${transport}`, { timeout: 60_000 }, () => {
      it.live("answers with the sampler, several asks of one call included", () =>
        Effect.gen(function*() {
          const client = yield* connection
          const result = yield* Effect.promise(() =>
            client.callTool({ name: "askMany", arguments: { prompts: ["a", "b", "c"] } })
          )
          assert.deepStrictEqual(
            JSON.parse((result.content[0] as { readonly text: string }).text),
            ["a", "b", "c"].map((prompt) => ({ ok: `to ${prompt}` }))
          )
        }).pipe(Effect.provide(TestSampler.fromFunction((request) =>
          Effect.succeed(
            `to ${request.messages.map(({ content }) => JSON.parse(JSON.stringify(content)).text).join()}`
          )
        ))))

      it.live("a rejection reaches the tool, or ends the call where the server cannot learn of it", () =>
        Effect.gen(function*() {
          const client = yield* connection
          const outcome = yield* Effect.promise(() =>
            client.callTool({ name: "ask", arguments: { prompt: "x" } }).then(
              (result) => (result.content[0] as { readonly text: string }).text,
              (error: Error) => `the call failed: ${error.message}`
            )
          )
          assert.include(outcome, era === "2025-11-25" ? "SamplingRejected" : "the call failed: not today")
        }).pipe(
          Effect.provide(TestSampler.scripted([new SamplingError.SamplingRejected({ message: "not today" })]))
        ))

      it.live("interrupts the sampler when the call is cancelled", () =>
        Effect.gen(function*() {
          const started = yield* Deferred.make<void>()
          const interrupted = yield* Deferred.make<void>()
          const sampler = TestSampler.fromFunction(() =>
            Deferred.succeed(started, undefined).pipe(
              Effect.andThen(Effect.never),
              Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
            )
          )
          const client = yield* Effect.provide(connection, sampler)
          const cancellation = new AbortController()
          const call = client.callTool(
            { name: "ask", arguments: { prompt: "x" } },
            { signal: cancellation.signal }
          ).then(() => "answered", () => "rejected")
          yield* Deferred.await(started)
          cancellation.abort("test")
          assert.strictEqual(yield* Effect.promise(() => call), "rejected")
          yield* Deferred.await(interrupted)
        }))
    })
  }
}
