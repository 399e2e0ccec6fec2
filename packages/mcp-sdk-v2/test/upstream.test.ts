/* oxlint-disable typescript/no-unsafe-type-assertion -- assertions look into what came over the wire */
/** Each test here fails when the SDK no longer does what this adapter works around: then the workaround goes. */
import { Journal } from "@effect-sampling/mcp-suite/Journal"
import { repeatLast } from "@effect-sampling/mcp-suite/outcomes"
import type { Message } from "@effect-sampling/mcp-suite/RawClient"
import { withEnvelope } from "@effect-sampling/mcp-suite/RoundsClient"
import { assert, describe, it } from "@effect/vitest"
import type { JSONRPCMessage, ServerContext } from "@modelcontextprotocol/server"
import {
  InMemoryTransport,
  McpServer,
  Server,
  WebStandardStreamableHTTPServerTransport
} from "@modelcontextprotocol/server"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import { Deferred, Effect } from "effect"
import { answersWithJson, callParamsOf, rememberCallParams, requestStreams } from "../src/internal/sdkInternals.ts"
import { connectClient, newClient } from "./fixtures/adapter.ts"

const params = { messages: [{ role: "user" as const, content: { type: "text" as const, text: "x" } }], maxTokens: 1 }

type Handle = (ctx: ServerContext) => Promise<string>

/** An SDK server with one tool, and a client by hand. */
const makeRaw = (handle: Handle, prepare: (server: Server) => void = () => {}) =>
  Effect.promise(async () => {
    const server = new Server({ name: "s", version: "1" }, { capabilities: { tools: {} } })
    prepare(server)
    server.setRequestHandler(
      "tools/call",
      (_, ctx) => handle(ctx).then((text) => ({ content: [{ type: "text" as const, text }] }))
    )
    const received = new Journal<Message>()
    const [here, there] = InMemoryTransport.createLinkedPair()
    here.onmessage = (message) => received.add(message as Message)
    serveStdio(() => server, { transport: there })
    await here.start()
    return { server, received, send: (message: object) => here.send(message as JSONRPCMessage) }
  })

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: { sampling: {} }, clientInfo: { name: "raw", version: "1" } }
}

const call = { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "tool", arguments: {} } }

const textOf = (message: Message): string => message.result.content[0].text

