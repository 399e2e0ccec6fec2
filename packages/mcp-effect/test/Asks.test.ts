import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { answer, isAsk, outcomeOf } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { officialClient, rawClient, stdioClient, tools } from "./fixtures/servers.ts"

const errorAnswer = (code: number, message: string) => (id: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } })

describe("Asks", { timeout: 60_000 }, () => {
  // requirement: transports/related-request
  it.live("an ask travels on the HTTP stream of its call", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      const call = client.startTool("ask", { prompt: "stream" })
      const asked = yield* Effect.promise(() => client.ask("stream"))
      assert.strictEqual(client.origins.get(asked), call)
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
    }))

  for (const protocolVersion of ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]) {
    it.live(`an ask is answered over stdio (MCP ${protocolVersion})`, () =>
      Effect.gen(function*() {
        const client = yield* stdioClient({}, { protocolVersion })
        const outcome = yield* Effect.promise(() => client.askAndRespond("hi", (id) => JSON.stringify(answer(id))))
        assert.strictEqual(outcome.ok, "hello")
        assert.deepStrictEqual(client.noise, [])
      }))
  }

  it.live("several asks of one call can be open at once, and each receives its own answer", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      const call = client.startTool("askMany", { prompts: ["one", "two", "three"] })
      for (const prompt of ["two", "three", "one"]) {
        const asked = yield* Effect.promise(() => client.ask(prompt))
        yield* Effect.promise(() => client.send(answer(asked.id, `answer to ${prompt}`)))
      }
      const response = yield* Effect.promise(() => client.response(call))
      assert.deepStrictEqual(
        JSON.parse(response.result.content[0].text),
        ["one", "two", "three"].map((prompt) => ({ ok: `answer to ${prompt}` }))
      )
    }))

  it.live("the official client answers an ask, and stops its handler when the call is cancelled", () =>
    Effect.gen(function*() {
      const sampling = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      const client = yield* officialClient(tools(), (params, signal) => {
        if (!JSON.stringify(params.messages).includes("cancel me")) {
          return Promise.resolve({ role: "assistant", model: "m", content: { type: "text", text: "official" } })
        }
        signal.addEventListener("abort", () => Deferred.doneUnsafe(stopped, Effect.void))
        Deferred.doneUnsafe(sampling, Effect.void)
        return new Promise<never>(() => {})
      })
      // The first request of a server has the id 0, whose cancellation the official client ignores.
      const first = yield* Effect.promise(() => client.callTool({ name: "ask", arguments: { prompt: "first" } }))
      assert.include(JSON.stringify(first), "official")
      const cancellation = new AbortController()
      const cancelled = client.callTool({ name: "ask", arguments: { prompt: "cancel me" } }, undefined, {
        signal: cancellation.signal
      }).then(() => "answered", () => "rejected")
      yield* Deferred.await(sampling)
      cancellation.abort("test")
      assert.strictEqual(yield* Effect.promise(() => cancelled), "rejected")
      yield* Deferred.await(stopped)
      const next = yield* Effect.promise(() => client.callTool({ name: "ask", arguments: { prompt: "next" } }))
      assert.include(JSON.stringify(next), "official")
    }))

  it.live("an ask without an answer fails with SamplingTimeout, is cancelled, and ignores a late answer", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ askTimeout: 300 })
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
      const next = yield* Effect.promise(() => client.askAndRespond("next", (id) => JSON.stringify(answer(id))))
      assert.strictEqual(next.ok, "hello")
    }))

  it.live("an ask has no time limit if AskTimeout is infinite", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ askTimeout: "Infinity" })
      const outcome = yield* Effect.promise(() => client.askAndRespond("x", (id) => JSON.stringify(answer(id))))
      assert.strictEqual(outcome.ok, "hello")
    }))

  // requirement: cancellation/receiver
  it.live("an ask ends when the client cancels its call", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      const call = client.startTool("ask", { prompt: "cancelled" })
      const asked = yield* Effect.promise(() => client.ask("cancelled"))
      yield* Effect.promise(() => client.notify("notifications/cancelled", { requestId: call }))
      yield* Effect.promise(() => client.event("ask interrupted", 1000))
      yield* Effect.promise(() =>
        client.received.find(({ method, params }) =>
          method === "notifications/cancelled" && params.requestId === asked.id
        )
      )
    }))

  it.live("an ask ends when the client drops the HTTP stream of its call or ends the session", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      const dropped = client.startTool("ask", { prompt: "dropped" })
      yield* Effect.promise(() => client.ask("dropped"))
      client.streams.get(dropped)!.abort()
      yield* Effect.promise(() => client.event("ask interrupted", 1000))
      client.events.entries.length = 0
      client.startTool("ask", { prompt: "ended" })
      yield* Effect.promise(() => client.ask("ended"))
      assert.strictEqual((yield* Effect.promise(() => client.delete())).status, 204)
      yield* Effect.promise(() => client.event("ask interrupted", 1000))
    }))

  it.live("an ask of a cancelled call fails with ConnectionLost, and nothing is sent", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      const call = client.startTool("askWhenInterrupted")
      yield* Effect.promise(() => client.event("askWhenInterrupted started"))
      yield* Effect.promise(() => client.notify("notifications/cancelled", { requestId: call }))
      const outcome = yield* Effect.promise(() => client.events.find((event) => event.startsWith("{")))
      assert.include(outcome, "ConnectionLost")
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  // requirement: sampling/capability
  it.live("an ask to a client without the sampling capability fails at once, and nothing is sent", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ capabilities: {} })
      const response = yield* Effect.promise(() =>
        client.request("tools/call", { name: "ask", arguments: { prompt: "x" } })
      )
      assert.deepInclude(outcomeOf(response), { failed: "SamplingUnsupported", missing: "sampling" })
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  // requirement: sampling/tools-capability
  it.live("an ask with tools fails if the client did not declare sampling.tools", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ capabilities: { sampling: {} } })
      const response = yield* Effect.promise(() =>
        client.request("tools/call", { name: "askWithTools", arguments: { prompt: "x" } })
      )
      assert.deepInclude(outcomeOf(response), { missing: "sampling.tools" })
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  it.live("an ask is sent without includeContext to a client that did not declare sampling.context", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ capabilities: { sampling: {} } })
      const call = client.startTool("askWithContext", { prompt: "no context" })
      const asked = yield* Effect.promise(() => client.ask("no context"))
      assert.notProperty(asked.params, "includeContext")
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "answered")
    }))

  it.live("an ask carries tools and context to a client that declared both capabilities", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      for (const name of ["askWithTools", "askWithContext"]) {
        const call = client.startTool(name, { prompt: name })
        const asked = yield* Effect.promise(() => client.ask(name))
        if (name === "askWithTools") {
          assert.deepStrictEqual(asked.params.tools, [{ name: "clock", inputSchema: { type: "object" } }])
        } else assert.strictEqual(asked.params.includeContext, "thisServer")
        yield* Effect.promise(() => client.send(answer(asked.id)))
        assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "answered")
      }
    }))

  it.live("an ask of one session cannot be answered by another session", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      const other = yield* rawClient()
      const call = client.startTool("ask", { prompt: "mine" })
      const asked = yield* Effect.promise(() => client.ask("mine"))
      yield* Effect.promise(() => other.send(answer(asked.id, "forged")))
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
    }))

  it.live("an ask and its answer carry large texts", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      const size = 5_000_000
      const call = client.startTool("askLarge", { size })
      const asked = yield* Effect.promise(() => client.received.find(isAsk))
      assert.strictEqual(asked.params.messages[0].content.text.length, size)
      yield* Effect.promise(() => client.send(answer(asked.id, "y".repeat(size))))
      assert.strictEqual(
        outcomeOf(yield* Effect.promise(() => client.response(call))).ok,
        `${size} characters`
      )
    }))
})

