/** Scenarios of `sample` with a toolkit. Comments name weaknesses that `weaknesses.test.ts` lists. */
import { type Content, Sampler, SamplingMessage, ToolApproval, type ToolLoop } from "@effect-sampling/core"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import type { Model, Scenario } from "./Scenario.ts"
import { blocksOf, call, calls, failed, inOrder, ok, results, resultText, scenario, textOf } from "./Scenario.ts"
import { logged, toolkitOf, Tools } from "./toolkit.ts"

class Tenant extends Context.Service<Tenant, string>()("test/scenarios/tools/Tenant") {}

type Options = Partial<ToolLoop.Options<typeof Tools.tools>>

/** Samples with all tools, and reports the reply and what ran. */
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

/** A model that calls the slow tool once for each name in one reply, and then ends. */
const batch = (...names: ReadonlyArray<string>): Model => inOrder(calls(...names.map(slow)), "done")

const overlaps = (log: ReadonlyArray<string>): boolean => log.slice(0, 2).every((entry) => entry.endsWith("starts"))

const running: ReadonlyArray<Scenario> = [
  scenario("the tool loop runs the calls of a reply, and asks again with their results", {
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
  scenario("the tool loop offers every tool with its name, description and input schema", {
    needsTools: true,
    model: inOrder("done"),
    run: sample(),
    check: ({ requests: [request] }) => {
      const [add, lookup] = request!.tools!
      assert.deepStrictEqual([add!.name, add!.description], ["add", "Adds two numbers"])
      assert.deepStrictEqual(Object.keys(Object(add!.inputSchema["properties"])), ["a", "b", "note"])
      assert.deepStrictEqual(add!.inputSchema["required"], ["a", "b"])
      // The schema of a class with an identifier is a reference, but MCP requires an object at the root.
      assert.deepStrictEqual(Object.keys(Object(lookup!.inputSchema["properties"])), ["city"])
      assert.isUndefined(lookup!.description)
    }
  }),
  scenario("several calls of one reply run in order, and are answered in one message", {
    needsTools: true,
    model: inOrder(calls(call("x", "add", { a: 1, b: 1 }), call("y", "lookup", { city: "Rome" })), "done"),
    run: sample(),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome).log, ["add 1 1", "lookup Rome"])
      assert.deepStrictEqual(results(outcome.requests[1]).map(({ toolUseId }) => toolUseId), ["x", "y"])
    }
  }),
  scenario("the tool loop continues for as many turns as the model calls tools", {
    needsTools: true,
    model: (_, index) => index < 5 ? calls(call(`${index}`, "add", { a: index, b: 1 })) : "done",
    run: sample(),
    check: (outcome) => assert.deepStrictEqual([ok(outcome).turns, outcome.requests.length], [6, 6])
  }),
  scenario("a call of an unknown tool is answered with the names of the tools", {
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
  // W16: the text of a defect reaches neither the model nor the client.
  scenario("a defect of a tool is masked, and the tool loop continues", {
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
  scenario("a failure that a tool returns is shown to the model", {
    needsTools: true,
    model: inOrder(calls(call("1", "lenient")), "done"),
    run: sample(),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "done")
      assert.isTrue(results(outcome.requests[1])[0]!.isError)
      assert.include(resultText(outcome.requests[1]), "not today")
    }
  }),
  scenario("a failure that a tool declares fails the sample", {
    needsTools: true,
    model: inOrder(calls(call("1", "strict")), "done"),
    run: sample(),
    check: (outcome) => {
      assert.deepInclude(failed(outcome), { _tag: "Refused", why: "not today" })
      assert.strictEqual(outcome.requests.length, 1)
    }
  }),
  // W10: a toolkit has one tool for each name, on the wire and when it runs.
  scenario("only one of two tools of one name is offered and runs", {
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
  scenario("tool handlers run with the services of their layer", {
    needsTools: true,
    model: inOrder(calls(call("1", "who")), "done"),
    run: Effect.suspend(() => {
      const Who = Toolkit.make(Tool.make("who", { success: Schema.String, dependencies: [Tenant] }))
      const handlers = Layer.provide(Who.toLayer({ who: () => Effect.service(Tenant) }), Layer.succeed(Tenant, "acme"))
      const run = Sampler.sample("Go", { toolkit: Who }).pipe(
        Effect.map(({ text }) => ({ text })),
        Effect.provide(handlers, { local: true })
      )
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the layer provides the tenant
      return run as Effect.Effect<Effect.Success<typeof run>, Effect.Error<typeof run>, Sampler.Sampler>
    }),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "done")
      assert.strictEqual(resultText(outcome.requests[1]), "acme")
    }
  }),
  // W5: FastMCP does not check arguments, and returns "1" + "2" = "12" to the model.
  scenario("tool arguments that do not fit are refused with an error that says what is wrong", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: "1" })), "done"),
    run: sample(),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome).log, [])
      assert.isTrue(results(outcome.requests[1])[0]!.isError)
      assert.match(resultText(outcome.requests[1]), /^Invalid arguments for the tool "add": (.|\n)*"a"/)
    }
  }),
  // W5: FastMCP returns Python text, `{'city': 'Rome', 'mayor': None}`.
  scenario("tool results are the JSON of their schema", {
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
  // W5: FastMCP returns the repr of the object.
  scenario("images in a tool result stay images", {
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
  scenario("the calls of a reply run one after the other by default", {
    needsTools: true,
    model: batch("a", "b"),
    run: sample(),
    check: (outcome) => assert.deepStrictEqual(ok(outcome).log, ["a starts", "a ends", "b starts", "b ends"])
  }),
  // W20: calls that are configured to run in parallel do.
  scenario("calls with unbounded concurrency run at the same time, with results in call order", {
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
  scenario("no more calls run at the same time than the concurrency allows", {
    needsTools: true,
    model: batch("a", "b", "c"),
    run: sample({ concurrency: 2 }),
    check: (outcome) => {
      const { log } = ok(outcome)
      assert.isTrue(overlaps(log), log.join())
      assert.isTrue(log.indexOf("c starts") > Math.min(log.indexOf("a ends"), log.indexOf("b ends")), log.join())
    }
  }),
  scenario("the calls of a reply with a Sequential tool run one after the other at any concurrency", {
    needsTools: true,
    model: inOrder(calls(slow("a"), call("b", "alone", { name: "b" })), calls(slow("c"), slow("d")), "done"),
    run: sample({ concurrency: "unbounded" }),
    check: (outcome) => {
      const { log } = ok(outcome)
      assert.deepStrictEqual(log.slice(0, 4), ["a starts", "a ends", "b starts", "b ends"])
      assert.isTrue(overlaps(log.slice(4)), log.join())
    }
  }),
  scenario("a failing call does not stop the other calls of its reply", {
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
    scenario(`the concurrency ${concurrency} is refused before anything is asked`, {
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
  // W3: a loop that trusts the stop reason returns "" as the final answer.
  scenario("tool calls run under any stop reason", {
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
  scenario("the tool loop ends at a reply with the stop reason toolUse and no call", {
    needsTools: true,
    model: inOrder({ content: "nothing to call", stopReason: "toolUse" }),
    run: sample(),
    check: (outcome) => {
      assert.deepStrictEqual([ok(outcome).text, ok(outcome).turns], ["nothing to call", 1])
      assert.strictEqual(outcome.requests.length, 1)
    }
  }),
  // W7: complete and truncated replies are distinguishable.
  scenario("a sample is truncated when its last reply was cut", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: 1, b: 1 })), { content: "and so", stopReason: "maxTokens" }),
    run: sample(),
    check: (outcome) => assert.deepStrictEqual([ok(outcome).truncated, ok(outcome).stopReason], [true, "maxTokens"])
  }),
  // W8: FastMCP returns only "one".
  scenario("the text of a sample joins all its text blocks", {
    needsTools: true,
    model: inOrder({ content: [{ type: "text", text: "one " }, { type: "text", text: "two" }], stopReason: "endTurn" }),
    run: sample(),
    check: (outcome) => assert.strictEqual(ok(outcome).text, "one two")
  }),
  scenario("the history keeps the text next to tool calls", {
    needsTools: true,
    model: inOrder(calls({ type: "text", text: "Let me see." }, call("1", "add", { a: 1, b: 1 })), "done"),
    run: sample(),
    check: ({ requests }) =>
      assert.deepStrictEqual(blocksOf(requests[1]!.messages.at(-2)).map(({ type }) => type), ["text", "tool_use"])
  }),
  // W12: FastMCP runs 100 turns, and then loses the history.
  scenario("the last turn forbids tools, and a call in it fails with the history", {
    needsTools: true,
    model: (_, index) => calls(call(`${index}`, "add", { a: index, b: 0 })),
    run: sample({ maxTurns: 3 }),
    check: (outcome) => {
      const error = failed(outcome)
      assert.strictEqual(error._tag, "TurnLimitExceeded")
      assert.deepStrictEqual(outcome.requests.map(({ toolChoice }) => toolChoice?.mode), [undefined, undefined, "none"])
      assert.isTrue(outcome.requests.every(({ tools }) => tools?.length === 9))
      // The calls of the last turn did not run, but are answered, so the conversation can continue.
      const history = Array.isArray(error["history"]) ? error["history"] : []
      assert.strictEqual(history.length, 7)
      assert.include(JSON.stringify(history.at(-1)), "The call was not run")
    }
  }),
  scenario("the tool loop has 16 turns by default", {
    needsTools: true,
    model: (_, index) => calls(call(`${index}`, "add", { a: index, b: 0 })),
    run: sample(),
    check: (outcome) => {
      assert.strictEqual(failed(outcome)["maxTurns"], 16)
      assert.strictEqual(outcome.requests.length, 16)
    }
  }),
  scenario("a model that heeds the last turn answers in it", {
    needsTools: true,
    model: (request, index) =>
      request.toolChoice?.mode === "none" ? "enough" : calls(call(`${index}`, "add", { a: 1, b: 1 })),
    run: sample({ maxTurns: 2 }),
    check: (outcome) => assert.deepStrictEqual([ok(outcome).text, ok(outcome).turns], ["enough", 2])
  }),
  scenario("the only turn forbids tools when maxTurns is 1", {
    needsTools: true,
    model: inOrder("done"),
    run: sample({ maxTurns: 1, toolChoice: "required" }),
    check: ({ requests }) => assert.strictEqual(requests[0]!.toolChoice?.mode, "none")
  }),
  ...[0, 1.5].map((maxTurns) =>
    scenario(`maxTurns ${maxTurns} is refused before anything is asked`, {
      needsTools: false,
      model: inOrder("done"),
      run: sample({ maxTurns }),
      check: (outcome) => assert.include(failed(outcome).message, "maxTurns")
    })
  )
]

const choosing: ReadonlyArray<Scenario> = [
  ...(["required", "auto"] as const).map((toolChoice) =>
    scenario(`the tool choice ${toolChoice} applies to the first turn only`, {
      needsTools: true,
      model: inOrder(calls(call("1", "add", { a: 1, b: 1 })), "done"),
      run: sample({ toolChoice }),
      check: ({ requests }) =>
        assert.deepStrictEqual(requests.map((request) => request.toolChoice?.mode), [toolChoice, undefined])
    })
  ),
  // W9: FastMCP drops the tools, which breaks histories with calls.
  scenario("the tool choice none offers the tools, and asks for no call in every turn", {
    needsTools: true,
    // A model that calls a tool all the same is asked again with the choice none.
    model: inOrder(calls(call("1", "add", { a: 1, b: 1 })), "done"),
    run: sample({ toolChoice: "none" }),
    check: ({ requests }) =>
      assert.deepStrictEqual(requests.map(({ toolChoice, tools }) => [toolChoice?.mode, tools?.length]), [
        ["none", 9],
        ["none", 9]
      ])
  }),
  scenario("a tool choice that names a tool offers only that tool in the first turn", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: 1, b: 1 })), "done"),
    run: sample({ toolChoice: { tool: "add" } }),
    check: ({ requests }) => {
      assert.deepStrictEqual(requests[0]!.tools?.map(({ name }) => name), ["add"])
      assert.strictEqual(requests[0]!.toolChoice?.mode, "required")
      assert.strictEqual(requests[1]!.tools?.length, 9)
    }
  }),
  // W9: providers answer 400 to a tool choice without tools. An empty toolkit counts as no tools.
  scenario("an empty toolkit sends neither tools nor a tool choice", {
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
  scenario("a tool that needs approval does not run without ToolApproval", {
    needsTools: true,
    model: inOrder(calls(call("1", "delete", { id: 7 })), "done"),
    run: sample(),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome).log, [])
      assert.strictEqual(resultText(outcome.requests[1]), `The call of the tool "delete" was not approved`)
    }
  }),
  scenario("approved calls run, and ToolApproval is not asked about arguments that do not fit", {
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
  // W6: the ids, names and error flags of another source survive.
  scenario("a sample continues from a history with tool calls of another source", {
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
    // W1, W16: the mistake is the caller's, so no source is asked.
    scenario(`a history ${what} is refused before anything is asked`, {
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
  scenario("onTurn receives each turn with calls, and can stop the loop", {
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
