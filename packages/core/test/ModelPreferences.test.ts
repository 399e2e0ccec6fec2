import { ModelPreferences } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { oneOf } from "./fixtures/domain.ts"

const models: ReadonlyArray<ModelPreferences.Model> = [
  { name: "gpt-large", cost: 0.1, speed: 0.2, intelligence: 1 },
  { name: "gpt-small", cost: 0.9, speed: 0.8, intelligence: 0.3 },
  { name: "gpt-nano", cost: 1, speed: 1, intelligence: 0.1 },
  { name: "o9" }
]

const select = (preferences: ModelPreferences.ModelPreferences | undefined) =>
  ModelPreferences.select(preferences, models, "the-default")

const hints = (...names: ReadonlyArray<string>) => ModelPreferences.make(names)

// requirement: sampling/hints
// requirement: sampling/priorities
describe("ModelPreferences", () => {
  describe("make", () => {
    it("ModelPreferences.make accepts one hint, a list of hints, or the whole object", () => {
      const whole = { hints: [{ name: "a" }], costPriority: 1 }
      assert.deepStrictEqual(ModelPreferences.make("a"), { hints: [{ name: "a" }] })
      assert.deepStrictEqual(ModelPreferences.make(["a", "b"]), { hints: [{ name: "a" }, { name: "b" }] })
      assert.deepStrictEqual(ModelPreferences.make([]), { hints: [] })
      assert.strictEqual(ModelPreferences.make(whole), whole)
    })
  })

  describe("select", () => {
    it("the default model is selected without preferences", () => {
      assert.strictEqual(select(undefined), "the-default")
      assert.strictEqual(select({}), "the-default")
      assert.strictEqual(select({ hints: [] }), "the-default")
    })

    it("the first hint that is part of a model's name selects it, in any letter case", () => {
      assert.strictEqual(select(hints("claude", "SMALL", "large")), "gpt-small")
    })

    it("the default model is selected when no hint matches and there are no priorities", () => {
      assert.strictEqual(select(hints("claude", "gemini")), "the-default")
    })

    it("a hint that is longer than a model's name does not match it", () => {
      assert.strictEqual(select(hints("gpt-large-2026")), "the-default")
    })

    it("hints that are empty or have no name are skipped", () => {
      assert.strictEqual(select({ hints: [{}, { name: "" }, { name: "nano" }] }), "gpt-nano")
    })

    it("a hint prefers the model of exactly its name to one whose name contains it", () => {
      const offered = [{ name: "gpt-5-mini", cost: 1 }, { name: "GPT-5", cost: 0 }]
      assert.strictEqual(
        ModelPreferences.select({ hints: [{ name: "gpt-5" }], costPriority: 1 }, offered, "x"),
        "GPT-5"
      )
    })

    it("priorities choose among several models that match a hint", () => {
      assert.strictEqual(select({ ...hints("gpt"), costPriority: 1 }), "gpt-nano")
      assert.strictEqual(select({ ...hints("gpt"), intelligencePriority: 1 }), "gpt-large")
    })

    it("the first of several models that match a hint equally well is selected", () => {
      assert.strictEqual(select(hints("gpt")), "gpt-large")
    })

    it("priorities weigh cost, speed and intelligence when no hint matches", () => {
      assert.strictEqual(select({ costPriority: 1 }), "gpt-nano")
      assert.strictEqual(select({ speedPriority: 1 }), "gpt-nano")
      assert.strictEqual(select({ intelligencePriority: 1 }), "gpt-large")
      assert.strictEqual(select({ ...hints("claude"), costPriority: 0.3, intelligencePriority: 0.5 }), "gpt-large")
      assert.strictEqual(select({ costPriority: 0.5, speedPriority: 0.5, intelligencePriority: 0.9 }), "gpt-small")
    })

    it("the cost priority and the speed priority are not confused", () => {
      const offered = [{ name: "cheap", cost: 1, speed: 0 }, { name: "fast", cost: 0, speed: 1 }]
      assert.strictEqual(ModelPreferences.select({ speedPriority: 1 }, offered, "x"), "fast")
      assert.strictEqual(ModelPreferences.select({ costPriority: 1 }, offered, "x"), "cheap")
    })

    it("a missing grade of a model counts as 0.5", () => {
      const offered = [{ name: "a", cost: 0.4 }, { name: "b", speed: 0 }]
      assert.strictEqual(ModelPreferences.select({ costPriority: 1 }, offered, "x"), "b")
    })

    it("the default model is selected when priorities cannot distinguish models without grades", () => {
      assert.strictEqual(ModelPreferences.select({ costPriority: 1 }, [{ name: "a" }, { name: "b" }], "b"), "b")
      assert.strictEqual(ModelPreferences.select({ costPriority: 1 }, [], "x"), "x")
    })

    it("the default model is selected when every priority is 0", () => {
      assert.strictEqual(select({ costPriority: 0 }), "the-default")
      assert.strictEqual(select({ costPriority: 0, speedPriority: 0, intelligencePriority: 0 }), "the-default")
    })

    it("a priority above 0 decides when the others are 0", () => {
      assert.strictEqual(select({ costPriority: 0, intelligencePriority: 1 }), "gpt-large")
    })

    it.prop(
      "selection always returns an offered model or the default",
      [
        ModelPreferences.ModelPreferences,
        Schema.Array(
          Schema.Struct({ name: Schema.String, cost: Schema.optionalKey(Schema.Finite) })
        )
      ],
      ([preferences, offered]) => {
        const name = ModelPreferences.select(preferences, offered, "the-default")
        assert.isTrue(name === "the-default" || offered.some((model) => model.name === name))
      }
    )

    it.prop("a hint of any part of a name selects a model whose name contains it", [
      oneOf(models),
      Schema.Natural,
      Schema.Natural
    ], ([
      model,
      from,
      length
    ]) => {
      const start = from % model.name.length
      const hint = model.name.slice(start, start + 1 + length % model.name.length)
      assert.include(select(hints(hint)).toLowerCase(), hint)
    })
  })
})
