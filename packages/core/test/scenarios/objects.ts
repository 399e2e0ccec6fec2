/** Scenarios of `sampleObject`. Comments name weaknesses that `weaknesses.test.ts` lists. */
import { Sampler, SamplingError } from "@effect-sampling/core"
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { danglingRefs } from "./checkRequests.ts"
import type { Model, Scenario } from "./Scenario.ts"
import {
  blocksOf,
  call,
  calls,
  failed,
  gives,
  inOrder,
  ok,
  results,
  scenario,
  textOf,
  wantedSchema
} from "./Scenario.ts"
import { logged, Tools } from "./toolkit.ts"

class Person extends Schema.Class<Person>("test/scenarios/objects/Person")({
  name: Schema.NonEmptyString,
  age: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 150 }))
}) {}

const ada = { name: "Ada", age: 36 }

interface Tree {
  readonly value: number
  readonly children: ReadonlyArray<Tree>
}
const Tree: Schema.Codec<Tree> = Schema.Struct({
  value: Schema.Finite,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "test/Tree~1" })

const Shape = Schema.Union([
  Schema.Struct({ _tag: Schema.tag("Circle"), radius: Schema.Finite }),
  Schema.Struct({ _tag: Schema.tag("Square"), side: Schema.Finite })
])

/** Samples an object and encodes it again, so that the report survives JSON. */
const object = <A, I>(schema: Schema.Codec<A, I>, options: Sampler.ObjectOptions & Sampler.SampleOptions = {}) =>
  Effect.flatMap(
    Sampler.sampleObject(schema, "Go", options),
    (reply) =>
      Effect.map(Effect.orDie(Schema.encodeEffect(schema)(reply.value)), (encoded) => ({
        value: encoded,
        turns: reply.turns,
        roles: reply.history.map(({ role }) => role)
      }))
  )

const person = (options: Sampler.ObjectOptions & Sampler.SampleOptions = {}) => object(Person, options)

const withTools = (options: Sampler.ObjectOptions & { readonly maxTurns?: number } = {}) =>
  logged(
    Effect.map(
      Sampler.sampleObject(Person, "Go", { toolkit: Tools, ...options }),
      ({ turns, value }) => ({ value, turns })
    )
  )

/** The problems that the last message reports, in a tool result or as text. */
const told = (request: Parameters<Model>[0] | undefined): string =>
  blocksOf(request?.messages.at(-1)).map((block) =>
    block.type === "tool_result" ? textOf(block.content) : textOf([block])
  ).join()

// W2: FastMCP leaves dangling references for lists and unions. W4: it crashes for unions.
const schemas: ReadonlyArray<Scenario> = [
  { what: "a struct", schema: Schema.Struct({ a: Schema.String }), value: { a: "x" } },
  { what: "an empty struct", schema: Schema.Struct({}), value: {} },
  { what: "a class", schema: Person, value: ada },
  { what: "a list of a class", schema: Schema.Array(Person), value: [ada] },
  { what: "a union of classes", schema: Schema.Union([Person, Schema.Array(Person)]), value: [ada] },
  { what: "a tagged union", schema: Shape, value: { _tag: "Square", side: 2 } },
  { what: "a class or null", schema: Schema.NullOr(Person), value: null },
  {
    what: "a recursive struct",
    schema: Tree,
    value: { value: 1, children: [{ value: 2, children: [] }] }
  },
  { what: "a list of recursive structs", schema: Schema.Array(Tree), value: [{ value: 1, children: [] }] },
  { what: "a union of literals", schema: Schema.Literals(["yes", "no"]), value: "yes" },
  { what: "a number", schema: Schema.Int, value: 7 },
  { what: "a boolean", schema: Schema.Boolean, value: false },
  { what: "a string", schema: Schema.String, value: "just text" },
  { what: "a refinement", schema: Schema.String.check(Schema.isPattern(/^[A-Z]{3}$/)), value: "ABC" },
  { what: "a record", schema: Schema.Record(Schema.String, Schema.Finite), value: { a: 1 } },
  { what: "a tuple", schema: Schema.Tuple([Schema.String, Schema.Finite]), value: ["a", 1] },
  { what: "a date", schema: Schema.DateFromString, value: "2026-01-02T00:00:00.000Z" },
  { what: "a struct with the key value", schema: Schema.Struct({ value: Schema.Finite }), value: { value: 1 } },
  {
    what: "a union with the key value",
    schema: Schema.Union([Schema.Struct({ value: Schema.Finite }), Schema.String]),
    value: { value: 1 }
  }
].map(({ schema, value, what }) =>
  scenario(`${what} is requested by a JSON Schema without dangling references, and decodes`, {
    needsTools: false,
    model: gives(value),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- schemas of different types in one list, each with its own value
    run: object<unknown, unknown>(schema as Schema.Codec<unknown>),
    check: (outcome) => {
      assert.deepStrictEqual([ok(outcome).value, ok(outcome).turns], [value, 1])
      const schema = wantedSchema(outcome.requests[0]!)
      assert.strictEqual(schema["type"], "object")
      assert.deepStrictEqual(danglingRefs(schema), [])
    }
  })
)

