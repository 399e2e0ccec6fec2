/** What happens when a model calls tools: `sample` with a toolkit. A comment names the weakness that a test is about. */
import { type Content, Sampler, SamplingMessage, ToolApproval, type ToolLoop } from "@effect-sampling/core"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import type { Model, Scenario } from "./Scenario.ts"
import { blocksOf, call, calls, failed, inOrder, ok, results, resultText, scenario, textOf } from "./Scenario.ts"
import { logged, toolkitOf, Tools } from "./toolkit.ts"

class Tenant extends Context.Service<Tenant, string>()("test/scenarios/tools/Tenant") {}

type Options = Partial<ToolLoop.Options<typeof Tools.tools>>

/** Samples with all tools, and tells what there is to see. */
const sample = (options: Options & Sampler.SampleOptions = {}) =>
  logged(
    Effect.map(
      Sampler.sample("Go", { toolkit: Tools, ...options }),
      ({ history, stopReason, text, truncated, turns }) => ({
        text,
        turns,
        stopReason,
        truncated,
        roles: history.map(({ role }) => role)
      })
    )
  )

const slow = (name: string): Content.ToolUseContent => call(`call-${name}`, "slow", { name })

/** Calls the slow tool twice or more in one reply, and then ends. */
const batch = (...names: ReadonlyArray<string>): Model => inOrder(calls(...names.map(slow)), "done")

const overlaps = (log: ReadonlyArray<string>): boolean => log.slice(0, 2).every((entry) => entry.endsWith("starts"))

