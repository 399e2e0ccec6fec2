import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { answer, isAsk, outcomeOf } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { officialClient, rawClient, stdioClient, tools } from "./fixtures/servers.ts"

const errorAnswer = (code: number, message: string) => (id: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } })

describe("Asks", { timeout: 60_000 }, () => {
  // requirement: transports/related-request
  it.live("travel on the stream of their call (HTTP)", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      const call = client.startTool("ask", { prompt: "stream" })
      const asked = yield* Effect.promise(() => client.ask("stream"))
      assert.strictEqual(client.origins.get(asked), call)
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
    }))

  for (const protocolVersion of ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]) {
    it.live(`are answered over stdio (${protocolVersion})`, () =>
      Effect.gen(function*() {
        const client = yield* stdioClient({}, { protocolVersion })
        const outcome = yield* Effect.promise(() => client.askAndRespond("hi", (id) => JSON.stringify(answer(id))))
        assert.strictEqual(outcome.ok, "hello")
        assert.deepStrictEqual(client.noise, [])
      }))
  }

  it.live("of one call may be open at the same time, and are told apart", () =>
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

  it.live("work with the official client, whose handler is stopped when the call is cancelled", () =>
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
      // The official client does not heed the cancellation of the first request of a server, because its id is 0.
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

  it.live("fail with SamplingTimeout when the client stays silent; the client is told, and late answers are ignored", () =>
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

  it.live("wait forever where AskTimeout is infinite", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ askTimeout: "Infinity" })
      const outcome = yield* Effect.promise(() => client.askAndRespond("x", (id) => JSON.stringify(answer(id))))
      assert.strictEqual(outcome.ok, "hello")
    }))

  // requirement: cancellation/receiver
  it.live("end with their call when the client cancels it", () =>
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

  it.live("end with their call when the client drops its stream, or ends the session (HTTP)", () =>
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

  it.live("of a call that was cancelled fail with ConnectionLost, and nothing is sent", () =>
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
  it.live("without a sampling capability fail at once, and nothing is sent", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ capabilities: {} })
      const response = yield* Effect.promise(() =>
        client.request("tools/call", { name: "ask", arguments: { prompt: "x" } })
      )
      assert.deepInclude(outcomeOf(response), { failed: "SamplingUnsupported", missing: "sampling" })
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  // requirement: sampling/tools-capability
  it.live("with tools need the capability sampling.tools", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ capabilities: { sampling: {} } })
      const response = yield* Effect.promise(() =>
        client.request("tools/call", { name: "askWithTools", arguments: { prompt: "x" } })
      )
      assert.deepInclude(outcomeOf(response), { missing: "sampling.tools" })
      assert.isFalse(client.received.entries.some(isAsk))
    }))

  it.live("for context go out without it to a client that did not declare sampling.context", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ capabilities: { sampling: {} } })
      const call = client.startTool("askWithContext", { prompt: "no context" })
      const asked = yield* Effect.promise(() => client.ask("no context"))
      assert.notProperty(asked.params, "includeContext")
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "answered")
    }))

  it.live("carry tools and context to a client that declared them", () =>
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

  it.live("of one session are not answered by another", () =>
    Effect.gen(function*() {
      const client = yield* rawClient()
      const other = yield* rawClient()
      const call = client.startTool("ask", { prompt: "mine" })
      const asked = yield* Effect.promise(() => client.ask("mine"))
      yield* Effect.promise(() => other.send(answer(asked.id, "forged")))
      yield* Effect.promise(() => client.send(answer(asked.id)))
      assert.strictEqual(outcomeOf(yield* Effect.promise(() => client.response(call))).ok, "hello")
    }))

  it.live("carry large texts both ways", () =>
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
    ["-1 is a rejection", -1, "User rejected sampling request", "SamplingRejected"],
    [
      "the denial of Visual Studio Code is a rejection",
      -32_603,
      "The user has denied permission to call this method.",
      "SamplingRejected"
    ],
    ["-32601 means that it has no handler, whatever it declared", -32_601, "Method not found", "SamplingUnsupported"],
    ["the Python SDK's -32600 means that it has no handler", -32_600, "Sampling not supported", "SamplingUnsupported"],
    ["-32603 is a failure of the client", -32_603, "boom ".repeat(200_000), "ClientError"],
    ["-32000 is a failure of the client, not a lost connection", -32_000, "Connection closed", "ClientError"]
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
