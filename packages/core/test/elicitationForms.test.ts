import { Client, ClientConnection } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { McpSchema } from "effect/ai"

type Answer = { readonly action: "accept"; readonly content?: Readonly<Record<string, unknown>> }

/** Asks for a form, and returns the form that the client got and what became of the user's answer. */
const ask = <S extends Schema.Codec<unknown, unknown>>(
  schema: S,
  content?: Readonly<Record<string, unknown>>,
  protocolVersion = "2025-11-25"
) =>
  Effect.gen(function*() {
    const forms: Array<unknown> = []
    const answer: Answer = { action: "accept", ...(content !== undefined && { content }) }
    const connection: ClientConnection.ClientConnection = {
      client: undefined,
      protocolVersion,
      capabilities: { elicitation: {} },
      unreachable: undefined,
      ask: ({ params }, decode) => {
        forms.push("requestedSchema" in params && params.requestedSchema)
        return Effect.fromResult(decode(answer))
      }
    }
    const result = yield* Effect.result(
      Effect.provideService(Client.elicit(schema, "Please"), ClientConnection.ClientConnection, connection)
    )
    return { form: forms[0], result }
  })

class Address extends Schema.Class<Address>("test/Address")({ street: Schema.NonEmptyString, zip: Schema.String }) {}

const Size = Schema.Union([
  Schema.Literal("s").annotate({ title: "Small" }),
  Schema.Literal("l").annotate({ title: "Large" })
])
const titledSize = [{ const: "s", title: "Small" }, { const: "l", title: "Large" }]
const Level = Schema.Literals([1, 2, 3])
const Named = Schema.Literals(["a", "b"]).annotate({ identifier: "Named" })

interface Case {
  readonly schema: Schema.Codec<unknown, unknown>
  readonly field: object
  /** What the user enters, and what it decodes to. Default: the same. */
  readonly entered: unknown
  readonly value?: unknown
}

const cases: Readonly<Record<string, Case>> = {
  "a format": {
    schema: Schema.String.annotate({ format: "email", title: "E-mail", description: "Yours", default: "a@b.c" }),
    field: { type: "string", title: "E-mail", description: "Yours", format: "email", default: "a@b.c" },
    entered: "x@y.z"
  },
  "a pattern and lengths": {
    schema: Schema.String.check(Schema.isPattern(/^[a-z]+$/), Schema.isMinLength(2), Schema.isMaxLength(5)),
    field: { type: "string", minLength: 2, maxLength: 5, pattern: "^[a-z]+$" },
    entered: "abc"
  },
  "a text with checks in a row": {
    schema: Schema.NonEmptyString.check(
      Schema.isPattern(/^[a-z]+$/u),
      Schema.isBetweenLength(2, 5)
    ),
    field: { type: "string", minLength: 2, maxLength: 5, pattern: "^[a-z]+$" },
    entered: "abc"
  },
  "a pattern that MCP cannot say": {
    schema: Schema.String.check(Schema.isPattern(/^[a-z]+$/i)),
    field: { type: "string" },
    entered: "ABC"
  },
  "a number": { schema: Schema.Number, field: { type: "number" }, entered: 1.5 },
  "a whole number above another": {
    schema: Schema.Int.check(Schema.isGreaterThan(0), Schema.isLessThan(10)),
    field: { type: "integer", minimum: 1, maximum: 9 },
    entered: 5
  },
  "a number with limits for which forms have no keyword": {
    schema: Schema.Finite.check(Schema.isGreaterThan(0), Schema.isMultipleOf(5)).annotate({ description: "Percent" }),
    field: { type: "number", description: "Percent (more than 0, a multiple of 5)" },
    entered: 5
  },
  "a boolean": { schema: Schema.Boolean, field: { type: "boolean" }, entered: true },
  "literals": { schema: Schema.Literals(["a", "b"]), field: { type: "string", enum: ["a", "b"] }, entered: "a" },
  "one literal": { schema: Schema.Literal("yes"), field: { type: "string", enum: ["yes"] }, entered: "yes" },
  "named literals": { schema: Named, field: { type: "string", enum: ["a", "b"] }, entered: "a" },
  "titled literals": {
    schema: Size.annotate({ title: "Size", default: "l" }),
    field: { type: "string", title: "Size", oneOf: titledSize, default: "l" },
    entered: "s"
  },
  "number literals": { schema: Level, field: { type: "string", enum: ["1", "2", "3"] }, entered: "2", value: 2 },
  "number literals that the client answers as numbers": {
    schema: Level,
    field: { type: "string", enum: ["1", "2", "3"] },
    entered: 2
  },
  "literals of all kinds": {
    schema: Schema.Literals(["auto", 1, true]),
    field: { type: "string", enum: ["auto", "1", "true"] },
    entered: "true",
    value: true
  },
  "an enum": {
    schema: Schema.Enum({ Low: 1, High: 2 }),
    field: { type: "string", oneOf: [{ const: "1", title: "Low" }, { const: "2", title: "High" }] },
    entered: "2",
    value: 2
  },
  "several choices": {
    schema: Schema.Array(Schema.Literals(["a", "b", "c"])).check(Schema.isMinLength(1), Schema.isMaxLength(2)),
    field: { type: "array", minItems: 1, maxItems: 2, items: { type: "string", enum: ["a", "b", "c"] } },
    entered: ["a", "c"]
  },
  "at least one choice": {
    schema: Schema.NonEmptyArray(Level),
    field: { type: "array", minItems: 1, items: { type: "string", enum: ["1", "2", "3"] } },
    entered: ["1", "3"],
    value: [1, 3]
  },
  "several titled choices": {
    schema: Schema.Array(Size).annotate({ default: ["s"] }),
    field: { type: "array", items: { anyOf: titledSize }, default: ["s"] },
    entered: ["s", "l"]
  },
  "a set of choices": {
    schema: Schema.ReadonlySet(Schema.Literals(["a", "b"])),
    field: { type: "array", items: { type: "string", enum: ["a", "b"] } },
    entered: ["b"],
    value: new Set(["b"])
  },
  "a date": {
    schema: Schema.Date,
    field: { type: "string" },
    entered: "2026-01-02T03:04:05.000Z",
    value: new Date("2026-01-02T03:04:05.000Z")
  },
  "a big number": {
    schema: Schema.BigInt,
    field: { type: "string", pattern: "^-?\\d+$" },
    entered: "12345678901234567890",
    value: 12345678901234567890n
  }
}

