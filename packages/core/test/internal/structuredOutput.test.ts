import { danglingRefs } from "@effect-sampling/scenarios/checkRequests"
import { json } from "@effect-sampling/scenarios/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Exit, Schema } from "effect"
import { Tool } from "effect/ai"
import { jsonIn as allIn } from "../../src/internal/objects/jsonIn.ts"
import { inputSchema } from "../../src/internal/objects/jsonSchema.ts"
import { decodeText, makeTarget } from "../../src/internal/objects/structuredOutput.ts"
import { oneOf } from "../fixtures/domain.ts"

class Leaf extends Schema.Class<Leaf>("test/a~b/Leaf")({ name: Schema.String, at: Schema.DateFromString }) {}

interface Nested {
  readonly leaf: Leaf
  readonly more: ReadonlyArray<Nested>
}
const Nested: Schema.Codec<Nested, unknown> = Schema.Struct({
  leaf: Leaf,
  more: Schema.Array(Schema.suspend((): Schema.Codec<Nested, unknown> => Nested))
}).annotate({ identifier: "test/Nested" })

const leaves: ReadonlyArray<Schema.Codec<unknown, unknown>> = [
  Schema.String,
  Schema.Finite,
  Schema.Int,
  Schema.Boolean,
  Schema.Null,
  Schema.Literals(["a", "b"]),
  Schema.DateFromString,
  Schema.Date,
  Schema.BigInt,
  Leaf,
  Nested
]

const wrappers: ReadonlyArray<(schema: Schema.Codec<unknown, unknown>) => Schema.Codec<unknown, unknown>> = [
  (schema) => schema,
  (schema) => Schema.Array(schema),
  (schema) => Schema.Struct({ value: schema, other: Schema.optionalKey(schema) }),
  (schema) => Schema.Struct({ "a/b~c": schema }).annotate({ identifier: "with/slashes and ~" }),
  (schema) => Schema.Union([Schema.Struct({ _tag: Schema.tag("A"), schema }), Schema.String]),
  (schema) => Schema.NullOr(schema),
  (schema) => Schema.Record(Schema.String, schema),
  (schema) => Schema.Tuple([schema, schema]),
  (schema) => Schema.Option(schema)
]

/** An arbitrary schema: a leaf inside two wrappers. */
const anySchema: Arbitrary.Arbitrary<Schema.Codec<unknown, unknown>> = oneOf(
  leaves.flatMap((leaf) => wrappers.flatMap((inner) => wrappers.map((outer) => outer(inner(leaf)))))
)

/** A tool whose parameters have the given schema. */
const toolOf = (parameters: Schema.Constraint): Tool.Any =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the types require a struct
  Tool.make("t", { parameters: parameters as Schema.Struct<{}> })

describe("structuredOutput", () => {
  it.effect.prop(
    "the JSON Schema of every target has an object at its root, and its references resolve",
    [anySchema],
    ([schema]) =>
      Effect.sync(() => {
        const { jsonSchema } = makeTarget(schema)
        assert.strictEqual(jsonSchema["type"], "object")
        assert.notProperty(jsonSchema, "$ref")
        assert.deepStrictEqual(danglingRefs(jsonSchema), [])
        assert.deepStrictEqual(danglingRefs(inputSchema(toolOf(schema))), [])
      })
  )

  it.effect.prop(
    "an encoded value decodes in the requested wrapping, bare, and in a text",
    [Arbitrary.flatMap(anySchema, (schema) => Arbitrary.map(Arbitrary.schema(schema), (value) => ({ schema, value })))],
    ([{ schema, value }]) =>
      Effect.gen(function*() {
        const target = makeTarget(schema)
        const codec = Schema.toCodecJson(schema)
        // JSON has no -0.
        const encoded: unknown = json(yield* Effect.orDie(Schema.encodeEffect(codec)(value)))
        const wraps = JSON.stringify(target.jsonSchema["required"]) === "[\"value\"]" &&
          target.jsonSchema["additionalProperties"] === false
        const asked = wraps ? { value: encoded } : encoded
        const again = Schema.encodeEffect(codec)
        assert.deepStrictEqual(yield* Effect.flatMap(target.decode(asked), again), encoded)
        const text = `Sure:\n\`\`\`json\n${JSON.stringify(asked, null, 2)}\n\`\`\``
        assert.deepStrictEqual(yield* Effect.flatMap(decodeText(target, text), again), encoded)
      })
  )

  it.effect.prop(
    "arbitrary JSON decodes, or fails with a text of less than 3000 characters",
    [anySchema, Schema.Json],
    ([schema, given]) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(makeTarget(schema).decode(given))
        if (Exit.isFailure(exit)) {
          const [reason] = exit.cause.reasons
          assert.isTrue(reason?._tag === "Fail" && reason.error.length > 0 && reason.error.length < 3000)
        }
      })
  )

  it("an object schema is not wrapped, under any identifier", () => {
    for (const identifier of ["plain", "a/b", "a~b", "with spaces", "100%", "ü", "#/$defs/x"]) {
      interface Self {
        readonly self: ReadonlyArray<Self>
      }
      const Self: Schema.Codec<Self> = Schema.Struct({
        self: Schema.Array(Schema.suspend((): Schema.Codec<Self> => Self))
      }).annotate({ identifier })
      const { jsonSchema } = makeTarget(Self)
      assert.deepStrictEqual(Object.keys(Object(jsonSchema["properties"])), ["self"], identifier)
      assert.deepStrictEqual(danglingRefs(jsonSchema), [])
    }
  })

  it("an input schema keeps its content, and has the type object", () => {
    const empty = inputSchema(Tool.make("t", { parameters: Schema.Struct({}) }))
    assert.strictEqual(empty["type"], "object")
    assert.deepStrictEqual(inputSchema(Tool.make("t")), { type: "object", additionalProperties: false })
    const union = Schema.Union([Schema.Struct({ a: Schema.Int }), Schema.Struct({ b: Schema.Int })])
    const either = inputSchema(toolOf(union))
    assert.strictEqual(either["type"], "object")
    assert.property(either, "anyOf")
    const loop = { $ref: "#/$defs/A", $defs: { A: { $ref: "#/$defs/A" } } }
    assert.strictEqual(inputSchema(Tool.dynamic("t", { parameters: loop }))["type"], "object")
  })

  it("an input schema drops $schema, and keeps the siblings of a root $ref", () => {
    const parameters = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $ref: "#/$defs/a~1b",
      description: "next to it",
      $defs: { "a/b": { type: "object", properties: {} } }
    }
    assert.deepStrictEqual(inputSchema(Tool.dynamic("t", { parameters })), {
      type: "object",
      properties: {},
      description: "next to it",
      $defs: { "a/b": { type: "object", properties: {} } }
    })
  })
})

