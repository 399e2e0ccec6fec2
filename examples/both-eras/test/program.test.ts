import { ClientConnection, TestSampler, ToolDispatch } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { handlers, Tools } from "../src/program.ts"

const userSays = (answer: object) =>
  Effect.provideService(ClientConnection.ClientConnection, {
    client: { name: "test", version: "1" },
    protocolVersion: undefined,
    capabilities: { elicitation: {} },
    unreachable: undefined,
    ask: (_, decode) => Effect.fromResult(decode(answer))
  })

const model = TestSampler.scripted(["risotto", "Soave", "baked apple", "Come!"])

const planDinner = Effect.gen(function*() {
  const dispatch = yield* ToolDispatch.make(Tools)
  return yield* dispatch.call("plan_dinner", { season: "autumn" })
})

describe("plan_dinner", () => {
  it.effect("plan_dinner asks the model four times and the user once", () =>
    Effect.gen(function*() {
      const { encodedResult } = yield* planDinner
      assert.deepStrictEqual(encodedResult, {
        dish: "risotto",
        wine: "Soave",
        dessert: "baked apple",
        invitation: "Come!"
      })
      const requests = yield* TestSampler.requests
      assert.match(JSON.stringify(requests[3]), /Invite 4 guests to risotto/)
    }).pipe(
      userSays({ action: "accept", content: { guests: 4 } }),
      Effect.provide(Layer.provideMerge(handlers, model))
    ))

  it.effect("plan_dinner fails with ElicitationDeclined and invites nobody when the user declines", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(planDinner)
      assert.strictEqual(error._tag, "ElicitationDeclined")
      assert.strictEqual((yield* TestSampler.requests).length, 3)
    }).pipe(
      userSays({ action: "decline" }),
      Effect.provide(Layer.provideMerge(handlers, model))
    ))
})
