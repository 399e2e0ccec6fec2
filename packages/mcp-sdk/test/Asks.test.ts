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
      assert.include(outcome.message!, "ClientConnection.AskTimeout")
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

  // requirement: sampling/capability
  it.live("asks without a sampling capability fail at once, and nothing is sent", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({}, { capabilities: {} })
      const response = yield* Effect.promise(() =>
        client.request("tools/call", { name: "ask", arguments: { prompt: "x" } })
      )
      assert.deepInclude(outcomeOf(response), { failed: "SamplingUnsupported", missing: "sampling" })
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  // requirement: sampling/tools-capability
  it.live("asks with tools need the capability sampling.tools", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({}, { capabilities: { sampling: {} } })
      const response = yield* Effect.promise(() =>
        client.request("tools/call", { name: "askWithTools", arguments: { prompt: "x" } })
      )
      assert.deepInclude(outcomeOf(response), { missing: "sampling.tools" })
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  it.live("asks for context go out without it to a client that did not declare sampling.context", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({}, { capabilities: { sampling: {} } })
      const call = client.startTool("askWithContext", { prompt: "no context" })
      const asked = yield* Effect.promise(() => client.ask("no context"))
      assert.notProperty(asked.params, "includeContext")
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "answered")
    }))

  it.live("a call with the id of a call that has not ended is refused, and the first one is answered", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient()
      const call = client.startTool("ask", { prompt: "first" })
      const asked = yield* Effect.promise(() => client.ask("first"))
      const params = { name: "ask", arguments: { prompt: "second" } }
      yield* Effect.promise(() => client.send({ jsonrpc: "2.0", id: call, method: "tools/call", params }))
      const refused = yield* Effect.promise(() => client.received.find(({ error }) => error !== undefined))
      assert.deepInclude(refused, { id: call })
      assert.strictEqual(refused.error?.code, -32_600)
      assert.include(refused.error?.message, "belongs to a request that has not ended")
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(
        outcomeOf(yield* Effect.promise(() => client.received.find(({ result }) => result?.content))).ok,
        "hello"
      )
      assert.lengthOf(client.received.entries.filter(isAsk), 1)
    }))

  it.live("wait forever where AskTimeout is infinite", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient({ askTimeout: "Infinity" })
      const call = client.startTool("ask", { prompt: "forever" })
      const asked = yield* Effect.promise(() => client.ask("forever"))
      yield* Effect.promise(() => client.request("ping"))
      yield* Effect.sleep(20)
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
    }))

  it.live("of a call that was cancelled fail with ConnectionLost, and nothing is sent", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient()
      const call = client.startTool("askWhenInterrupted")
      yield* Effect.promise(() => client.event("askWhenInterrupted started"))
      yield* Effect.promise(() => client.notify("notifications/cancelled", { requestId: call }))
      const outcome = yield* Effect.promise(() => client.events.find((event) => event.startsWith("{")))
      assert.include(outcome, "ConnectionLost")
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  it.live("end with their call also when the client numbers it 0", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient()
      yield* Effect.promise(() =>
        client.send({
          jsonrpc: "2.0",
          id: 0,
          method: "tools/call",
          params: { name: "ask", arguments: { prompt: "zero" } }
        })
      )
      yield* Effect.promise(() => client.ask("zero"))
      yield* Effect.promise(() => client.notify("notifications/cancelled", { requestId: 0 }))
      yield* Effect.promise(() => client.event("ask interrupted", 1000))
    }))

  it.live("of one client are not answered by another", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient()
      const other = yield* pipeClient()
      const call = client.startTool("ask", { prompt: "mine" })
      const asked = yield* Effect.promise(() => client.ask("mine"))
      yield* Effect.promise(() => other.send(answer(asked.id, "forged")))
      yield* Effect.promise(() => other.request("ping"))
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
    }))

  it.live("wrong arguments are not repeated at length", () =>
    Effect.gen(function*() {
      const client = yield* pipeClient()
      for (const prompts of ["x".repeat(1_000_000), Array.from({ length: 5000 }, () => 1)]) {
        const response = yield* Effect.promise(() =>
          client.request("tools/call", { name: "askMany", arguments: { prompts } })
        )
        assert.isTrue(response.result.isError)
        assert.isBelow(JSON.stringify(response).length, 5000)
      }
      const id = client.nextId()
      yield* Effect.promise(() =>
        client.post(
          `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"ask","arguments":{"prompt":${
            "[".repeat(50_000)
          }${"]".repeat(50_000)}}}}`
        )
      )
      const response = yield* Effect.promise(() => client.response(id))
      assert.isTrue(response.result.isError)
    }))
})
