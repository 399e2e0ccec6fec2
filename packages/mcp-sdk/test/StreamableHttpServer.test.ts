import { ClientConnection } from "@effect-sampling/core"
import { StreamableHttpServer } from "@effect-sampling/mcp-sdk"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Duration, Effect, Exit, Layer, Scope } from "effect"
import * as Http from "node:http"
import { Journal } from "./fixtures/Journal.ts"
import { answer, HttpClient, isAsk, outcomeOf, textOf } from "./fixtures/RawClient.ts"
import { httpClient, sampling } from "./fixtures/scoped.ts"
import { makeTools } from "./fixtures/tools.ts"

type Settings = Partial<StreamableHttpServer.Options<never, never>>

const layerOf = (settings: Settings, tell: (event: string) => void) =>
  StreamableHttpServer.layer({
    name: "fixture",
    version: "1.0.0",
    port: 0,
    shutdownGrace: 100,
    features: [makeTools(tell)],
    ...settings
  }).pipe(Layer.provide(Layer.succeed(ClientConnection.AskTimeout, Duration.seconds(30))))

const serve = Effect.fnUntraced(function*(settings: Settings = {}) {
  const events = new Journal<string>()
  const context = yield* Layer.build(layerOf(settings, events.add))
  const { port, url } = Context.get(context, StreamableHttpServer.Address)
  const event = (name: string, millis?: number) => Effect.promise(() => events.find((entry) => entry === name, millis))
  return { url, port, events, event }
})

const post = (client: HttpClient, message: unknown): Effect.Effect<Response> =>
  Effect.promise(() => client.post(typeof message === "string" ? message : JSON.stringify(message)))

/** As the client would, but with a response of its own. */
const fetchAs = (url: string, client: HttpClient, body: unknown): Promise<Response> =>
  fetch(url, { method: "POST", headers: client.headers(), body: JSON.stringify(body) })

const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.delay(until(condition), 10))

