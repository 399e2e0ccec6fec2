import { Sampler, SamplerLanguageModel, TestSampler } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { LanguageModel } from "effect/ai"

const Person = Schema.Struct({
  name: Schema.String,
  age: Schema.Int,
  tags: Schema.optionalKey(Schema.Array(Schema.String))
})

const ada = { name: "Ada", age: 36 }

const strict = JSON.stringify(ada)

const cases: Readonly<Record<string, string>> = {
  "a trailing comma": "{\"name\": \"Ada\", \"age\": 36,}",
  "a line comment": "{\n  // who\n  \"name\": \"Ada\",\n  \"age\": 36 // in 1851\n}",
  "a block comment": "{\"name\": /* who, {} */ \"Ada\", \"age\": 36}",
  "single quotes": "{'name': 'Ada', 'age': 36}",
  "typographic quotes": "{“name”: “Ada”, “age”: 36}",
  "names without quotes": "{name: \"Ada\", age: 36}",
  "text around it": `Here you are:\n${strict}\nAnything else?`,
  "text and a trailing comma": `Sure! {"name": "Ada", "age": 36,} Done.`,
  "a fence": `\`\`\`json\n${strict}\n\`\`\``,
  "a fence with a trailing comma": "```json\n{\"name\": \"Ada\", \"age\": 36,}\n```",
  "many brackets before it": `${Array.from({ length: 40 }, (_, i) => `[see ${i}] {x}`).join(" ")} ${strict}`,
  "many citations before it": `${Array.from({ length: 40 }, (_, i) => `claim [${i}]`).join(", ")}: ${strict}`,
  "many citations after it": `${strict} from ${Array.from({ length: 40 }, (_, i) => `[${i}]`).join(", ")}`,
  "a JSON string": JSON.stringify(strict),
  "a JSON string with a trailing comma inside": JSON.stringify("{\"name\": \"Ada\", \"age\": 36,}"),
  "a list of one": `[${strict}]`,
  "a list of one in a fence": `\`\`\`json\n[${strict}]\n\`\`\``,
  "a list of one string": JSON.stringify([strict]),
  "doubled braces": `{${strict}}`,
  "null for an absent member": "{\"name\": \"Ada\", \"age\": 36, \"tags\": None}"
}

describe("JSON that a model wrote with small mistakes", () => {
  for (const [what, reply] of Object.entries(cases)) {
    it.effect(`an object is found in JSON with ${what}`, () =>
      Effect.gen(function*() {
        const model = TestSampler.scripted([reply])
        const { value } = yield* Sampler.sampleObject(Person, "Who?", { maxRepairs: 0 }).pipe(Effect.provide(model))
        assert.deepStrictEqual(value, ada)
        const generated = yield* LanguageModel.generateObject({ schema: Person, prompt: "Who?" }).pipe(
          Effect.provide(Layer.provide(SamplerLanguageModel.layer, model))
        )
        assert.deepStrictEqual(generated.value, ada)
      }))
  }

  it.effect("a raw line break in a string is a part of it, and Python's constants are those of JSON", () =>
    Effect.gen(function*() {
      const Note = Schema.Struct({ text: Schema.String, done: Schema.Boolean, by: Schema.NullOr(Schema.String) })
      const { value } = yield* Sampler.sampleObject(Note, "Hi", { maxRepairs: 0 }).pipe(
        Effect.provide(TestSampler.scripted(["{'text': 'a\nb', 'done': True, 'by': None}"]))
      )
      assert.deepStrictEqual(value, { text: "a\nb", done: true, by: null })
    }))

  it.effect("a name such as __proto__ is a member like any other", () =>
    Effect.gen(function*() {
      const { value } = yield* Sampler.sampleObject(Schema.Record(Schema.String, Schema.Int), "Hi").pipe(
        Effect.provide(TestSampler.scripted(["{\"__proto__\": 1, \"a\": 2,}"]))
      )
      assert.strictEqual(Object.getPrototypeOf(value), Object.prototype)
      assert.strictEqual(value["a"], 2)
    }))

  it.effect("the model is told where its JSON breaks", () =>
    Effect.gen(function*() {
      const broken = {
        "{\n  \"name\": \"Ada\"\n  \"age\": 36\n}": "line 3, column 3, expected a comma or }",
        "{\"name\": Ada}": "line 1, column 10, expected a value",
        "So:\n{\"name\" \"Ada\"}": "line 2, column 9, expected a colon",
        "{\"name\": \"Ada\", \"age\": 3": "the text ends inside of one (line 1, column 25)",
        "no json": "It holds no complete JSON value"
      }
      for (const [reply, expected] of Object.entries(broken)) {
        const model = TestSampler.scripted([reply, strict])
        yield* Effect.gen(function*() {
          yield* Sampler.sampleObject(Person, "Who?")
          const [, repair] = yield* TestSampler.requests
          assert.include(JSON.stringify(repair?.messages), expected)
        }).pipe(Effect.provide(model))
      }
    }))

  it.effect("a part of an object that is broken or cut off is not taken for the object", () =>
    Effect.gen(function*() {
      for (const reply of [`{"inner": ${strict}, oops}`, `{"inner": ${strict}, "more": `, `[${strict}, ${strict}`]) {
        const error = yield* Effect.flip(Sampler.sampleObject(Person, "Who?", { maxRepairs: 0 })).pipe(
          Effect.provide(TestSampler.scripted([reply]))
        )
        assert.strictEqual(error._tag, "StructuredOutputError", reply)
      }
    }))
})
