/**
 * Bugs and limits of `McpServer` in Effect 4.1 that concern sampling. A test that fails here shows that Effect has
 * fixed one of them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer } from "effect"
import { McpSchema, McpServer } from "effect/ai"
import { Journal } from "../../mcp-sdk/test/fixtures/Journal.ts"
import { answer, outcomeOf } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { httpClient } from "../../mcp-sdk/test/fixtures/scoped.ts"
import { RoundsClient } from "./fixtures/RoundsClient.ts"
import { rawClient, serveHttp, stdioClient } from "./fixtures/servers.ts"

describe("Effect's McpServer", { timeout: 30_000 }, () => {
  it.live("Effect's McpServer does not match an answer whose id came back as a string", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ askTimeout: 300 })
      const outcome = yield* Effect.promise(() => client.askAndRespond("x", (id) => JSON.stringify(answer(String(id)))))
      assert.strictEqual(outcome.failed, "SamplingTimeout")
    }))

  it.live("Effect's McpServer refuses a malformed answer over HTTP without failing the ask", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ askTimeout: 300 })
      const outcome = yield* Effect.promise(() =>
        client.askAndRespond("x", (id) => JSON.stringify({ jsonrpc: "2.0", id }))
      )
      assert.strictEqual(outcome.failed, "SamplingTimeout")
    }))

  it.live("Effect's McpServer keeps calls in flight running after the client has closed stdin", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({ askTimeout: 1000 })
      client.startTool("ask", { prompt: "left" })
      yield* Effect.promise(() => client.ask("left"))
      client.child.stdin!.end()
      yield* Effect.promise(() => client.event("ask ended"))
      assert.notInclude(client.stderr.entries, "ask interrupted")
      yield* Effect.promise(() => client.exited)
    }))

  it.live("Effect's McpServer loses a message that arrives together with a line that is not JSON (stdio)", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      const lost = "lost"
      yield* Effect.promise(() => client.post(`garbage\n{"jsonrpc":"2.0","id":"${lost}","method":"ping"}`))
      const later = new Set<unknown>()
      const isAnswered = () => client.received.entries.some(({ id }) => later.has(id))
      // The server reads stdin again after half a second, or later on a busy machine.
      yield* Effect.sync(() => later.add(client.start("ping"))).pipe(
        Effect.andThen(Effect.sleep(100)),
        Effect.repeat({ until: isAnswered })
      )
      assert.isFalse(client.received.entries.some(({ id }) => id === lost))
    }))

  it.live("Effect's McpServer loses a deeply nested answer (stdio)", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({ askTimeout: 1000 })
      const call = client.startTool("ask", { prompt: "deep" })
      const { id } = yield* Effect.promise(() => client.ask("deep"))
      const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
      yield* Effect.promise(() => client.post(`{"jsonrpc":"2.0","id":${id},"result":{"content":${deep}}}`))
      const outcome = outcomeOf(yield* Effect.promise(() => client.response(call)))
      assert.strictEqual(outcome.failed, "SamplingTimeout")
    }))

  it.live("Effect's McpServer dies on an answer that its schemas refuse, so no handler can recover", () =>
    Effect.gen(function*() {
      const exits = new Journal<Exit.Exit<unknown, unknown>>()
      const url = yield* serveHttp(registration((server) =>
        server.addTool({
          tool: new McpSchema.Tool({ name: "ask", inputSchema: { type: "object" } }),
          annotations: Context.empty(),
          handle: ({ prompt }) =>
            // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server provides `McpServerClient` to handlers up to MCP 2025-11-25
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
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type should allow `InputRequired`
          handle: Effect.succeed(new McpSchema.InputRequired({ requestState: "x" }) as unknown as typeof noContents)
        })
      ))
      const reply = yield* Effect.promise(() => new RoundsClient(url).request("resources/read", { uri: "file:///x" }))
      assert.strictEqual(reply.error?.code, -32_603)
    }))
})

const noContents = { contents: [] }

const registration = (register: (server: McpServer.McpServer["Service"]) => Effect.Effect<void>) =>
  Layer.effectDiscard(McpServer.McpServer.use(register))