const running: ReadonlyArray<Scenario> = [
  scenario("runs the calls of a reply and asks again with their results", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: 2, b: 3 })), (request) => `The sum is ${resultText(request)}`),
    run: sample(),
    check: (outcome) => {
      const { log, roles, text, turns } = ok(outcome)
      assert.deepStrictEqual([text, turns, log], ["The sum is 5", 2, ["add 2 3"]])
      assert.deepStrictEqual(roles, ["user", "assistant", "user", "assistant"])
      assert.isUndefined(results(outcome.requests[1])[0]?.isError)
    }
  }),
  scenario("offers every tool with its name, description and input schema", {
    needsTools: true,
    model: inOrder("done"),
    run: sample(),
    check: ({ requests: [request] }) => {
      const [add, lookup] = request!.tools!
      assert.deepStrictEqual([add!.name, add!.description], ["add", "Adds two numbers"])
      assert.deepStrictEqual(Object.keys(Object(add!.inputSchema["properties"])), ["a", "b", "note"])
      assert.deepStrictEqual(add!.inputSchema["required"], ["a", "b"])
      // A class with an identifier is a reference, but MCP wants an object at the root.
      assert.deepStrictEqual(Object.keys(Object(lookup!.inputSchema["properties"])), ["city"])
      assert.isUndefined(lookup!.description)
    }
  }),
  scenario("runs several calls of one reply in order and answers them in one message", {
    needsTools: true,
    model: inOrder(calls(call("x", "add", { a: 1, b: 1 }), call("y", "lookup", { city: "Rome" })), "done"),
    run: sample(),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome).log, ["add 1 1", "lookup Rome"])
      assert.deepStrictEqual(results(outcome.requests[1]).map(({ toolUseId }) => toolUseId), ["x", "y"])
    }
  }),
  scenario("goes on for as many turns as the model calls tools", {
    needsTools: true,
    model: (_, index) => index < 5 ? calls(call(`${index}`, "add", { a: index, b: 1 })) : "done",
    run: sample(),
    check: (outcome) => assert.deepStrictEqual([ok(outcome).turns, outcome.requests.length], [6, 6])
  }),
  scenario("tells the model of an unknown tool, and which ones there are", {
    needsTools: true,
    model: inOrder(calls(call("1", "forecast"), call("2", "toString"), call("3", "__proto__")), "done"),
    run: sample(),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "done")
      const told = results(outcome.requests[1])
      assert.isTrue(told.length === 3 && told.every(({ isError }) => isError === true))
      assert.include(textOf(told[0]!.content), `There is no tool "forecast". The tools are: add, lookup,`)
    }
  }),
  // W16: what a defect says is nobody's business.
  scenario("masks the defect of a tool, and goes on", {
    needsTools: true,
    model: inOrder(calls(call("1", "broken"), call("2", "add", { a: 1, b: 1 })), "done"),
    run: sample(),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "done")
      const [broken, added] = results(outcome.requests[1])
      assert.deepStrictEqual([broken!.isError, textOf(broken!.content)], [true, `The tool "broken" failed`])
      assert.strictEqual(textOf(added!.content), "2")
      assert.notInclude(JSON.stringify(outcome.requests), "4711")
    }
  }),
  scenario("shows the model the failure that a tool returns", {
    needsTools: true,
    model: inOrder(calls(call("1", "lenient")), "done"),
    run: sample(),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "done")
      assert.isTrue(results(outcome.requests[1])[0]!.isError)
      assert.include(resultText(outcome.requests[1]), "not today")
    }
  }),
  scenario("fails with the failure that a tool declares", {
    needsTools: true,
    model: inOrder(calls(call("1", "strict")), "done"),
    run: sample(),
    check: (outcome) => {
      assert.deepInclude(failed(outcome), { _tag: "Refused", why: "not today" })
      assert.strictEqual(outcome.requests.length, 1)
    }
  }),
  // W10: a toolkit has one tool of a name, on the wire and when it runs.
  scenario("offers and runs one of two tools of one name", {
    needsTools: true,
    model: inOrder(calls(call("1", "twice")), "done"),
    run: Effect.suspend(() => {
      const Twice = toolkitOf(
        Tool.make("twice", { success: Schema.Literal("first") }),
        Tool.make("twice", { success: Schema.Literal("second") })
      )
      return Sampler.sample("Go", { toolkit: Twice }).pipe(
        Effect.map(({ text }) => ({ text })),
        Effect.provide(Twice.toLayer({ twice: () => Effect.succeed("second" as const) }), { local: true })
      )
    }),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "done")
      assert.deepStrictEqual(outcome.requests[0]!.tools?.map(({ name }) => name), ["twice"])
      assert.strictEqual(resultText(outcome.requests[1]), "second")
    }
  }),
  // W20: FastMCP hides its Context from the schema, and does not inject it.
  scenario("runs handlers with the services of their Layer", {
    needsTools: true,
    model: inOrder(calls(call("1", "who")), "done"),
    run: Effect.suspend(() => {
      const Who = Toolkit.make(Tool.make("who", { success: Schema.String, dependencies: [Tenant] }))
      const handlers = Layer.provide(Who.toLayer({ who: () => Effect.service(Tenant) }), Layer.succeed(Tenant, "acme"))
      const run = Sampler.sample("Go", { toolkit: Who }).pipe(
        Effect.map(({ text }) => ({ text })),
        Effect.provide(handlers, { local: true })
      )
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller has no tenant: the Layer was given one
      return run as Effect.Effect<Effect.Success<typeof run>, Effect.Error<typeof run>, Sampler.Sampler>
    }),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "done")
      assert.strictEqual(resultText(outcome.requests[1]), "acme")
    }
  }),
  // W5: FastMCP gives "1" + "2" = "12" to the model.
  scenario("refuses arguments that do not fit, and says what is wrong", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: "1" })), "done"),
    run: sample(),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome).log, [])
      assert.isTrue(results(outcome.requests[1])[0]!.isError)
      assert.match(resultText(outcome.requests[1]), /^Invalid arguments for the tool "add": (.|\n)*"a"/)
    }
  }),
  // W5: not `{'city': 'Rome', 'mayor': None}`.
  scenario("gives results as the JSON of their schema", {
    needsTools: true,
    model: inOrder(calls(call("1", "lookup", { city: "Rome" })), "done"),
    run: sample(),
    check: ({ requests }) =>
      assert.deepStrictEqual(JSON.parse(resultText(requests[1])), {
        city: "Rome",
        founded: "2000-01-01T00:00:00.000Z",
        mayor: null
      })
  }),
  // W5: FastMCP gives the repr of the object.
  scenario("gives the images of a result as images", {
    needsTools: true,
    model: inOrder(calls(call("1", "draw")), "done"),
    run: sample(),
    check: ({ requests }) => {
      const blocks = requests[1]!.messages.flatMap(blocksOf)
      const inside: ReadonlyArray<{ readonly type: string; readonly data?: string }> = blocks.flatMap((
        block
      ): ReadonlyArray<{ readonly type: string }> => block.type === "tool_result" ? block.content : [block])
      assert.include(textOf(inside), "a dot")
      assert.isTrue(inside.some(({ data, type }) => type === "image" && data === "AAAA"))
    }
  })
]

