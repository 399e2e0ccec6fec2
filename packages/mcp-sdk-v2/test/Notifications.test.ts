import { CurrentRequest, Feature, StdioServer, StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { Journal } from "@effect-sampling/mcp-suite/Journal"
import { PipeClient } from "@effect-sampling/mcp-suite/RawClient"
import { withEnvelope } from "@effect-sampling/mcp-suite/RoundsClient"
import { assert, describe, it } from "@effect/vitest"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { InMemoryServerEventBus } from "@modelcontextprotocol/server"
import { Context, Effect, Layer, Schema } from "effect"
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

const connect = Effect.fnUntraced(function*(url: string) {
  const client = new Client({ name: "test", version: "1.0.0" })
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(new StreamableHTTPClientTransport(new URL(url)))),
    () => Effect.promise(() => client.close())
  )
  return client
})

const isA = (method: string) => (message: { readonly method?: string | undefined }) => message.method === method

const listChanged = "notifications/tools/list_changed"

describe("Notifications", { timeout: 30_000 }, () => {
  it.live("logs to a client of a session, down to the level that it set", () =>
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

  it.live("logs to a client that is answered in rounds only when its request asks for it", () =>
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

  it.live("tells a session that a list has changed, until it ends", () =>
    Effect.gen(function*() {
      const bus = new InMemoryServerEventBus()
      const client = yield* connect(yield* serveHttp(bus))
      assert.isTrue(client.getServerCapabilities()?.tools?.listChanged)
      const changes = new Journal<string>()
      client.setNotificationHandler(listChanged, ({ method }) => changes.add(method))
      const change = Effect.sync(() => bus.publish({ kind: "tools_list_changed" }))
      // The standalone stream opens after connect.
      yield* Effect.repeat(Effect.andThen(change, Effect.sleep("20 millis")), {
        until: () => changes.entries.length > 0
      })
      yield* Effect.promise(() => {
        const { transport } = client
        return transport instanceof StreamableHTTPClientTransport ? transport.terminateSession() : Promise.reject()
      })
      assert.strictEqual(bus.listenerCount, 0)
    }))

  it.live("tells a client over stdio that a list has changed", () =>
    Effect.gen(function*() {
      const bus = new InMemoryServerEventBus()
      const client = yield* serveStdio(bus)
      yield* Effect.promise(() => client.initialize({}))
      bus.publish({ kind: "tools_list_changed" })
      yield* Effect.promise(() => client.received.find(isA(listChanged)))
    }))

  it.live("tells a client over stdio that is answered in rounds what it subscribed to", () =>
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

  it.live("declares neither where the server does not offer it", () =>
    Effect.gen(function*() {
      const server = yield* Layer.build(
        StreamableHttpServer.layer({ name: "fixture", version: "1.0.0", features, port: 0 })
      )
      const client = yield* connect(Context.get(server, StreamableHttpServer.Address).url)
      assert.deepStrictEqual(client.getServerCapabilities(), { tools: {} })
    }))

  it.effect("gives no request outside of handlers", () =>
    Effect.map(Effect.flatMap(CurrentRequest.CurrentRequest, Effect.succeed), (request) => assert.isUndefined(request)))
})