describe("StreamableHttpServer", { timeout: 30_000 }, () => {
  describe("the stream of an ask", () => {
    const check = (client: HttpClient) =>
      Effect.gen(function*() {
        const call = client.startTool("ask", { prompt: "stream" })
        const asked = yield* Effect.promise(() => client.ask("stream", 3000))
        assert.strictEqual(client.origins.get(asked), call)
        yield* post(client, answer(asked.id))
        assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
      })

    // requirement: transports/related-request
    it.live("is that of its call, for a client without a standalone stream", () =>
      Effect.gen(function*() {
        const { url } = yield* serve()
        yield* check(yield* httpClient(url))
      }))

    it.live("is that of its call, for a client with a standalone stream", () =>
      Effect.gen(function*() {
        const { url } = yield* serve()
        const client = yield* httpClient(url)
        assert.strictEqual((yield* Effect.promise(() => client.get())).status, 200)
        yield* check(client)
      }))

    it.live("is that of its call, when the standalone stream comes during the call", () =>
      Effect.gen(function*() {
        const { url } = yield* serve()
        const client = yield* httpClient(url)
        const call = client.startTool("ask", { prompt: "late" })
        const asked = yield* Effect.promise(() => client.ask("late"))
        yield* Effect.promise(() => client.get())
        yield* post(client, answer(asked.id))
        assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
      }))
  })

  describe("cancellation", () => {
    it.live("interrupts the call, cancels its ask at the client and ends its stream, the first of a session included", () =>
      Effect.gen(function*() {
        const { event, url } = yield* serve()
        const client = yield* httpClient(url)
        const call = client.startTool("ask", { prompt: "cancel" })
        const asked = yield* Effect.promise(() => client.ask("cancel"))
        assert.notStrictEqual(asked.id, 0)
        yield* Effect.promise(() => client.notify("notifications/cancelled", { requestId: call }))
        yield* event("ask interrupted", 1000)
        yield* Effect.promise(() =>
          client.received.find(
            ({ method, params }) => method === "notifications/cancelled" && params.requestId === asked.id,
            1000
          )
        )
        yield* Effect.promise(() => client.closed.find((id) => id === call, 1000))
        assert.isFalse(client.received.entries.some(({ id, method }) => id === call && method === undefined))
      }))

    it.live("of one request of a batch leaves the stream to the others", () =>
      Effect.gen(function*() {
        const { event, url } = yield* serve()
        const client = yield* httpClient(url)
        const tool = (id: number, name: string, parameters: object) => ({
          jsonrpc: "2.0",
          id,
          method: "tools/call",
          params: { name, arguments: parameters }
        })
        yield* post(client, [tool(101, "never", {}), tool(102, "ask", { prompt: "batch" })])
        const asked = yield* Effect.promise(() => client.ask("batch"))
        yield* Effect.promise(() => client.notify("notifications/cancelled", { requestId: 101 }))
        yield* event("never interrupted")
        yield* post(client, answer(asked.id))
        assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(102))).ok, "hello")
      }))

    // requirement: transports/delete
    it.live("DELETE interrupts the calls of its session only", () =>
      Effect.gen(function*() {
        const { event, events, url } = yield* serve()
        const client = yield* httpClient(url)
        const other = yield* httpClient(url)
        client.startTool("never")
        const call = other.startTool("ask", { prompt: "other" })
        const asked = yield* Effect.promise(() => other.ask("other"))
        yield* event("never started")
        assert.strictEqual((yield* Effect.promise(() => client.delete())).status, 200)
        yield* event("never interrupted", 1000)
        assert.notInclude(events.entries, "ask interrupted")
        yield* post(other, answer(asked.id))
        assert.strictEqual(outcomeOf(yield* Effect.promise(() => other.response(call))).ok, "hello")
        assert.strictEqual((yield* post(client, { jsonrpc: "2.0", id: 9, method: "ping" })).status, 404)
      }))
  })

  describe("a dropped stream", () => {
    // requirement: transports/disconnection
    it.live("does not cancel the call: its pending ask fails with ConnectionLost after the grace, not before", () =>
      Effect.gen(function*() {
        const { event, events, url } = yield* serve({ lostStreamGrace: 600 })
        const client = yield* httpClient(url)
        const call = client.startTool("ask", { prompt: "dropped" })
        yield* Effect.promise(() => client.ask("dropped"))
        const dropped = Date.now()
        client.streams.get(call)!.abort()
        yield* event("ask ended")
        assert.isAtLeast(Date.now() - dropped, 550)
        assert.isBelow(Date.now() - dropped, 3000)
        assert.notInclude(events.entries, "ask interrupted")
      }))

    it.live("fails asks that are made during and after the grace", () =>
      Effect.gen(function*() {
        const { event, events, url } = yield* serve({ lostStreamGrace: 300 })
        const client = yield* httpClient(url)
        for (const millis of [150, 900]) {
          const call = client.startTool("askAfter", { millis })
          yield* event("askAfter started")
          client.streams.get(call)!.abort()
          const result = yield* Effect.promise(() => events.find((entry) => entry.startsWith("askAfter result"), 5000))
          assert.include(result, "ConnectionLost")
          events.entries.length = 0
        }
      }))

    it.live("still lets an answer count that is posted within the grace", () =>
      Effect.gen(function*() {
        const { event, events, url } = yield* serve({ lostStreamGrace: 5000 })
        const client = yield* httpClient(url)
        const call = client.startTool("askAfter", { millis: 0 })
        const asked = yield* Effect.promise(() => client.ask("late"))
        client.streams.get(call)!.abort()
        // The server has noticed when the stream is closed at its side; a ping takes longer than that.
        yield* Effect.promise(() => client.request("ping"))
        yield* post(client, answer(asked.id, "in time"))
        yield* event("askAfter ended", 2000)
        assert.isTrue(events.entries.some((entry) => entry.includes("in time")))
      }))
  })

  describe("many clients", () => {
    it.live("keep their own capabilities and answers", () =>
      Effect.gen(function*() {
        const { url } = yield* serve()
        yield* Effect.forEach(
          Array.from({ length: 50 }, (_, index) => index),
          Effect.fnUntraced(function*(index) {
            const client = yield* httpClient(url, index % 5 === 0 ? {} : index % 2 === 0 ? { sampling: {} } : sampling)
            const calls = [0, 1, 2].map((n) => client.startTool("ask", { prompt: `session ${index} call ${n}.` }))
            const withTools = client.startTool("askWithTools", { prompt: `session ${index} tools.` })
            const respond = (text: string) =>
              Effect.promise(() => client.ask(text)).pipe(
                Effect.flatMap((asked) => post(client, answer(asked.id, `answer to ${text}`)))
              )
            if (index % 5 !== 0) {
              yield* Effect.forEach([2, 0, 1], (n) => respond(`session ${index} call ${n}.`))
              if (index % 2 !== 0) yield* respond(`session ${index} tools.`)
            }
            for (const [n, call] of calls.entries()) {
              const outcome = outcomeOf(yield* Effect.promise(() => client.response(call)))
              if (index % 5 === 0) assert.strictEqual(outcome.missing, "sampling")
              else assert.strictEqual(outcome.ok, `answer to session ${index} call ${n}.`)
            }
            const outcome = outcomeOf(yield* Effect.promise(() => client.response(withTools)))
            if (index % 5 === 0) assert.strictEqual(outcome.missing, "sampling")
            else if (index % 2 === 0) assert.strictEqual(outcome.missing, "sampling.tools")
            else assert.strictEqual(outcome.ok, "answered")
            const foreign = client.received.entries.filter((message) =>
              isAsk(message) && !JSON.stringify(message.params).includes(`session ${index} `)
            )
            assert.deepStrictEqual(foreign, [])
          }),
          { concurrency: "unbounded", discard: true }
        )
      }))

    it.live("all get a session when they come at once, up to the limit; one more gets 503", () =>
      Effect.gen(function*() {
        const { url } = yield* serve({ maxSessions: 20 })
        const clients = yield* Effect.all(Array.from({ length: 20 }, () => httpClient(url)), {
          concurrency: "unbounded"
        })
        assert.strictEqual(new Set(clients.map(({ sessionId }) => sessionId)).size, 20)
        const late = new HttpClient(url)
        const initialize = { jsonrpc: "2.0", id: 1, method: "initialize", params: initializeParams }
        assert.strictEqual((yield* post(late, initialize)).status, 503)
        yield* Effect.promise(() => clients[0]!.delete())
        assert.strictEqual((yield* post(late, initialize)).status, 200)
      }))

    it.live("lose a session that they do not use, but not one with a call", () =>
      Effect.gen(function*() {
        const { event, url } = yield* serve({ sessionIdleTimeout: 300 })
        const idle = yield* httpClient(url)
        const busy = yield* httpClient(url)
        busy.startTool("never")
        yield* event("never started")
        const ping = (client: HttpClient) => post(client, { jsonrpc: "2.0", id: 77, method: "ping" })
        yield* Effect.sleep(1000)
        assert.strictEqual((yield* ping(idle)).status, 404)
        assert.strictEqual((yield* ping(busy)).status, 200)
      }))
  })

  describe("requests that are wrong", () => {
    const statusOf = (port: number, options: Http.RequestOptions) =>
      Effect.callback<{ readonly status: number; readonly allow: string | undefined }>((resume) => {
        const request = Http.request({ host: "127.0.0.1", port, path: "/mcp", ...options }, (response) => {
          response.resume()
          resume(Effect.succeed({ status: response.statusCode!, allow: response.headers.allow }))
        })
        request.end(options.method === "POST" ? "{}" : undefined)
      })

    // requirement: transports/origin
    it.live("are refused by path, Host and Origin", () =>
      Effect.gen(function*() {
        const { port } = yield* serve({ allowedOrigins: ["https://app.example"] })
        const status = (options: Http.RequestOptions) =>
          Effect.map(statusOf(port, { method: "POST", ...options }), (response) => response.status)
        assert.strictEqual(yield* status({ path: "/" }), 404)
        assert.strictEqual(yield* status({ path: "/mcp/x" }), 404)
        assert.strictEqual(yield* status({ path: "/mcp?x=1" }), 400)
        for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "%"]) {
          assert.strictEqual(yield* status({ headers: { host } }), 403, host)
        }
        for (const host of ["localhost", `localhost:${port}`, `127.0.0.1:${port}`, "[::1]:1"]) {
          assert.strictEqual(yield* status({ headers: { host } }), 400, host)
        }
        for (const origin of ["https://evil.example", "null", `https://127.0.0.1:${port}`]) {
          assert.strictEqual(yield* status({ headers: { origin } }), 403, origin)
        }
        for (const origin of ["https://app.example", `http://127.0.0.1:${port}`]) {
          assert.strictEqual(yield* status({ headers: { origin } }), 400, origin)
        }
      }))

    it.live("are refused by method", () =>
      Effect.gen(function*() {
        const { port } = yield* serve()
        for (const method of ["PUT", "PATCH", "OPTIONS", "HEAD"]) {
          const { allow, status } = yield* statusOf(port, { method })
          assert.strictEqual(status, 405)
          assert.strictEqual(allow, "GET, POST, DELETE")
        }
        assert.strictEqual((yield* statusOf(port, { method: "GET" })).status, 400)
        assert.strictEqual((yield* statusOf(port, { method: "DELETE" })).status, 400)
      }))

    it.live("are refused by body, and leave the session alive", () =>
      Effect.gen(function*() {
        const { url } = yield* serve()
        const client = yield* httpClient(url)
        for (
          const body of ["", "{", "null", "5", "{}", "[1]", "[]", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}"]
        ) {
          const { status } = yield* post(client, body)
          assert.include(body === "[]" ? [202, 400] : [400], status, body)
        }
        const again = yield* post(client, { jsonrpc: "2.0", id: 50, method: "initialize", params: initializeParams })
        assert.strictEqual(again.status, 400)
        assert.deepStrictEqual((yield* Effect.promise(() => client.request("ping"))).result, {})
      }))

    // requirement: transports/session
    it.live("are refused without a known session", () =>
      Effect.gen(function*() {
        const { url } = yield* serve()
        const ping = { jsonrpc: "2.0", id: 1, method: "ping" }
        const stranger = new HttpClient(url)
        assert.strictEqual((yield* post(stranger, ping)).status, 400)
        stranger.sessionId = "guess"
        assert.strictEqual((yield* post(stranger, ping)).status, 404)
        assert.strictEqual((yield* Effect.promise(() => stranger.delete())).status, 404)
      }))

    it.live("an initialize request that the transport refuses leaves no session behind", () =>
      Effect.gen(function*() {
        const { url } = yield* serve({ maxSessions: 1 })
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: initializeParams })
        const refused = yield* Effect.promise(() =>
          fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body })
        )
        assert.strictEqual(refused.status, 406)
        assert.strictEqual((yield* post(new HttpClient(url), body)).status, 200)
      }))

    // requirement: transports/request-id
    it.live("a request whose id belongs to a request that has not ended is refused, and nothing crosses", () =>
      Effect.gen(function*() {
        const { events, url } = yield* serve()
        const client = yield* httpClient(url)
        const call = client.startTool("ask", { prompt: "original" })
        const asked = yield* Effect.promise(() => client.ask("original"))
        const askTool = { name: "ask", arguments: { prompt: "second" } }
        for (
          const body of [
            { jsonrpc: "2.0", id: call, method: "tools/call", params: askTool },
            { jsonrpc: "2.0", id: call, method: "ping" },
            { jsonrpc: "2.0", id: call, method: "tools/list" },
            [{ jsonrpc: "2.0", id: 900, method: "ping" }, { jsonrpc: "2.0", id: call, method: "ping" }],
            [{ jsonrpc: "2.0", id: 901, method: "ping" }, { jsonrpc: "2.0", id: 901, method: "ping" }]
          ]
        ) {
          const refused = yield* Effect.promise(() => fetchAs(url, client, body))
          assert.strictEqual(refused.status, 400)
          const { error, id } = JSON.parse(yield* Effect.promise(() => refused.text()))
          assert.isNull(id)
          assert.strictEqual(error.code, -32_600)
          assert.include(error.message, "belongs to a request that has not ended")
        }
        assert.lengthOf(client.received.entries.filter(isAsk), 1)
        yield* post(client, answer(asked.id))
        assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
        assert.lengthOf(events.entries.filter((event) => event === "ask started"), 1)
        const again = yield* Effect.promise(() => fetchAs(url, client, { jsonrpc: "2.0", id: call, method: "ping" }))
        assert.strictEqual(again.status, 200)
        assert.include(yield* Effect.promise(() => again.text()), "\"result\":{}")
      }))

    it.live("a request with the id of a call that runs on without its stream is refused until the call ends", () =>
      Effect.gen(function*() {
        const { event, url } = yield* serve({ lostStreamGrace: 50 })
        const client = yield* httpClient(url)
        const call = client.startTool("never")
        yield* event("never started")
        client.streams.get(call)!.abort()
        const ping = Effect.promise(() => fetchAs(url, client, { jsonrpc: "2.0", id: call, method: "ping" }))
        yield* Effect.sleep(200)
        assert.strictEqual((yield* ping).status, 400)
        yield* Effect.promise(() => client.notify("notifications/cancelled", { requestId: call }))
        yield* event("never interrupted")
        yield* Effect.sleep(10)
        assert.strictEqual((yield* ping).status, 200)
      }))

    describe("with other credentials than those that opened the session", () => {
      // requirement: transports/session-principal
      it.live("do not find the session: calls, answers, streams and DELETE", () =>
        Effect.gen(function*() {
          const { url } = yield* serve()
          for (const [own, foreign] of [["Bearer a", "Bearer b"], ["Bearer a", undefined], [undefined, "Bearer b"]]) {
            const client = new HttpClient(url)
            client.authorization = own
            yield* Effect.promise(() => client.initialize(sampling))
            const call = client.startTool("ask", { prompt: "mine" })
            const asked = yield* Effect.promise(() => client.ask("mine"))
            const thief = new HttpClient(url)
            thief.authorization = foreign
            thief.sessionId = client.sessionId
            assert.strictEqual((yield* post(thief, { jsonrpc: "2.0", id: 70, method: "tools/list" })).status, 404)
            assert.notStrictEqual((yield* post(thief, answer(asked.id, "forged"))).status, 202)
            const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: call } }
            assert.strictEqual((yield* post(thief, cancel)).status, 404)
            assert.strictEqual((yield* Effect.promise(() => thief.get())).status, 404)
            assert.strictEqual((yield* Effect.promise(() => thief.delete())).status, 404)
            yield* post(client, answer(asked.id, "mine"))
            assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "mine")
            assert.strictEqual((yield* Effect.promise(() => client.delete())).status, 200)
          }
        }))

      it.live("find it where `Principal` says that the caller is the same", () =>
        Effect.gen(function*() {
          const context = yield* Layer.build(
            layerOf({}, () => {}).pipe(
              Layer.provide(
                Layer.succeed(ClientConnection.Principal, ({ header }) => header("Authorization")?.split(".")[0])
              )
            )
          )
          const client = new HttpClient(Context.get(context, StreamableHttpServer.Address).url)
          client.authorization = "ada.token-1"
          yield* Effect.promise(() => client.initialize(sampling))
          client.authorization = "ada.token-2"
          assert.deepStrictEqual((yield* Effect.promise(() => client.request("ping"))).result, {})
          client.authorization = "eve.token-1"
          assert.strictEqual((yield* post(client, { jsonrpc: "2.0", id: 70, method: "ping" })).status, 404)
        }))
    })
  })

  describe("shutdown", () => {
    it.live("lets calls in flight be answered, refuses new ones, and frees the port", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const events = new Journal<string>()
        const context = yield* Layer.buildWithScope(layerOf({ shutdownGrace: "10 seconds" }, events.add), scope)
        const { port, url } = Context.get(context, StreamableHttpServer.Address)
        const client = yield* httpClient(url)
        yield* Effect.promise(() => client.get())
        const call = client.startTool("ask", { prompt: "last" })
        const asked = yield* Effect.promise(() => client.ask("last"))
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        const refused = yield* post(client, { jsonrpc: "2.0", id: 60, method: "tools/list" })
        assert.strictEqual(refused.status, 503)
        const started = Date.now()
        yield* post(client, answer(asked.id))
        assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
        yield* Effect.promise(() => client.closed.find((id) => id === call))
        yield* until(() => closing.pollUnsafe() !== undefined)
        assert.isBelow(Date.now() - started, 2000)
        const again = yield* serve({ port })
        assert.strictEqual(again.port, port)
      }))

    it.live("interrupts the calls that outlast the grace, and tells their clients", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const events = new Journal<string>()
        const context = yield* Layer.buildWithScope(layerOf({}, events.add), scope)
        const client = yield* httpClient(Context.get(context, StreamableHttpServer.Address).url)
        const call = client.startTool("never")
        yield* Effect.promise(() => events.find((entry) => entry === "never started"))
        yield* Scope.close(scope, Exit.void)
        assert.include(events.entries, "never interrupted")
        const response = yield* Effect.promise(() => client.response(call))
        assert.include(textOf(response), "shutting down")
      }))

    it.live("delivers a large result that was ready before the sockets close", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(layerOf({ shutdownGrace: "5 seconds" }, () => {}), scope)
        const client = yield* httpClient(Context.get(context, StreamableHttpServer.Address).url)
        const call = client.startTool("ask", { prompt: "large" })
        const asked = yield* Effect.promise(() => client.ask("large"))
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* post(client, answer(asked.id, "x".repeat(3_000_000)))
        const response = yield* Effect.promise(() => client.response(call))
        assert.strictEqual(outcomeOf(response).ok!.length, 3_000_000)
        yield* until(() => closing.pollUnsafe() !== undefined)
      }))

    it.live("two tools of one name are a defect of the Layer, not of each session", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(serve({ features: [makeTools(() => {}), makeTools(() => {})] }))
        assert.isTrue(Exit.isFailure(exit))
        assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "already has a tool named")
      }))

    it.live("fails with ListenError when the port is taken", () =>
      Effect.gen(function*() {
        const { port } = yield* serve()
        const error = yield* Effect.flip(serve({ port }))
        assert.strictEqual(error._tag, "ListenError")
        assert.strictEqual(error.port, port)
        assert.include(error.message, String(port))
      }))
  })
})

const initializeParams = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "raw", version: "1.0.0" }
}
