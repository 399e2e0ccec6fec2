/**
 * Calls the tool from an official client of each era, prints the asks on the wire, and checks that both clients got the same
 * result.
 */
import { StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import * as Assert from "node:assert"
import { connect, type Revision } from "./client.ts"
import { server } from "./program.ts"
import * as Transcript from "./transcript.ts"

const planDinner = Effect.fnUntraced(function*(revision: Revision) {
  const { url } = yield* StreamableHttpServer.Address
  const { client, messages } = yield* connect(url, revision)
  Assert.strictEqual(client.getNegotiatedProtocolVersion(), revision)
  const { structuredContent } = yield* Effect.promise(() =>
    client.callTool({ name: "plan_dinner", arguments: { season: "autumn" } })
  )
  return { result: structuredContent, ...Transcript.read(messages) }
}, Effect.scoped)

const main = Effect.gen(function*() {
  const push = yield* planDinner("2025-11-25")
  yield* Console.log("\nMCP 2025-11-25: the server asks, and the call waits")
  yield* Console.log(Transcript.format(push.turns))
  yield* Console.log(`  calls: ${push.calls}, result: ${JSON.stringify(push.result)}`)

  const rounds = yield* planDinner("2026-07-28")
  yield* Console.log("\nMCP 2026-07-28: the call ends with asks, and the client repeats it with the answers")
  yield* Console.log(Transcript.format(rounds.turns))
  yield* Console.log(`  calls: ${rounds.calls}, result: ${JSON.stringify(rounds.result)}`)

  Assert.deepStrictEqual(push.result, {
    dish: "pumpkin risotto",
    wine: "Soave",
    dessert: "baked apple",
    invitation: "Come for risotto, all six of you!"
  })
  Assert.deepStrictEqual(rounds.result, push.result)
  Assert.strictEqual(push.calls, 1)
  Assert.strictEqual(rounds.calls, 5)
  Assert.deepStrictEqual(rounds.turns.map(({ asked }) => asked.length), [1, 2, 1, 1])
  Assert.deepStrictEqual(rounds.turns.slice(2).map(({ asked }) => asked[0]?.key), ["guests", "invitation"])
  yield* Console.log("\nBoth got the same dinner.")
}).pipe(Effect.provide(server))

NodeRuntime.runMain(main)