const concurrency: ReadonlyArray<Scenario> = [
  scenario("runs the calls of a reply one after the other by default", {
    needsTools: true,
    model: batch("a", "b"),
    run: sample(),
    check: (outcome) => assert.deepStrictEqual(ok(outcome).log, ["a starts", "a ends", "b starts", "b ends"])
  }),
  // W20: what "parallel" says is what happens.
  scenario("runs them at the same time when told so, and keeps the results in call order", {
    needsTools: true,
    model: batch("a", "b", "c"),
    run: sample({ concurrency: "unbounded" }),
    check: (outcome) => {
      const { log } = ok(outcome)
      assert.isTrue(overlaps(log), log.join())
      assert.strictEqual(log.at(-1), "a ends")
      const [a, b, c] = results(outcome.requests[1]).map(({ content }) => textOf(content))
      assert.deepStrictEqual([a, b, c], ["a", "b", "c"])
    }
  }),
  scenario("runs at most as many at the same time as told", {
    needsTools: true,
    model: batch("a", "b", "c"),
    run: sample({ concurrency: 2 }),
    check: (outcome) => {
      const { log } = ok(outcome)
      assert.isTrue(overlaps(log), log.join())
      assert.isTrue(log.indexOf("c starts") > Math.min(log.indexOf("a ends"), log.indexOf("b ends")), log.join())
    }
  }),
  scenario("runs a reply with a Sequential tool one after the other, whatever it is told", {
    needsTools: true,
    model: inOrder(calls(slow("a"), call("b", "alone", { name: "b" })), calls(slow("c"), slow("d")), "done"),
    run: sample({ concurrency: "unbounded" }),
    check: (outcome) => {
      const { log } = ok(outcome)
      assert.deepStrictEqual(log.slice(0, 4), ["a starts", "a ends", "b starts", "b ends"])
      assert.isTrue(overlaps(log.slice(4)), log.join())
    }
  }),
  scenario("does not let a failing call stop the others of its reply", {
    needsTools: true,
    model: inOrder(calls(call("x", "broken"), slow("b")), "done"),
    run: sample({ concurrency: "unbounded" }),
    check: (outcome) => {
      assert.include(ok(outcome).log, "b ends")
      assert.deepStrictEqual(results(outcome.requests[1]).map(({ isError }) => isError === true), [true, false])
    }
  }),
  ...[0, -1, 1.5, Number.NaN].map((concurrency) =>
    // FastMCP notices only when a tool is called.
    scenario(`refuses the concurrency ${concurrency} before it asks`, {
      needsTools: false,
      model: inOrder("done"),
      run: sample({ concurrency }),
      check: (outcome) => {
        assert.include(failed(outcome).message, "concurrency")
        assert.deepStrictEqual(outcome.requests, [])
      }
    })
  )
]