const finding: ReadonlyArray<Scenario> = [
  ...[
    { what: "bare", text: JSON.stringify(ada) },
    { what: "in a code fence", text: `Here:\n\`\`\`json\n${JSON.stringify(ada, null, 2)}\n\`\`\`\nDone.` },
    {
      what: "in an unnamed fence after another",
      text: `\`\`\`sh\nls\n\`\`\`\n\n\`\`\`\n${JSON.stringify(ada)}\n\`\`\``
    },
    { what: "among prose with brackets", text: `The set {1, 2} [sic] gives ${JSON.stringify(ada)} (see [1]).` },
    { what: "after an object that does not fit", text: `Not {"name":""} but ${JSON.stringify(ada)}` },
    { what: "in several blocks", text: JSON.stringify(ada) }
  ].map(({ text, what }) =>
    scenario(`the object is found in a text, ${what}`, {
      needsTools: false,
      model: inOrder({
        content: what === "in several blocks"
          ? [{ type: "text", text: text.slice(0, 9) }, { type: "text", text: text.slice(9) }]
          : text,
        stopReason: "endTurn"
      }),
      run: person(),
      check: (outcome) => assert.deepStrictEqual([ok(outcome).value, ok(outcome).turns], [ada, 1])
    })
  ),
  scenario("sampleObject accepts a list that the model does not wrap", {
    needsTools: false,
    model: inOrder({ content: JSON.stringify([ada]), stopReason: "endTurn" }),
    run: object(Schema.Array(Person)),
    check: (outcome) => assert.deepStrictEqual(ok(outcome).value, [ada])
  }),
  // A part of a tree is a tree, so it would decode, but it must not be mistaken for the whole.
  scenario("a part of a truncated answer is not accepted, and the repair says that it was cut", {
    needsTools: false,
    model: inOrder(
      { content: `{"value":1,"children":[{"value":2,"children":[]},{"val`, stopReason: "maxTokens" },
      gives({ value: 1, children: [] })
    ),
    run: object(Tree, { maxTokens: 20 }),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome).value, { value: 1, children: [] })
      assert.include(told(outcome.requests[1]), "It was cut off at maxTokens (20)")
    }
  })
]

