import { TestSampler } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { recommend, Shelf } from "../src/program.ts"

const shelf = Layer.succeed(Shelf, { titles: (topic) => Effect.succeed([`All of ${topic}`]) })

describe("features", () => {
  it.effect("the model looks for books with the tool of the server", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* recommend({ topic: "stars" }), "All of stars")
      const [, second] = yield* TestSampler.requests
      assert.include(JSON.stringify(second?.messages.at(-1)), "All of stars")
    }).pipe(Effect.provide([
      shelf,
      TestSampler.scripted([
        {
          content: { type: "tool_use", id: "1", name: "find_books", input: { topic: "stars" } },
          stopReason: "toolUse"
        },
        "All of stars"
      ])
    ])))

  it.effect("a topic without books is an error that the client can read", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(recommend({ topic: "nothing" }))
      assert.strictEqual(error._tag, "NothingFound")
      assert.strictEqual(error.message, "We have no book about nothing")
    }).pipe(Effect.provide([shelf, TestSampler.scripted(["nothing"])])))
})