const deciding: ReadonlyArray<Scenario> = [
  // W3: a loop that trusts the stop reason takes this for the final answer, "".
  scenario("runs calls under any stop reason", {
    needsTools: true,
    model: inOrder(
      { content: [call("1", "add", { a: 1, b: 1 })], stopReason: "endTurn" },
      { content: [call("2", "add", { a: 2, b: 2 })] },
      "done"
    ),
    run: sample(),
    check: (outcome) => assert.deepStrictEqual(ok(outcome).log, ["add 1 1", "add 2 2"])
  }),
  // W3: a loop that trusts the stop reason asks 100 times.
  scenario("ends at a reply that says toolUse and calls nothing", {
    needsTools: true,
    model: inOrder({ content: "nothing to call", stopReason: "toolUse" }),
    run: sample(),
    check: (outcome) => {
      assert.deepStrictEqual([ok(outcome).text, ok(outcome).turns], ["nothing to call", 1])
      assert.strictEqual(outcome.requests.length, 1)
    }
  }),
  // W7: complete and cut replies can be told apart.
  scenario("says when the last reply was cut", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: 1, b: 1 })), { content: "and so", stopReason: "maxTokens" }),
    run: sample(),
    check: (outcome) => assert.deepStrictEqual([ok(outcome).truncated, ok(outcome).stopReason], [true, "maxTokens"])
  }),
  // W8: FastMCP gives "one".
  scenario("gives the text of all blocks", {
    needsTools: true,
    model: inOrder({ content: [{ type: "text", text: "one " }, { type: "text", text: "two" }], stopReason: "endTurn" }),
    run: sample(),
    check: (outcome) => assert.strictEqual(ok(outcome).text, "one two")
  }),
  scenario("keeps the text next to calls in the history", {
    needsTools: true,
    model: inOrder(calls({ type: "text", text: "Let me see." }, call("1", "add", { a: 1, b: 1 })), "done"),
    run: sample(),
    check: ({ requests }) =>
      assert.deepStrictEqual(blocksOf(requests[1]!.messages.at(-2)).map(({ type }) => type), ["text", "tool_use"])
  }),
  // W12: 100 turns, and then the history is lost.
  scenario("asks for an answer without tools in the last turn, and then fails with the history", {
    needsTools: true,
    model: (_, index) => calls(call(`${index}`, "add", { a: index, b: 0 })),
    run: sample({ maxTurns: 3 }),
    check: (outcome) => {
      const error = failed(outcome)
      assert.strictEqual(error._tag, "TurnLimitExceeded")
      assert.deepStrictEqual(outcome.requests.map(({ toolChoice }) => toolChoice?.mode), [undefined, undefined, "none"])
      assert.isTrue(outcome.requests.every(({ tools }) => tools?.length === 9))
      // The calls of the last turn did not run, and are answered, so that one can go on.
      const history = Array.isArray(error["history"]) ? error["history"] : []
      assert.strictEqual(history.length, 7)
      assert.include(JSON.stringify(history.at(-1)), "The call was not run")
    }
  }),
  scenario("has 16 turns by default", {
    needsTools: true,
    model: (_, index) => calls(call(`${index}`, "add", { a: index, b: 0 })),
    run: sample(),
    check: (outcome) => {
      assert.strictEqual(failed(outcome)["maxTurns"], 16)
      assert.strictEqual(outcome.requests.length, 16)
    }
  }),
  scenario("answers in the last turn, when the model heeds it", {
    needsTools: true,
    model: (request, index) =>
      request.toolChoice?.mode === "none" ? "enough" : calls(call(`${index}`, "add", { a: 1, b: 1 })),
    run: sample({ maxTurns: 2 }),
    check: (outcome) => assert.deepStrictEqual([ok(outcome).text, ok(outcome).turns], ["enough", 2])
  }),
  scenario("has its only turn without tools when maxTurns is 1", {
    needsTools: true,
    model: inOrder("done"),
    run: sample({ maxTurns: 1, toolChoice: "required" }),
    check: ({ requests }) => assert.strictEqual(requests[0]!.toolChoice?.mode, "none")
  }),
  ...[0, 1.5].map((maxTurns) =>
    scenario(`refuses maxTurns ${maxTurns} before it asks`, {
      needsTools: false,
      model: inOrder("done"),
      run: sample({ maxTurns }),
      check: (outcome) => assert.include(failed(outcome).message, "maxTurns")
    })
  )
]

const choosing: ReadonlyArray<Scenario> = [
  ...(["required", "auto"] as const).map((toolChoice) =>
    scenario(`asks for ${toolChoice} in the first turn only`, {
      needsTools: true,
      model: inOrder(calls(call("1", "add", { a: 1, b: 1 })), "done"),
      run: sample({ toolChoice }),
      check: ({ requests }) =>
        assert.deepStrictEqual(requests.map((request) => request.toolChoice?.mode), [toolChoice, undefined])
    })
  ),
  // W9: dropping the tools breaks histories with calls.
  scenario("offers the tools and asks for none of them", {
    needsTools: true,
    // A model that calls one all the same is asked for none again.
    model: inOrder(calls(call("1", "add", { a: 1, b: 1 })), "done"),
    run: sample({ toolChoice: "none" }),
    check: ({ requests }) =>
      assert.deepStrictEqual(requests.map(({ toolChoice, tools }) => [toolChoice?.mode, tools?.length]), [
        ["none", 9],
        ["none", 9]
      ])
  }),
  scenario("asks for a given tool by offering only that one in the first turn", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: 1, b: 1 })), "done"),
    run: sample({ toolChoice: { tool: "add" } }),
    check: ({ requests }) => {
      assert.deepStrictEqual(requests[0]!.tools?.map(({ name }) => name), ["add"])
      assert.strictEqual(requests[0]!.toolChoice?.mode, "required")
      assert.strictEqual(requests[1]!.tools?.length, 9)
    }
  }),
  // W9: providers answer 400 to a choice without tools. An empty toolkit is none.
  scenario("sends neither tools nor a choice for an empty toolkit", {
    needsTools: false,
    model: inOrder("done"),
    run: Sampler.sample("Go", { toolkit: Toolkit.empty, toolChoice: "required" }).pipe(
      Effect.map(({ text }) => ({ text }))
    ),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "done")
      assert.isUndefined(outcome.requests[0]!.tools)
      assert.isUndefined(outcome.requests[0]!.toolChoice)
    }
  })
]

