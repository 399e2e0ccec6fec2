import { TestSampler, ToolDispatch } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { handlers, Ledger, Tools } from "../src/program.ts"

describe("write_story", () => {
  it.effect("write_story saves each chapter once", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const ledger = Layer.succeed(Ledger, { write: (what) => Effect.sync(() => void written.push(what)) })
      const story = yield* Effect.gen(function*() {
        const dispatch = yield* ToolDispatch.make(Tools)
        return yield* dispatch.call("write_story", { title: "T" })
      }).pipe(Effect.provide(handlers.pipe(
        Layer.provide(ledger),
        Layer.provide(TestSampler.scripted(["one", "two", "three"]))
      )))
      assert.strictEqual(story.encodedResult, "one two three")
      assert.deepStrictEqual(written, ["T: run", "T: save the storm", "T: save the lighthouse", "T: save the rescue"])
    }))
})
