import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { answer, outcomeOf } from "./fixtures/RawClient.ts"
import { stdioClient } from "./fixtures/scoped.ts"

describe("StdioServer", { timeout: 30_000 }, () => {
  it.live("answers a call with what the client's model said", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      const outcome = yield* Effect.promise(() => client.askAndRespond("hi", (id) => JSON.stringify(answer(id))))
      assert.strictEqual(outcome.ok, "hello")
    }))

  it.live("interrupts the call and cancels the ask when the client cancels, from the first request of a session on", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      for (const prompt of ["first", "second"]) {
        const call = client.startTool("ask", { prompt })
        const asked = yield* Effect.promise(() => client.ask(prompt))
        assert.notStrictEqual(asked.id, 0)
        const started = Date.now()
        yield* Effect.promise(() => client.notify("notifications/cancelled", { requestId: call, reason: "test" }))
        const cancelled = yield* Effect.promise(() =>
          client.received.find((message) =>
            message.method === "notifications/cancelled" && message.params.requestId === asked.id
          )
        )
        yield* Effect.promise(() => client.event("ask interrupted"))
        assert.isBelow(Date.now() - started, 1000)
        assert.notInclude(JSON.stringify(cancelled).toLowerCase(), "time")
        // The cancelled call has no response: the next one is the first to come.
        yield* Effect.promise(() => client.request("ping"))
        assert.isFalse(client.received.entries.some((message) => message.id === call && message.method === undefined))
      }
    }))

  for (const mode of ["serve", "launch"]) {
    it.live(`interrupts calls, runs finalizers and exits when stdin ends (${mode})`, () =>
      Effect.gen(function*() {
        const client = yield* stdioClient({}, { mode })
        client.startTool("ask", { prompt: "pending" })
        client.startTool("never")
        yield* Effect.promise(() => client.ask("pending"))
        yield* Effect.promise(() => client.event("never started"))
        const started = Date.now()
        client.child.stdin!.end()
        const exit = yield* Effect.promise(() => client.exited)
        assert.isBelow(Date.now() - started, 2000)
        assert.include(client.stderr.entries, "ask interrupted")
        assert.include(client.stderr.entries, "never interrupted")
        assert.include(client.stderr.entries, "finalized")
        if (mode === "serve") assert.strictEqual(exit.code, 0)
        assert.deepStrictEqual(client.noise, [])
      }))
  }

  it.live("exits when the process of the client is killed", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({}, { mode: "serve" })
      client.startTool("ask", { prompt: "pending" })
      yield* Effect.promise(() => client.ask("pending"))
      client.child.stdin!.destroy()
      client.child.stdout!.destroy()
      const exit = yield* Effect.promise(() => client.exited)
      assert.strictEqual(exit.code, 0)
      assert.include(client.stderr.entries, "ask interrupted")
    }))

  it.live("lets a call end after SIGTERM, with the answer of its client", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      const call = client.startTool("ask", { prompt: "last words" })
      const asked = yield* Effect.promise(() => client.ask("last words"))
      client.child.kill("SIGTERM")
      yield* Effect.promise(() => client.send(answer(asked.id)))
      const response = yield* Effect.promise(() => client.response(call))
      assert.strictEqual(outcomeOf(response).ok, "hello")
      yield* Effect.promise(() => client.exited)
      assert.include(client.stderr.entries, "finalized")
    }))

  it.live("interrupts calls that outlast the shutdown grace, and tells the client", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({ shutdownGrace: 200 })
      const call = client.startTool("never")
      yield* Effect.promise(() => client.event("never started"))
      client.child.kill("SIGTERM")
      const response = yield* Effect.promise(() => client.response(call))
      assert.isTrue(response.result.isError)
      yield* Effect.promise(() => client.exited)
      assert.include(client.stderr.entries, "never interrupted")
    }))

  it.live("keeps stdout for the protocol when handlers log", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      const response = yield* Effect.promise(() => client.request("tools/call", { name: "log" }))
      assert.strictEqual(response.result.content[0].text, "logged")
      yield* Effect.promise(() => client.stderr.find((line) => line.includes("a line for the log")))
      yield* Effect.promise(() => client.request("tools/call", { name: "die" }))
      yield* Effect.promise(() => client.stderr.find((line) => line.includes("secret-of-the-defect")))
      assert.deepStrictEqual(client.noise, [])
    }))

  it.live("ends without a crash when the client stops reading", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      client.child.stdout!.destroy()
      client.startTool("large", { size: 1_000_000 })
      const exit = yield* Effect.promise(() => client.exited)
      assert.strictEqual(exit.code, 0)
      assert.include(client.stderr.entries, "finalized")
      assert.notInclude(client.stderr.entries.join("\n"), "EPIPE")
    }))
})
