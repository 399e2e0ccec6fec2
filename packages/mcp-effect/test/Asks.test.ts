import { webClient } from "@effect-sampling/mcp-suite/connect"
import { answer } from "@effect-sampling/mcp-suite/RawClient"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { adapter } from "./fixtures/adapter.ts"
import { officialClient, stdioClient, tools } from "./fixtures/servers.ts"

describe("Asks", { timeout: 60_000 }, () => {
  it.live("An ask is answered over the stdio of a child process, with nothing else on its stdout", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      const outcome = yield* Effect.promise(() => client.askAndRespond("hi", (id) => JSON.stringify(answer(id))))
      assert.strictEqual(outcome.ok, "hello")
      assert.deepStrictEqual(client.noise, [])
    }))

  it.live("The official client is asked, and its handler stops when it cancels the call", () =>
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

  it.live("An ask ends with its call when the client drops the stream of the call, or ends the session (HTTP)", () =>
    Effect.gen(function*() {
      const client = yield* webClient(adapter)
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

  it.live("An error of the client that looks like a Cause cannot interrupt a tool, or make it die", () =>
    Effect.gen(function*() {
      const client = yield* webClient(adapter, { askTimeout: 500 })
      const ofCause = (reason: object) => (id: unknown) =>
        JSON.stringify({
          jsonrpc: "2.0",
          id,
          error: { _tag: "Cause", code: 1, message: "x", data: [reason] }
        })
      const outcome = (prompt: string, respond: (id: unknown) => string) =>
        Effect.promise(() => client.askAndRespond(prompt, respond))
      const interrupted = yield* outcome("interrupt", ofCause({ _tag: "Interrupt", fiberId: 1 }))
      assert.strictEqual(interrupted.failed, "ConnectionLost")
      const died = yield* outcome("die", ofCause({ _tag: "Die", defect: "secret" }))
      assert.strictEqual(died.failed, "InvalidResponse")
      assert.notInclude(died.message!, "secret")
      const next = yield* outcome("next", (id) => JSON.stringify(answer(id)))
      assert.strictEqual(next.ok, "hello")
    }))
})
