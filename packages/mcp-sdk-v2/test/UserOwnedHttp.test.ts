/* oxlint-disable typescript/no-unsafe-type-assertion -- assertions look into what came over the wire */
import type { Era } from "@effect-sampling/mcp-suite/Adapter"
import { repeatLast } from "@effect-sampling/mcp-suite/outcomes"
import { ownHttp } from "@effect-sampling/mcp-suite/ownHttp"
import { makeTools } from "@effect-sampling/mcp-suite/tools"
import { assert, describe, it } from "@effect/vitest"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { createMcpHandler, McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server"
import { Effect } from "effect"
import type { Scope } from "effect"
import { adapter, newClient } from "./fixtures/adapter.ts"

type Fetch = (request: Request) => Promise<Response>

const makeServer = Effect.gen(function*() {
  const feature = yield* makeTools(adapter)
  return () => {
    const server = new McpServer({ name: "own", version: "1.0.0" })
    feature.install(server.server)
    return server
  }
})

/** The transport of SDK 2.x for clients up to MCP 2025-11-25, with one session. */
const withTransport = (json: boolean): Effect.Effect<Fetch> =>
  Effect.gen(function*() {
    const server = (yield* makeServer)()
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      enableJsonResponse: json
    })
    yield* Effect.promise(() => server.connect(transport))
    return (request) => transport.handleRequest(request)
  })

/** What the SDK recommends: a server for each request, for clients of every revision. */
const withHandler: Effect.Effect<Fetch> = Effect.map(makeServer, (make) => {
  const handler = createMcpHandler(make)
  return (request) => handler.fetch(request)
})

const connect = (fetch: Fetch, era: Era) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = newClient({ era, capabilities: { sampling: {} }, sample: repeatLast })
      await client.connect(
        new StreamableHTTPClientTransport(new URL("http://localhost/mcp"), {
          fetch: (url, init) => fetch(new Request(url, init))
        })
      )
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

const ask = (server: Effect.Effect<Fetch>, era: Era): Effect.Effect<Record<string, string>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* connect(yield* server, era)
    const result = yield* Effect.promise(() => client.callTool({ name: "ask", arguments: { prompt: "x" } }))
    return JSON.parse((result.content as ReadonlyArray<{ readonly text: string }>)[0]!.text)
  })

describe("An HTTP server of one's own", { timeout: 30_000 }, () => {
  ownHttp(adapter, (server) =>
    Effect.promise(async () => {
      const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => crypto.randomUUID() })
      await server.connect(transport)
      return (request) => transport.handleRequest(request)
    }))

  it.live("A server of the user's own with sessions reaches the client", () =>
    Effect.gen(function*() {
      assert.include((yield* ask(withTransport(false), "2025-11-25"))["ok"], "model: ")
    }))

  it.live("A server of the user's own with plain JSON responses fails an ask at once, and says why", () =>
    Effect.gen(function*() {
      const started = Date.now()
      const outcome = yield* ask(withTransport(true), "2025-11-25")
      assert.deepInclude(outcome, { failed: "SamplingUnsupported", missing: "backChannel" })
      assert.include(outcome["message"]!, "plain JSON")
      assert.notInclude(outcome["message"]!, "enableJsonResponse")
      assert.isBelow(Date.now() - started, 3000)
    }))

  it.live("A server made by createMcpHandler asks a client of 2026-07-28 in rounds", () =>
    Effect.gen(function*() {
      assert.include((yield* ask(withHandler, "2026-07-28"))["ok"], "model: ")
    }))

  it.live("A server made by createMcpHandler fails an ask of an older client at once, and says why", () =>
    Effect.gen(function*() {
      const started = Date.now()
      const outcome = yield* ask(withHandler, "2025-11-25")
      assert.deepInclude(outcome, { failed: "SamplingUnsupported", missing: "backChannel" })
      assert.include(outcome["message"]!, "without sessions")
      assert.notInclude(outcome["message"]!, "StreamableHttpServer")
      assert.isBelow(Date.now() - started, 3000)
    }))
})
