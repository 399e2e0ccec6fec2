import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { answer, isAsk, outcomeOf } from "./fixtures/RawClient.ts"
import { pipeClient } from "./fixtures/scoped.ts"

describe("Asks", { timeout: 30_000 }, () => {
  it.live("fails an ask with SamplingTimeout when the client stays silent, and ignores its late answers", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({ askTimeout: 300 })
      const call = client.startTool("ask", { prompt: "slow" })
      const asked = yield* Effect.promise(() => client.ask("slow"))
      const outcome = outcomeOf(yield* Effect.promise(() => client.response(call)))
      assert.strictEqual(outcome.failed, "SamplingTimeout")
      assert.include(outcome.message!, "0.3 seconds")
      assert.include(outcome.message!, "AskTimeout.AskTimeout")
      yield* Effect.promise(() =>
        client.received.find(({ method, params }) =>
          method === "notifications/cancelled" && params.requestId === asked.id
        )
      )
      yield* Effect.promise(() => client.send(answer(asked.id)))
      yield* Effect.promise(() => client.send(answer(asked.id)))
      const next = yield* Effect.promise(() =>
        client.askAndRespond("next", (id) => `${JSON.stringify(answer(id))}\n${JSON.stringify(answer(id, "twice"))}`)
      )
      assert.strictEqual(next.ok, "hello")
    }))

  it.live("waits on while the client reports progress", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({ askTimeout: 500 })
      const call = client.startTool("ask", { prompt: "progress" })
      const asked = yield* Effect.promise(() => client.ask("progress"))
      const progressToken = asked.params._meta.progressToken
      for (let progress = 1; progress <= 8; progress++) {
        yield* Effect.sleep(150)
        yield* Effect.promise(() => client.notify("notifications/progress", { progressToken, progress }))
      }
      yield* Effect.promise(() => client.send(answer(asked.id)))
      const outcome = outcomeOf(yield* Effect.promise(() => client.response(call)))
      assert.strictEqual(outcome.ok, "hello")
    }))

  it.live("asks without a sampling capability fail at once, and nothing is sent", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({}, { capabilities: {} })
      const response = yield* Effect.promise(() =>
        client.request("tools/call", { name: "ask", arguments: { prompt: "x" } })
      )
      assert.deepInclude(outcomeOf(response), { failed: "SamplingUnsupported", missing: "sampling" })
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  it.live("asks with tools or context need these capabilities", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({}, { capabilities: { sampling: {} } })
      const call = (name: string) =>
        Effect.promise(() => client.request("tools/call", { name, arguments: { prompt: "x" } }))
      assert.deepInclude(outcomeOf(yield* call("askWithTools")), { missing: "sampling.tools" })
      assert.deepInclude(outcomeOf(yield* call("askWithContext")), { missing: "sampling.context" })
      assert.isFalse(client.received.entries.some(isAsk))
    }))
})
