/** What is wrong in Effect 4.1's `McpServer` and concerns sampling. A test that fails here says that it is fixed. */
import { httpClient, webClient } from "@effect-sampling/mcp-suite/connect"
import { Journal } from "@effect-sampling/mcp-suite/Journal"
import { answer, outcomeOf } from "@effect-sampling/mcp-suite/RawClient"
import { overHttp } from "@effect-sampling/mcp-suite/RoundsClient"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer } from "effect"
import { McpSchema, McpServer } from "effect/ai"
import { adapter } from "./fixtures/adapter.ts"
import { serveHttp, stdioClient } from "./fixtures/servers.ts"

describe("upstream", { timeout: 30_000 }, () => {
  it.live("Effect's McpServer does not match an answer whose id came back as text", () =>
    Effect.gen(function*() {
      const client = yield* webClient(adapter, { askTimeout: 300 })
      const outcome = yield* Effect.promise(() => client.askAndRespond("x", (id) => JSON.stringify(answer(String(id)))))
      assert.strictEqual(outcome.failed, "SamplingTimeout")
    }))

  it.live("Effect's McpServer refuses null for an absent member of a request, and of an answer", () =>
    Effect.gen(function*() {
      const client = yield* webClient(adapter, { askTimeout: 300 })
      const called = yield* Effect.promise(() => client.request("tools/call", { name: "log", arguments: null }))
      assert.strictEqual(called.error?.code, -32_602)
      const outcome = yield* Effect.promise(() =>
        client.askAndRespond(
          "x",
          (id) => JSON.stringify({ ...answer(id), result: { ...answer(id).result, _meta: null } })
        )
      )
      assert.strictEqual(outcome.failed, "InvalidResponse")
    }))

  it.live("Effect's McpServer refuses a malformed answer over HTTP without telling the ask", () =>
    Effect.gen(function*() {
      const client = yield* webClient(adapter, { askTimeout: 300 })
      const outcome = yield* Effect.promise(() =>
        client.askAndRespond("x", (id) => JSON.stringify({ jsonrpc: "2.0", id }))
      )
      assert.strictEqual(outcome.failed, "SamplingTimeout")
    }))

  it.live("Effect's McpServer lets calls in flight go on when the client has closed stdin", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({ askTimeout: 1000 })
      client.startTool("ask", { prompt: "left" })
      yield* Effect.promise(() => client.ask("left"))
      client.child.stdin!.end()
      yield* Effect.promise(() => client.event("ask ended"))
      assert.notInclude(client.stderr.entries, "ask interrupted")
      yield* Effect.promise(() => client.exited)
    }))

  it.live("Effect's McpServer loses what comes together with a line that is not JSON (stdio)", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      const lost = "lost"
      yield* Effect.promise(() => client.post(`garbage\n{"jsonrpc":"2.0","id":"${lost}","method":"ping"}`))
      const later = new Set<unknown>()
      const isAnswered = () => client.received.entries.some(({ id }) => later.has(id))
      // It reads again after half a second, or later on a busy machine.
      yield* Effect.sync(() => later.add(client.start("ping"))).pipe(
        Effect.andThen(Effect.sleep(100)),
        Effect.repeat({ until: isAnswered })
      )
      assert.isFalse(client.received.entries.some(({ id }) => id === lost))
    }))

  it.live("Effect's McpServer loses an answer that is nested deeply (stdio)", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({ askTimeout: 1000 })
      const call = client.startTool("ask", { prompt: "deep" })
      const { id } = yield* Effect.promise(() => client.ask("deep"))
      const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
      yield* Effect.promise(() => client.post(`{"jsonrpc":"2.0","id":${id},"result":{"content":${deep}}}`))
      const outcome = outcomeOf(yield* Effect.promise(() => client.response(call)))
      assert.strictEqual(outcome.failed, "SamplingTimeout")
    }))

  it.live("Effect's McpServer dies on an answer that its schemas refuse, so that no handler can recover", () =>
    Effect.gen(function*() {
      const exits = new Journal<Exit.Exit<unknown, unknown>>()
      const url = yield* serveHttp(registration((server) =>
        server.addTool({
          tool: new McpSchema.Tool({ name: "ask", inputSchema: { type: "object" } }),
          annotations: Context.empty(),
          handle: ({ prompt }) =>
            // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server gives it to handlers up to MCP 2025-11-25
            McpSchema.McpServerClient.use(({ getClient }) => getClient).pipe(
              Effect.flatMap((client) =>
                client.createMessage({
                  maxTokens: 1,
                  messages: [{ role: "user", content: McpSchema.TextContent.make({ text: prompt }) }]
                })
              ),
              Effect.scoped,
              Effect.exit,
              Effect.tap((exit) => Effect.sync(() => exits.add(exit))),
              Effect.as(new McpSchema.CallToolResult({ content: [{ type: "text", text: "{}" }] }))
            ) as Effect.Effect<McpSchema.CallToolResult>
        })
      ))
      const client = yield* httpClient(url)
      yield* Effect.promise(() => client.askAndRespond("x", (id) => JSON.stringify({ jsonrpc: "2.0", id, result: {} })))
      const exit = yield* Effect.promise(() => exits.find(() => true))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    }))

  it.live("Effect's McpServer cannot ask on behalf of a resource over MCP 2026-07-28", () =>
    Effect.gen(function*() {
      const url = yield* serveHttp(registration((server) =>
        server.addResource({
          resource: new McpSchema.Resource({ uri: "file:///x", name: "x" }),
          annotations: Context.empty(),
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the type should allow
          handle: Effect.succeed(new McpSchema.InputRequired({ requestState: "x" }) as unknown as typeof noContents)
        })
      ))
      const reply = yield* Effect.promise(() =>
        overHttp(url)({ method: "resources/read", params: { uri: "file:///x" } })
      )
      assert.strictEqual(reply.error?.code, -32_603)
    }))
})

const noContents = { contents: [] }

const registration = (register: (server: McpServer.McpServer["Service"]) => Effect.Effect<void>) =>
  Layer.effectDiscard(McpServer.McpServer.use(register))