describe("Errors of clients", { timeout: 30_000 }, () => {
  const cases = [
    ["the client error -1 becomes SamplingRejected", -1, "User rejected sampling request", "SamplingRejected"],
    [
      "the denial of Visual Studio Code becomes SamplingRejected",
      -32_603,
      "The user has denied permission to call this method.",
      "SamplingRejected"
    ],
    ["the client error -32601 becomes SamplingUnsupported", -32_601, "Method not found", "SamplingUnsupported"],
    [
      "the error -32600 of the Python SDK becomes SamplingUnsupported",
      -32_600,
      "Sampling not supported",
      "SamplingUnsupported"
    ],
    ["the client error -32603 becomes a ClientError", -32_603, "boom ".repeat(200_000), "ClientError"],
    ["the client error -32000 becomes a ClientError, not ConnectionLost", -32_000, "Connection closed", "ClientError"]
  ] as const
  for (const [title, code, message, expected] of cases) {
    it.live(title, () =>
      Effect.gen(function*() {
        const client = yield* rawClient()
        const outcome = yield* Effect.promise(() => client.askAndRespond("x", errorAnswer(code, message)))
        assert.strictEqual(outcome.failed, expected)
        assert.isBelow(outcome.message!.length, 500)
        if (expected === "ClientError") assert.strictEqual(outcome.code, code)
      }))
  }
})
