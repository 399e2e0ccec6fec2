/**
 * Calls every feature from one client, whose scripted model calls a tool of the server before it answers.
 */
import { TestSampler } from "@effect-sampling/core"
import { SamplingClient, StreamableHttpServer } from "@effect-sampling/mcp-sdk"
import { NodeRuntime } from "@effect/platform-node"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { Console, Effect } from "effect"
import * as Assert from "node:assert"
import { adviser, bookshop } from "./program.ts"

const connect = Effect.gen(function*() {
  const client = new Client({ name: "customer", version: "1.0.0" })
  yield* SamplingClient.serve(client)
  const { url } = yield* StreamableHttpServer.Address
  yield* Effect.acquireRelease(
    Effect.promise(() => client.connect(new StreamableHTTPClientTransport(new URL(url)))),
    () => Effect.promise(() => client.close())
  )
  return client
})

const recommend = (client: Client, topic: string) =>
  Effect.map(
    Effect.promise(() => client.callTool({ name: "recommend", arguments: { topic } })),
    ({ content, isError }) => ({ content, isError })
  )

const text = (said: string) => [{ type: "text", text: said }]

const visitBookshop = Effect.gen(function*() {
  const client = yield* connect
  const { tools } = yield* Effect.promise(() => client.listTools())
  const names = tools.map(({ name }) => name)
  yield* Console.log(`bookshop: ${names.join(", ")}`)
  Assert.deepStrictEqual(names, ["find_books", "recommend"])

  const found = yield* Effect.promise(() => client.callTool({ name: "find_books", arguments: { topic: "cooking" } }))
  yield* Console.log(`  find_books  ${JSON.stringify(found.content)}`)
  Assert.deepStrictEqual(found.content, text("[\"Salt\",\"Heat\"]"))

  const book = yield* recommend(client, "cooking")
  yield* Console.log(`  recommend   ${JSON.stringify(book.content)}`)
  Assert.deepStrictEqual(book.content, text("[scripted model] Salt"))

  const { messages } = yield* Effect.promise(() => client.getPrompt({ name: "welcome" }))
  yield* Console.log(`  welcome     ${JSON.stringify(messages[0]?.content)}`)
  Assert.deepStrictEqual(messages[0]?.content, { type: "text", text: "[scripted model] Welcome!" })
}).pipe(
  Effect.scoped,
  Effect.provide([
    bookshop,
    TestSampler.scripted([
      {
        content: { type: "tool_use", id: "1", name: "find_books", input: { topic: "cooking" } },
        stopReason: "toolUse"
      },
      "[scripted model] Salt",
      "[scripted model] Welcome!"
    ])
  ])
)

const visitAdviser = Effect.gen(function*() {
  const nothing = yield* recommend(yield* connect, "sailing")
  yield* Console.log(`adviser:\n  recommend   ${JSON.stringify(nothing.content)}`)
  Assert.deepStrictEqual(nothing, { content: text("We have no book about sailing"), isError: true })
}).pipe(Effect.scoped, Effect.provide([adviser, TestSampler.scripted(["nothing"])]))

NodeRuntime.runMain(Effect.andThen(visitBookshop, visitAdviser))