const repairing: ReadonlyArray<Scenario> = [
  // W1: FastMCP answers the same call twice, which no client accepts.
  scenario("an answer that does not fit is sent back with every problem", {
    needsTools: false,
    model: inOrder(gives({ name: "", age: 200 }), gives(ada)),
    run: person(),
    check: (outcome) => {
      assert.deepStrictEqual([ok(outcome).value, ok(outcome).turns], [ada, 2])
      const [, second] = outcome.requests
      assert.strictEqual(second!.messages.length, 3)
      assert.match(told(second), /Your answer does not fit: .*name.*age/)
      const errors = results(second)
      assert.isTrue(errors.length === 0 || (errors.length === 1 && errors[0]!.isError === true))
    }
  }),
  scenario("the repair of a wrapped answer names the place of the problem", {
    needsTools: false,
    model: inOrder(gives([ada, { ...ada, age: "old" }]), gives([ada])),
    run: object(Schema.Array(Person)),
    check: ({ requests }) => assert.include(told(requests[1]), "value[1].age")
  }),
  scenario("a text without an object is repaired", {
    needsTools: false,
    model: inOrder({ content: "I would rather talk.", stopReason: "endTurn" }, gives(ada)),
    run: person(),
    check: (outcome) => {
      assert.deepStrictEqual([ok(outcome).value, ok(outcome).turns], [ada, 2])
      assert.include(told(outcome.requests[1]), "It holds no complete JSON value")
    }
  }),
  scenario("sampleObject accepts the third answer", {
    needsTools: false,
    model: inOrder(gives({}), gives({ name: "Ada" }), gives(ada)),
    run: person(),
    check: (outcome) => assert.deepStrictEqual([ok(outcome).value, ok(outcome).turns], [ada, 3])
  }),
  // W18: one counter covers wrong objects and texts over the whole call.
  scenario("sampleObject fails after two repairs with every attempt", {
    needsTools: false,
    model: inOrder(gives({ name: "Ada" }), { content: "No.", stopReason: "endTurn" }, gives({ age: 1 })),
    run: person(),
    check: (outcome) => {
      const error = failed(outcome)
      assert.strictEqual(error._tag, "StructuredOutputError")
      const attempts = Schema.decodeUnknownSync(Schema.Array(SamplingError.StructuredAttempt))(error["attempts"])
      assert.strictEqual(attempts.length, 3)
      assert.match(attempts[0]!.problem, /age/)
      assert.deepStrictEqual(attempts[1], { answer: "No.", problem: "It holds no complete JSON value" })
      assert.match(error.message, /in 3 attempts.*name/)
      assert.strictEqual(outcome.requests.length, 3)
    }
  }),
  // W4: FastMCP names the type in its error, and crashes when the type has no name.
  ...[
    { what: "a class", schema: Person },
    { what: "a union", schema: Schema.Union([Person, Schema.Struct({ name: Schema.String, city: Schema.String })]) }
  ].map(({ schema, what }) =>
    scenario(`the error says what is wrong when the answers never fit ${what}`, {
      needsTools: false,
      model: gives({ name: 7 }),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- schemas of different types in one list
      run: object<unknown, unknown>(schema as Schema.Codec<unknown>),
      check: (outcome) => {
        assert.match(failed(outcome).message, /name/)
        assert.strictEqual(outcome.requests.length, 3)
      }
    })
  ),
  scenario("sampleObject fails at the first wrong answer with maxRepairs 0", {
    needsTools: false,
    model: gives({}),
    run: person({ maxRepairs: 0 }),
    check: (outcome) => {
      assert.strictEqual(failed(outcome)._tag, "StructuredOutputError")
      assert.strictEqual(outcome.requests.length, 1)
    }
  }),
  ...[-1, 0.5].map((maxRepairs) =>
    scenario(`maxRepairs ${maxRepairs} is refused before anything is asked`, {
      needsTools: false,
      model: gives(ada),
      run: person({ maxRepairs }),
      check: (outcome) => {
        assert.include(failed(outcome).message, "maxRepairs")
        assert.deepStrictEqual(outcome.requests, [])
      }
    })
  ),
  scenario("sample asks for text once", {
    needsTools: false,
    model: inOrder("just text"),
    run: Sampler.sample("Go").pipe(Effect.map(({ turns }) => ({ turns }))),
    check: (outcome) => assert.deepStrictEqual([ok(outcome).turns, outcome.requests.length], [1, 1])
  })
]

