/* oxlint-disable typescript/no-unsafe-type-assertion -- assertions look into what came over the wire */
import { Feature } from "@effect-sampling/mcp-sdk"
import { ownHttp } from "@effect-sampling/mcp-suite/ownHttp"
import { makeTools } from "@effect-sampling/mcp-suite/tools"
import { assert, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js"
import { CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { adapter } from "./fixtures/adapter.ts"

interface Options {
  readonly sessions: boolean
  readonly json: boolean
}

/** An HTTP server that its user wrote with the SDK; only the tools are ours. */
const serve = ({ json, sessions }: Options) =>
  Effect.gen(function*() {
    const connect = () =>
      Effect.gen(function*() {
        const server = new McpServer({ name: "own", version: "1.0.0" })
        yield* Feature.register(server, makeTools(adapter))
        const transport = new StreamableHTTPServerTransport({
          ...(sessions && { sessionIdGenerator: () => randomUUID() }),
          enableJsonResponse: json
        })
        yield* Effect.promise(() => server.connect(transport as Parameters<McpServer["connect"]>[0]))
        return transport
      })
    const shared = sessions ? yield* connect() : undefined
    const http = Http.createServer((request, response) => {
      const transport = shared === undefined ? Effect.runPromise(connect()) : Promise.resolve(shared)
      void transport.then((it) => it.handleRequest(request, response))
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        http.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          http.closeAllConnections()
          http.close()
        })
    )
    return new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
  })

const connectClient = (url: URL) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ name: "official", version: "1.0.0" }, { capabilities: { sampling: {} } })
      client.setRequestHandler(CreateMessageRequestSchema, () => ({
        role: "assistant" as const,
        content: { type: "text" as const, text: "from the client" },
        model: "m"
      }))
      await client.connect(new StreamableHTTPClientTransport(url))
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

const ask = (options: Options) =>
  Effect.gen(function*() {
    const client = yield* connectClient(yield* serve(options))
    const result = yield* Effect.promise(() => client.callTool({ name: "ask", arguments: { prompt: "x" } }))
    return JSON.parse((result.content as ReadonlyArray<{ readonly text: string }>)[0]!.text)
  })

describe("An HTTP server of one's own", { timeout: 30_000 }, () => {
  ownHttp(adapter, (server) =>
    Effect.promise(async () => {
      const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: randomUUID })
      await server.connect(transport)
      return (request) => transport.handleRequest(request)
    }))

  it.live("A server of the user's own with sessions reaches the client", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* ask({ sessions: true, json: false }), { ok: "from the client" })
    }))

  it.live("A server of the user's own without sessions fails an ask at once, and says why", () =>
    Effect.gen(function*() {
      const started = Date.now()
      const outcome = yield* ask({ sessions: false, json: false })
      assert.deepInclude(outcome, { failed: "SamplingUnsupported", missing: "backChannel" })
      assert.include(outcome.message, "without sessions")
      assert.notInclude(outcome.message, "StreamableHttpServer")
      assert.isBelow(Date.now() - started, 3000)
    }))

  it.live("A server of the user's own with plain JSON responses fails an ask at once, and says why", () =>
    Effect.gen(function*() {
      const started = Date.now()
      const outcome = yield* ask({ sessions: true, json: true })
      assert.deepInclude(outcome, { failed: "SamplingUnsupported", missing: "backChannel" })
      assert.include(outcome.message, "plain JSON")
      assert.notInclude(outcome.message, "enableJsonResponse")
      assert.isBelow(Date.now() - started, 3000)
    }))
})