const approving: ReadonlyArray<Scenario> = [
  scenario("does not run what needs approval when nobody is there to approve it", {
    needsTools: true,
    model: inOrder(calls(call("1", "delete", { id: 7 })), "done"),
    run: sample(),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome).log, [])
      assert.strictEqual(resultText(outcome.requests[1]), `The call of the tool "delete" was not approved`)
    }
  }),
  scenario("runs what ToolApproval approves, and asks about nothing that does not fit", {
    needsTools: true,
    model: inOrder(
      calls(call("1", "delete", { id: 7 }), call("2", "delete", { id: 8 }), call("3", "delete", { id: "x" })),
      "done"
    ),
    run: Effect.suspend(() => {
      const asked: Array<unknown> = []
      return sample().pipe(
        Effect.map((report) => ({ ...report, asked })),
        Effect.provideService(ToolApproval.ToolApproval, (request) =>
          Effect.sync(() => {
            asked.push(request)
            return request.toolCallId === "1"
          }))
      )
    }),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome).log, ["delete 7"])
      assert.deepStrictEqual(ok(outcome).asked, [
        { toolName: "delete", toolCallId: "1", parameters: { id: 7 } },
        { toolName: "delete", toolCallId: "2", parameters: { id: 8 } }
      ])
      assert.deepStrictEqual(results(outcome.requests[1]).map(({ isError }) => isError === true), [false, true, true])
    }
  })
]

const continuing: ReadonlyArray<Scenario> = [
  // W6: ids, names and error flags of another source survive.
  scenario("goes on from a history with calls that another source made", {
    needsTools: true,
    model: inOrder("done"),
    run: Effect.map(
      Sampler.sample([
        SamplingMessage.user("Go"),
        SamplingMessage.assistant([call("toolu_0123456789", "lookup", { city: "Rome" })]),
        SamplingMessage.user([{
          type: "tool_result",
          toolUseId: "toolu_0123456789",
          content: [{ type: "text", text: "no such city" }],
          isError: true
        }])
      ]),
      ({ text }) => ({ text })
    ),
    check: ({ requests: [request] }) => {
      const [use] = blocksOf(request!.messages[1])
      assert.deepInclude(use, { type: "tool_use", id: "toolu_0123456789", name: "lookup", input: { city: "Rome" } })
      assert.isTrue(results(request)[0]!.isError)
      assert.strictEqual(resultText(request), "no such city")
    }
  }),
  ...[
    { what: "whose calls are not answered", messages: [SamplingMessage.assistant([call("1", "add")])] },
    {
      what: "whose results answer nothing",
      messages: [SamplingMessage.user([{ type: "tool_result" as const, toolUseId: "1", content: [] }])]
    },
    {
      what: "that mixes results with text",
      messages: [
        SamplingMessage.assistant([call("1", "add")]),
        SamplingMessage.user([
          { type: "tool_result" as const, toolUseId: "1", content: [] },
          { type: "text" as const, text: "and then" }
        ])
      ]
    }
  ].map(({ messages, what }) =>
    // W1, W16: the mistake is the caller's, and nobody is asked.
    scenario(`refuses a history ${what}`, {
      needsTools: false,
      model: inOrder("done"),
      run: logged(
        Effect.map(
          Sampler.sample([SamplingMessage.user("Go"), ...messages], { toolkit: Tools }),
          ({ text }) => ({ text })
        )
      ),
      check: (outcome) => {
        assert.strictEqual(failed(outcome)._tag, "InvalidRequest")
        assert.deepStrictEqual(outcome.requests, [])
      }
    })
  ),
  scenario("lets onTurn see each turn with calls, and stop the loop", {
    needsTools: true,
    model: (_, index) =>
      calls({ type: "text", text: `turn ${index + 1}` }, call(`${index}`, "add", { a: index, b: 1 })),
    run: Effect.suspend(() => {
      const turns: Array<ReadonlyArray<unknown>> = []
      return Effect.map(
        sample({
          onTurn: ({ calls, history, index, results }) =>
            Effect.sync(() => {
              turns.push([index, calls.length, results.length, history.length])
              return index === 2 ? "stop" : "continue"
            })
        }),
        (report) => ({ ...report, seen: turns })
      )
    }),
    check: (outcome) => {
      const { roles, seen, text, turns } = ok(outcome)
      assert.deepStrictEqual(seen, [[1, 1, 1, 3], [2, 1, 1, 5]])
      assert.deepStrictEqual([text, turns, roles.at(-1)], ["turn 2", 2, "user"])
    }
  })
]

export const toolScenarios: ReadonlyArray<Scenario> = [
  ...running,
  ...concurrency,
  ...deciding,
  ...choosing,
  ...approving,
  ...continuing
]
