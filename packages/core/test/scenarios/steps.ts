/** Scenarios of `step`, which takes one turn at a time. */
import { Sampler, SamplingMessage } from "@effect-sampling/core"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { Scenario } from "./Scenario.ts"
import { blocksOf, call, calls, inOrder, ok, resultText, scenario, textOf } from "./Scenario.ts"
import { logged, Tools } from "./toolkit.ts"

const see = ({ calls, history, results, text }: Sampler.Step) => ({
  text,
  calls: calls.map(({ name }) => name),
  results: results.map(({ content }) => textOf(content)),
  roles: history.map(({ role }) => role)
})

export const stepScenarios: ReadonlyArray<Scenario> = [
  scenario("step returns the text of a reply without calls", {
    needsTools: true,
    model: inOrder("Hello"),
    run: logged(Effect.map(Sampler.step("Hi", { toolkit: Tools }), see)),
    check: (outcome) =>
      assert.deepStrictEqual(ok(outcome), {
        text: "Hello",
        calls: [],
        results: [],
        roles: ["user", "assistant"],
        log: []
      })
  }),
  scenario("step runs the calls once, and does not ask again", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: 1, b: 2 }))),
    run: logged(Effect.map(Sampler.step("Hi", { toolkit: Tools }), see)),
    check: (outcome) => {
      assert.deepStrictEqual(ok(outcome), {
        text: "",
        calls: ["add"],
        results: ["3"],
        roles: ["user", "assistant", "user"],
        log: ["add 1 2"]
      })
      assert.strictEqual(outcome.requests.length, 1)
    }
  }),
  // W3: the content decides whether there are calls, not the stop reason.
  scenario("step leaves the calls to its caller with execute false", {
    needsTools: true,
    model: inOrder({ content: [call("1", "add", { a: 1, b: 2 })], stopReason: "endTurn" }),
    run: logged(Effect.map(Sampler.step("Hi", { toolkit: Tools, execute: false }), see)),
    check: (outcome) =>
      assert.deepStrictEqual(ok(outcome), {
        text: "",
        calls: ["add"],
        results: [],
        roles: ["user", "assistant"],
        log: []
      })
  }),
  scenario("repeated steps over the history form a tool loop", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: 1, b: 2 })), (request) => `It is ${resultText(request)}`),
    run: logged(Effect.gen(function*() {
      let step = yield* Sampler.step("Hi", { toolkit: Tools })
      while (step.calls.length > 0) step = yield* Sampler.step(step.history, { toolkit: Tools })
      return see(step)
    })),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "It is 3")
      assert.strictEqual(outcome.requests.length, 2)
    }
  }),
  scenario("step continues from results that its caller made", {
    needsTools: true,
    model: inOrder(calls(call("1", "add", { a: 1, b: 2 })), "done"),
    run: logged(Effect.gen(function*() {
      const first = yield* Sampler.step("Hi", { toolkit: Tools, execute: false })
      const results = first.calls.map(({ id }) => ({
        type: "tool_result" as const,
        toolUseId: id,
        content: [{ type: "text" as const, text: "by hand" }]
      }))
      return see(yield* Sampler.step([...first.history, SamplingMessage.user(results)], { toolkit: Tools }))
    })),
    check: (outcome) => {
      assert.strictEqual(ok(outcome).text, "done")
      assert.deepStrictEqual(blocksOf(outcome.requests[1]!.messages.at(-1)).map(({ type }) => type), ["tool_result"])
      assert.strictEqual(resultText(outcome.requests[1]), "by hand")
    }
  })
]
