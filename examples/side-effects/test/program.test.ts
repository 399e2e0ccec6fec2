import { ClientConnection, TestSampler, ToolDispatch } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { handlers, Tools } from "../src/program.ts"
import * as Shop from "../src/Shop.ts"

const checkout = (pay: boolean) => {
  const counts: Shop.Counts = new Map()
  return Effect.gen(function*() {
    const dispatch = yield* ToolDispatch.make(Tools)
    const outcome = yield* dispatch.call("checkout", { order: "order 7", articles: ["lamp"] })
    return { result: outcome.encodedResult, counts: Object.fromEntries(counts) }
  }).pipe(
    Effect.provideService(ClientConnection.ClientConnection, {
      client: undefined,
      protocolVersion: undefined,
      capabilities: { elicitation: {} },
      unreachable: undefined,
      ask: (_, decode) => Effect.fromResult(decode({ action: "accept", content: { pay } }))
    }),
    Effect.provide(handlers.pipe(
      Layer.provide(TestSampler.fromFunction((_, index) => Effect.succeed(`reply ${index}`))),
      Layer.provide(Layer.succeed(Shop.Shop, Shop.make(counts)))
    ))
  )
}

describe("checkout", () => {
  it.effect("checkout pays once although the bank fails at first", () =>
    Effect.gen(function*() {
      const { counts, result } = yield* checkout(true)
      assert.deepStrictEqual(result, { payment: "payment 1 of 10", text: "reply 2" })
      assert.deepStrictEqual(counts, {
        "reserve lamp": 1,
        "pay for a translation": 1,
        "attempt to charge": 2,
        "charge the card": 1,
        "mail the customer": 1,
        "mail the warehouse": 1,
        "write the record": 1
      })
    }))

  it.effect("checkout does not pay when the user says no", () =>
    Effect.gen(function*() {
      const { counts } = yield* checkout(false)
      assert.notProperty(counts, "attempt to charge")
    }))
})
