import { CurrentRequest, Feature, StdioServer, StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { Journal } from "@effect-sampling/mcp-suite/Journal"
import { PipeClient } from "@effect-sampling/mcp-suite/RawClient"
import { withEnvelope } from "@effect-sampling/mcp-suite/RoundsClient"
import { assert, describe, it } from "@effect/vitest"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { InMemoryServerEventBus } from "@modelcontextprotocol/server"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

const Tools = Toolkit.make(Tool.make("log", { success: Schema.String }))

const features = [
  Feature.toolkit(Tools).pipe(Effect.provide(Tools.toLayer({
    log: () =>
      Effect.gen(function*() {
        const request = yield* CurrentRequest.CurrentRequest
        yield* Effect.promise(() => request!.mcpReq.log("info", "logged"))
        return "done"
      })
  })))
]

const settings = { name: "fixture", version: "1.0.0", logging: true, features }

const serveHttp = (bus?: InMemoryServerEventBus) =>
  Effect.map(
    Layer.build(StreamableHttpServer.layer({ ...settings, port: 0, bus, shutdownGrace: 100 })),
    (context) => Context.get(context, StreamableHttpServer.Address).url
  )

const serveStdio = Effect.fnUntraced(function*(bus?: InMemoryServerEventBus) {
  const client = new PipeClient()
  const { stdin, stdout } = client
  yield* Effect.forkScoped(StdioServer.serve({ ...settings, stdin, stdout, bus, shutdownGrace: 100 }), {
    startImmediately: true
  })
  return client
})

/** A client, connected; `opened` hears of its standalone stream. */
const connect = Effect.fnUntraced(function*(url: string, opened: () => void = () => {}) {
  const client = new Client({ name: "test", version: "1.0.0" })
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: async (address, init) => {
      const response = await fetch(address, init)
      if (init?.method === "GET") opened()
      return response
    }
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(transport)),
    () => Effect.promise(() => client.close())
  )
  return client
})

const isA = (method: string) => (message: { readonly method?: string | undefined }) => message.method === method

const listChanged = "notifications/tools/list_changed"

describe("Notifications", { timeout: 30_000 }, () => {
  it.live("A handler logs to a client of a session, down to the level that the client set", () =>
    Effect.gen(function*() {
      const client = yield* connect(yield* serveHttp())
      const logged = new Journal<unknown>()
      client.setNotificationHandler("notifications/message", ({ params }) => logged.add(params.data))
      for (const level of ["info", "error"] as const) {
        yield* Effect.promise(() => client.setLoggingLevel(level))
        yield* Effect.promise(() => client.callTool({ name: "log", arguments: {} }))
      }
      assert.deepStrictEqual(logged.entries, ["logged"])
    }))

  it.live("A handler logs to a client in rounds only when its request asks for it", () =>
    Effect.gen(function*() {
      const client = yield* serveStdio()
      const call = (meta: object) => {
        const { _meta, ...params } = withEnvelope({ name: "log", arguments: {} })
        return Effect.promise(() => client.request("tools/call", { ...params, _meta: { ..._meta, ...meta } }))
      }
      yield* call({})
      assert.isFalse(client.received.entries.some(isA("notifications/message")))
      yield* call({ "io.modelcontextprotocol/logLevel": "debug" })
      assert.isTrue(client.received.entries.some(isA("notifications/message")))
    }))

  it.live("A session is told that a list has changed, until it ends", () =>
    Effect.gen(function*() {
      const bus = new InMemoryServerEventBus()
      const opened = yield* Deferred.make<void>()
      const client = yield* connect(yield* serveHttp(bus), () => Deferred.doneUnsafe(opened, Effect.void))
      assert.isTrue(client.getServerCapabilities()?.tools?.listChanged)
      const changes = new Journal<string>()
      client.setNotificationHandler(listChanged, ({ method }) => changes.add(method))
      yield* Deferred.await(opened)
      bus.publish({ kind: "tools_list_changed" })
      yield* Effect.promise(() => changes.find(() => true))
      yield* Effect.promise(() => {
        const { transport } = client
        return transport instanceof StreamableHTTPClientTransport ? transport.terminateSession() : Promise.reject()
      })
      assert.strictEqual(bus.listenerCount, 0)
    }))

  it.live("A client over stdio is told that a list has changed", () =>
    Effect.gen(function*() {
      const bus = new InMemoryServerEventBus()
      const client = yield* serveStdio(bus)
      yield* Effect.promise(() => client.initialize({}))
      bus.publish({ kind: "tools_list_changed" })
      yield* Effect.promise(() => client.received.find(isA(listChanged)))
    }))

  it.live("A client in rounds over stdio is told what it subscribed to", () =>
    Effect.gen(function*() {
      const bus = new InMemoryServerEventBus()
      const client = yield* serveStdio(bus)
      const params = withEnvelope({ notifications: { toolsListChanged: true } })
      yield* Effect.promise(() =>
        client.post(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params }))
      )
      yield* Effect.promise(() => client.received.find(isA("notifications/subscriptions/acknowledged")))
      bus.publish({ kind: "prompts_list_changed" })
      bus.publish({ kind: "tools_list_changed" })
      const told = yield* Effect.promise(() => client.received.find(isA(listChanged)))
      assert.isDefined(told.params._meta["io.modelcontextprotocol/subscriptionId"])
      assert.isFalse(client.received.entries.some(isA("notifications/prompts/list_changed")))
    }))

  it.live("A server declares neither logging nor changes of lists where it does not offer them", () =>
    Effect.gen(function*() {
      const server = yield* Layer.build(
        StreamableHttpServer.layer({ name: "fixture", version: "1.0.0", features, port: 0 })
      )
      const client = yield* connect(Context.get(server, StreamableHttpServer.Address).url)
      assert.deepStrictEqual(client.getServerCapabilities(), { tools: {} })
    }))

  it.effect("CurrentRequest is undefined outside of handlers", () =>
    Effect.map(Effect.flatMap(CurrentRequest.CurrentRequest, Effect.succeed), (request) => assert.isUndefined(request)))
})