describe("upstream", { timeout: 30_000 }, () => {
  it.live("SDK 2.x gives handlers inputResponses that are not an object as if there were none: callParamsOf", () =>
    Effect.gen(function*() {
      const raw = yield* makeRaw(
        (ctx) =>
          Promise.resolve(JSON.stringify([
            ctx.mcpReq.inputResponses,
            ctx.mcpReq.droppedInputResponseKeys,
            callParamsOf(ctx)?.["inputResponses"]
          ])),
        rememberCallParams
      )
      yield* Effect.promise(() => raw.send({ ...call, params: withEnvelope({ ...call.params, inputResponses: [5] }) }))
      assert.strictEqual(textOf(yield* Effect.promise(() => raw.received.find(({ id }) => id === 2))), "[{},null,[5]]")
    }))

  it.live("SDK 2.x does not tell a tool its name: callParamsOf", () =>
    Effect.gen(function*() {
      const server = new McpServer({ name: "s", version: "1" })
      let seen: ServerContext | undefined
      server.registerTool("secretly-named", {}, (ctx) => {
        seen = ctx
        return { content: [] }
      })
      const client = yield* connectClient(newClient({ era: "2026-07-28", sample: repeatLast }), { server })
      yield* Effect.promise(() => client.callTool({ name: "secretly-named" }))
      assert.notInclude(JSON.stringify(seen), "secretly-named")
    }))

  it.live("SDK 2.x makes the context of a call while its message is delivered: callParamsOf", () =>
    Effect.gen(function*() {
      const raw = yield* makeRaw(
        (ctx) => Promise.resolve(JSON.stringify(callParamsOf(ctx)?.["arguments"])),
        (server) => {
          rememberCallParams(server)
          // Twice makes no difference.
          rememberCallParams(server)
        }
      )
      const ids = Array.from({ length: 200 }, (_, index) => index + 10)
      const toCall = (n: number) => ({ ...call, id: n, params: withEnvelope({ ...call.params, arguments: { n } }) })
      yield* Effect.promise(() => Promise.all(ids.map((n) => raw.send(toCall(n)))))
      for (const n of ids) {
        const answered = yield* Effect.promise(() => raw.received.find(({ id }) => id === n))
        assert.strictEqual(textOf(answered), JSON.stringify({ n }))
      }
    }))

  it.live("SDK 2.x drops an answer that is malformed, and its request waits on: ClientChannel", () =>
    Effect.gen(function*() {
      const raw = yield* makeRaw(({ mcpReq }) =>
        mcpReq.send({ method: "sampling/createMessage", params }, { timeout: 60_000 }).then(() => "answered", String)
      )
      yield* Effect.promise(() => raw.send(initialize))
      yield* Effect.promise(() => raw.send(call))
      const asked = yield* Effect.promise(() => raw.received.find(({ method }) => method === "sampling/createMessage"))
      yield* Effect.promise(() => raw.send({ jsonrpc: "2.0", id: asked.id, result: null }))
      yield* Effect.promise(() => raw.send({ jsonrpc: "2.0", id: 9, method: "ping" }))
      yield* Effect.promise(() => raw.received.find(({ id }) => id === 9))
      assert.isFalse(raw.received.entries.some(({ id }) => id === 2))
      yield* Effect.promise(() => raw.server.close())
    }))

  it.live("SDK 2.x reports a cancelled request as one that timed out: ClientChannel", () =>
    Effect.gen(function*() {
      const failure = yield* Deferred.make<unknown>()
      const raw = yield* makeRaw(({ mcpReq }) =>
        mcpReq.send({ method: "sampling/createMessage", params }, { signal: mcpReq.signal }).then(
          () => "answered",
          (error: unknown) => {
            Deferred.doneUnsafe(failure, Effect.succeed(error))
            return "failed"
          }
        )
      )
      yield* Effect.promise(() => raw.send(initialize))
      yield* Effect.promise(() => raw.send(call))
      yield* Effect.promise(() => raw.received.find(({ method }) => method === "sampling/createMessage"))
      yield* Effect.promise(() =>
        raw.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 2 } })
      )
      assert.deepInclude(yield* Deferred.await(failure), { code: "REQUEST_TIMEOUT" })
    }))

  it("SDK 2.x lets a request take over the stream of an earlier one with the same id: requestStreams", () => {
    assert.instanceOf(requestStreams(new WebStandardStreamableHTTPServerTransport({})), Map)
    assert.isUndefined(requestStreams({}))
  })

  it("SDK 2.x does not tell that a transport answers with plain JSON: answersWithJson", () => {
    const json = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
    assert.isTrue(answersWithJson(json))
    assert.isFalse(answersWithJson(new WebStandardStreamableHTTPServerTransport({})))
    assert.isFalse(answersWithJson(undefined))
    assert.isFalse("enableJsonResponse" in json)
  })

  it.live("SDK 2.x says -32602 to older clients for a resource that does not exist, where MCP 2025-11-25 has -32002", () =>
    Effect.gen(function*() {
      const server = new McpServer({ name: "s", version: "1" })
      server.registerResource("r", "file:///r", {}, () => ({ contents: [] }))
      const client = yield* connectClient(newClient({ era: "2025-11-25", sample: repeatLast }), { server })
      const error = yield* Effect.promise(() =>
        client.readResource({ uri: "file:///missing" }).then(() => assert.fail(), (it: { readonly code: number }) => it)
      )
      assert.strictEqual(error.code, -32_602)
    }))

  it.live("SDK 2.x lets a cancelled call of a client wait for the sampling handlers of its round", () =>
    Effect.gen(function*() {
      const server = new McpServer({ name: "s", version: "1" })
      server.registerTool("asks", {}, () => ({
        resultType: "input_required",
        inputRequests: { x: { method: "sampling/createMessage", params } }
      }))
      const client = newClient({ era: "2026-07-28", sample: repeatLast })
      const started = yield* Deferred.make<AbortSignal>()
      const stop = yield* Deferred.make<void>()
      client.setRequestHandler("sampling/createMessage", (_, { mcpReq }) => {
        Deferred.doneUnsafe(started, Effect.succeed(mcpReq.signal))
        return Effect.runPromise(Effect.andThen(Deferred.await(stop), Effect.die(new Error("stopped"))))
      })
      yield* connectClient(client, { server })
      const cancellation = new AbortController()
      let settled = false
      const called = client.callTool({ name: "asks" }, { signal: cancellation.signal }).then(() => "ok", () => "failed")
        .finally(() => {
          settled = true
        })
      const signal = yield* Deferred.await(started)
      cancellation.abort("test")
      assert.isTrue(signal.aborted)
      yield* Effect.promise(() => client.listTools())
      assert.isFalse(settled)
      yield* Deferred.succeed(stop, undefined)
      assert.strictEqual(yield* Effect.promise(() => called), "failed")
    }))
})