const jsonIn = (text: string) => allIn(text).values

describe("jsonIn", () => {
  it.each<[what: string, text: string, found: ReadonlyArray<unknown>]>([
    ["nothing in an empty text", "", []],
    ["nothing in prose", "no json here", []],
    ["the whole text", " {\"a\":1}\n", [{ a: 1 }]],
    ["a bare number", "7", [7]],
    ["a list in a fence", "x ```json\n[1]\n``` y", [[1]]],
    ["an object in a fence on one line", "```{\"a\":1}```", [{ a: 1 }]],
    ["a scalar in a fence", "```\n\"x\"\n```", ["x"]],
    ["an object with brackets in its strings", "so {\"a\":\"}]\\\"{\"} it is", [{ a: "}]\"{" }]],
    ["several values", "{\"a\":1} and [2]", [{ a: 1 }, [2]]],
    ["only the outermost of nested values", "is {\"a\":{\"b\":[1]}}", [{ a: { b: [1] } }]],
    ["an object after brackets in prose", "{x} [y] {\"a\":1}", [{ a: 1 }]],
    ["an object after an open bracket in prose", "a smiley :[ and {\"a\":1}", [{ a: 1 }]],
    ["no part of an object that was cut", "{\"a\":{\"b\":1},\"c", []],
    ["no part of a list that was cut", "so: [{\"b\":1},{\"b", []],
    ["no part of an object that was cut in a fence", "```json\n{\"a\":{\"b\":1},", []]
  ])("jsonIn finds %s", (_, text, found) => assert.deepStrictEqual(jsonIn(text), found))

  it.effect.prop(
    "jsonIn never throws, and finds an object that is embedded in prose",
    [Schema.String, Schema.String, Schema.Json],
    ([a, b, given]) =>
      Effect.sync(() => {
        jsonIn(a + b)
        jsonIn(`${a}{${b}[`)
        jsonIn(`\`\`\`${a}\`\`\`${b}`)
        const prose = a.replaceAll(/[[{`]/g, "")
        assert.deepStrictEqual(
          jsonIn(`${prose}\n${JSON.stringify({ given })}\n${b}`)[0],
          json({ given })
        )
      })
  )

  const size = 10_000_000
  it.each<[what: string, text: string]>([
    ["open brackets", "[".repeat(size)],
    ["open braces", "{".repeat(size)],
    ["closed brackets", "]".repeat(size)],
    ["nested brackets", "[".repeat(size / 2) + "]".repeat(size / 2)],
    ["nested brackets in prose", "x" + "[".repeat(size / 2) + "]".repeat(size / 2)],
    ["pairs of brackets", "x" + "[]".repeat(size / 2)],
    ["broken objects", "x" + "{\"a\"".repeat(size / 4)],
    ["quotes after a brace", "{" + "\"".repeat(size)],
    ["backslashes in a string", "{\"" + "\\".repeat(size)],
    ["backticks", "`".repeat(size)],
    ["fences with values", "```1```".repeat(size / 7)],
    ["a fence and spaces", "```" + " ".repeat(size)],
    ["a fence and letters", "```" + "a".repeat(size)]
    // In quadratic time, each text would take hours, and the test would time out.
  ])("jsonIn reads 10 MB of %s in linear time", (_, text) => {
    const found = jsonIn(text)
    assert.isAtMost(found.length, 32)
    assert.doesNotThrow(() => JSON.stringify(found))
  }, 20_000)

  it("jsonIn skips values nested more than 256 levels, which would overflow the stack of decoders", () => {
    const deep = (levels: number) => `${"{\"a\":".repeat(levels)}1${"}".repeat(levels)}`
    assert.strictEqual(jsonIn(deep(256)).length, 1)
    assert.deepStrictEqual(jsonIn(deep(257)), [])
    assert.deepStrictEqual(jsonIn(`x ${deep(50_000)}`), [])
  })
})
