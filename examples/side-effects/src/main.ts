/**
 * Runs the tool three times and shows how often each side effect happened.
 */
import { StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import * as Assert from "node:assert"
import { connect } from "./client.ts"
import { server } from "./program.ts"
import * as Shop from "./Shop.ts"

const checkout = (revision: "2025-11-25" | "2026-07-28", tool: "checkout" | "careless_checkout") => {
  const counts: Shop.Counts = new Map()
  return Effect.gen(function*() {
    const { url } = yield* StreamableHttpServer.Address
    const { client, states } = yield* connect(url, revision)
    const result = yield* Effect.promise(() =>
      client.callTool({ name: tool, arguments: { order: "order 7", articles: ["lamp", "vase"] } })
    )
    Assert.ok(result.isError !== true, JSON.stringify(result.content))
    return { counts, states }
  }).pipe(
    Effect.scoped,
    Effect.provide(Layer.fresh(Layer.provide(server, Layer.succeed(Shop.Shop, Shop.make(counts)))))
  )
}

const main = Effect.gen(function*() {
  const waiting = yield* checkout("2025-11-25", "careless_checkout")
  const careless = yield* checkout("2026-07-28", "careless_checkout")
  const careful = yield* checkout("2026-07-28", "checkout")

  const row = (what: string, ...cells: ReadonlyArray<unknown>) =>
    Console.log(what.padEnd(24) + cells.map((cell) => String(cell).padEnd(14)).join("").trimEnd())
  yield* row("", "2025-11-25", "2026-07-28", "2026-07-28")
  yield* row("", "without once", "without once", "with once")
  for (const what of careful.counts.keys()) {
    yield* row(what, ...[waiting, careless, careful].map(({ counts }) => counts.get(what)))
  }
  yield* Console.log(`\nbytes of state, round by round: ${careful.states.join(", ")}`)

  const expected = {
    "reserve lamp": 1,
    "reserve vase": 1,
    "book a courier": 1,
    "pay for a translation": 1,
    "attempt to charge": 2,
    "charge the card": 1,
    "mail the customer": 1,
    "mail the warehouse": 1,
    "write the record": 1
  }
  Assert.deepStrictEqual(Object.fromEntries(careful.counts), expected)
  Assert.deepStrictEqual(Object.fromEntries(waiting.counts), expected)
  Assert.strictEqual(careless.counts.get("charge the card"), 3)
  Assert.strictEqual(careful.states.length, 5)
  Assert.ok(Math.max(...careful.states) < 4000)
})

NodeRuntime.runMain(main)