const add = (id: string) => call(id, "add", { a: 1, b: 1 })

const amongTools: ReadonlyArray<Scenario> = [
  scenario("sampleObject runs tools before the object", {
    needsTools: true,
    model: inOrder(calls(add("1")), gives(ada)),
    run: withTools(),
    check: (outcome) => {
      assert.deepStrictEqual([ok(outcome).turns, ok(outcome).log], [2, ["add 1 1"]])
      assert.isTrue(outcome.requests[0]!.tools!.length >= 9)
    }
  }),
  // W19: FastMCP runs the calls next to the object, with their side effects.
  scenario("calls next to an object that fits do not run", {
    needsTools: true,
    model: (request, index) =>
      request.responseFormat === undefined ? gives(ada, add("1"))(request, index) : gives(ada)(request, index),
    run: withTools(),
    check: (outcome) => assert.deepStrictEqual([ok(outcome).turns, ok(outcome).log], [1, []])
  }),
  // W1: the message that follows holds one result for each call.
  scenario("an object that does not fit and the calls next to it are answered in one message", {
    needsTools: true,
    model: inOrder(gives({}, add("1")), gives(ada)),
    run: withTools(),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).turns, 2)
      const answered = results(outcome.requests[1])
      if (answered.length > 0) {
        assert.deepStrictEqual(answered.map(({ isError, toolUseId }) => [toolUseId, isError === true]), [
          ["1", false],
          ["final-0", true]
        ])
        assert.deepStrictEqual(ok(outcome).log, ["add 1 1"])
      }
    }
  }),
  // W18: FastMCP restarts its count after another tool.
  scenario("repairs are counted over the whole call, with tool calls in between", {
    needsTools: true,
    model: inOrder(gives({}), calls(add("1")), gives({}), calls(add("2")), gives({}), gives(ada)),
    run: withTools(),
    check: (outcome) => {
      assert.strictEqual(failed(outcome)._tag, "StructuredOutputError")
      assert.strictEqual(outcome.requests.length, 5)
    }
  }),
  scenario("sampleObject fails with its attempts when the last turn has no object that fits", {
    needsTools: true,
    model: inOrder(calls(add("1")), gives({})),
    run: withTools({ maxTurns: 2 }),
    check: (outcome) => {
      assert.strictEqual(failed(outcome)._tag, "StructuredOutputError")
      assert.strictEqual(outcome.requests.length, 2)
    }
  }),
  scenario("sampleObject fails with the history when the last turn still calls tools", {
    needsTools: true,
    model: (_, index) => calls(add(`${index}`)),
    run: withTools({ maxTurns: 2 }),
    check: (outcome) => assert.strictEqual(failed(outcome)._tag, "TurnLimitExceeded")
  }),
  // W10: FastMCP sends two tools of one name, and runs its own.
  scenario("a tool of the user keeps a name that the final tool would have", {
    needsTools: true,
    model: (request, index) => index === 0 ? calls(call("1", "final_answer", { n: 1 })) : gives(ada)(request, index),
    run: Effect.suspend(() => {
      const Named = Toolkit.make(
        Tool.make("final_answer", { parameters: Schema.Struct({ n: Schema.Int }), success: Schema.Int }),
        Tool.make("final_answer_2", { success: Schema.Int })
      )
      const log: Array<string> = []
      return Sampler.sampleObject(Person, "Go", { toolkit: Named }).pipe(
        Effect.map(({ value }) => ({ value, log })),
        Effect.provide(
          Named.toLayer({
            final_answer: ({ n }) => Effect.sync(() => (log.push(`ran ${n}`), n)),
            final_answer_2: () => Effect.succeed(2)
          }),
          { local: true }
        )
      )
    }),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome).log, ["ran 1"])
      assert.strictEqual(results(outcome.requests[1])[0]!.toolUseId, "1")
    }
  })
]

export const objectScenarios: ReadonlyArray<Scenario> = [...schemas, ...finding, ...repairing, ...amongTools]