const refused: Readonly<Record<string, Schema.Codec<unknown, unknown>>> = {
  "a struct": Schema.Struct({ a: Schema.String }),
  "a class": Address,
  "a record": Schema.Record(Schema.String, Schema.String),
  "a tuple": Schema.Tuple([Schema.Literal("a"), Schema.Literal("b")]),
  "an array of texts": Schema.Array(Schema.String),
  "a union of a text and a number": Schema.Union([Schema.String, Schema.Finite]),
  "literals with the same text": Schema.Literals(["1", 1]),
  "anything": Schema.Unknown,
  "null": Schema.Null,
  "a duration": Schema.Duration,
  "an Option": Schema.Option(Schema.String)
}

describe("Client.elicit", () => {
  it.effect.each(Object.keys(cases).map((name) => ({ name })))(
    "elicitation: a form says and takes $name",
    ({ name }) =>
      Effect.gen(function*() {
        const { entered, field, schema, value } = cases[name]!
        const { form, result } = yield* ask(Schema.Struct({ x: schema }), { x: entered })
        assert.deepStrictEqual(form, { type: "object", properties: { x: field }, required: ["x"] })
        assert.deepStrictEqual(result._tag === "Success" && result.success, { x: value ?? entered })
        yield* Schema.decodeUnknownEffect(McpSchema.ElicitRequestParams)({ message: "Please", requestedSchema: form })
        const wrong = yield* ask(Schema.Struct({ x: schema }), { x: { no: "such value" } })
        assert.strictEqual(wrong.result._tag === "Failure" && wrong.result.failure._tag, "InvalidResponse")
      })
  )

  it.effect.each(Object.keys(refused).map((name) => ({ name })))(
    "elicitation: a form that cannot have $name is refused with the name of the field",
    ({ name }) =>
      Effect.gen(function*() {
        for (const field of [refused[name]!, Schema.optionalKey(refused[name]!)]) {
          const { form, result } = yield* ask(Schema.Struct({ fine: Schema.String, odd: field }))
          assert.isUndefined(form)
          const error = result._tag === "Failure" ? result.failure : undefined
          assert.strictEqual(error?._tag, "InvalidRequest")
          assert.include(error?.message, "schema.odd")
        }
      })
  )

  it.effect.each([Schema.String, Schema.Record(Schema.String, Schema.String), Schema.Union([Address, Address])])(
    "elicitation: a schema that is not a struct is refused",
    (schema) =>
      Effect.gen(function*() {
        const { result } = yield* ask(schema)
        assert.strictEqual(result._tag === "Failure" && result.failure._tag, "InvalidRequest")
      })
  )

  it.effect("elicitation: a form says the limits of texts in a schema that another library wrote", () =>
    Effect.gen(function*() {
      const written = {
        type: "object",
        properties: { code: { type: "string", minLength: 2, pattern: "^[a-z]+$" } },
        required: ["code"]
      }
      const foreign = Schema.Json.check(Schema.makeFilter(() => true, { toJsonSchema: () => written }))
      assert.deepStrictEqual((yield* ask(foreign, { code: "abc" })).form, written)
    }))

  it.effect("elicitation: an empty struct is a mere confirmation, which needs no content", () =>
    Effect.gen(function*() {
      for (const content of [undefined, {}]) {
        const { form, result } = yield* ask(Schema.Struct({}), content)
        assert.deepStrictEqual(form, { type: "object", properties: {} })
        assert.deepStrictEqual(result._tag === "Success" && result.success, {})
      }
    }))

  it.effect("elicitation: acceptance without content is fine where no field is required, and else names the field", () =>
    Effect.gen(function*() {
      const optional = yield* ask(
        Schema.Struct({ note: Schema.optional(Schema.String), n: Schema.optionalKey(Schema.Int) })
      )
      assert.deepStrictEqual(optional.form, {
        type: "object",
        properties: { note: { type: "string" }, n: { type: "integer" } }
      })
      assert.deepStrictEqual(optional.result._tag === "Success" && optional.result.success, {})
      const needed = yield* ask(Schema.Struct({ name: Schema.String }))
      const error = needed.result._tag === "Failure" ? needed.result.failure : undefined
      assert.strictEqual(error?._tag, "InvalidResponse")
      assert.include(error?.message, "name: ")
    }))

  it.effect("elicitation: a field that takes null may be left out, and is null then", () =>
    Effect.gen(function*() {
      const schema = Schema.Struct({ note: Schema.NullOr(Schema.String), level: Schema.NullOr(Level) })
      const { form, result } = yield* ask(schema, { level: "2" })
      assert.deepStrictEqual(form, {
        type: "object",
        properties: { note: { type: "string" }, level: { type: "string", enum: ["1", "2", "3"] } }
      })
      assert.deepStrictEqual(result._tag === "Success" && result.success, { note: null, level: 2 })
    }))

  it.effect("elicitation: a class is a form, and its input becomes an instance", () =>
    Effect.gen(function*() {
      const { form, result } = yield* ask(Address, { street: "Main St", zip: "1" })
      assert.deepStrictEqual(form, {
        type: "object",
        properties: { street: { type: "string", minLength: 1 }, zip: { type: "string" } },
        required: ["street", "zip"]
      })
      assert.isTrue(result._tag === "Success" && Schema.is(Address)(result.success))
    }))

  it.effect("elicitation: a form of MCP 2025-06-18 names titles as that revision does, and refuses several choices", () =>
    Effect.gen(function*() {
      const { form } = yield* ask(Schema.Struct({ size: Size }), { size: "s" }, "2025-06-18")
      assert.deepStrictEqual(form, {
        type: "object",
        properties: { size: { type: "string", enum: ["s", "l"], enumNames: ["Small", "Large"] } },
        required: ["size"]
      })
      const { result } = yield* ask(Schema.Struct({ sizes: Schema.Array(Size) }), {}, "2025-06-18")
      const error = result._tag === "Failure" ? result.failure : undefined
      assert.strictEqual(error?._tag, "InvalidRequest")
      assert.include(error?.message, "schema.sizes")
    }))
})
