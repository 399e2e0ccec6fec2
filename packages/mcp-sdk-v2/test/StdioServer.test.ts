import { StdioServer, StdioTransport } from "@effect-sampling/mcp-sdk-v2"
import { assert, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { Deferred, Effect, Layer } from "effect"
import { PassThrough } from "node:stream"
import { fileURLToPath } from "node:url"
import { answer, outcomeOf, StdioClient } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { existingServerClient, stdioClient } from "./fixtures/scoped.ts"

describe("StdioServer", { timeout: 30_000 }, () => {
  it.live.each(["Handler", "Feature"] as const)(
    "keeps what the tools of %s log away from the stdout of a server that it does not run",
    (kind) =>
      Effect.gen(function*() {
        const client = yield* existingServerClient(kind)
        const result = yield* Effect.promise(() => client.response(client.startTool("talk")))
        assert.include(JSON.stringify(result), "said")
        yield* Effect.promise(() => client.stderr.find((line) => line.includes("out of the way")))
        assert.deepStrictEqual(client.noise, [])
      })
  )

  it.live("refuses calls that are none", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      for (const params of [{}, { name: 1 }, { name: null, arguments: {} }, { name: "ask", arguments: [] }]) {
        const { error } = yield* Effect.promise(() => client.request("tools/call", params))
        assert.strictEqual(error?.code, -32602)
        assert.include(error?.message ?? "", "tools/call")
      }
      const outcome = yield* Effect.promise(() => client.askAndRespond("hi", (id) => JSON.stringify(answer(id))))
      assert.strictEqual(outcome.ok, "hello")
    }))

  it.live("answers a call with what the client's model said", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient()
      const outcome = yield* Effect.promise(() => client.askAndRespond("hi", (id) => JSON.stringify(answer(id))))
      assert.strictEqual(outcome.ok, "hello")
    }))

  // requirement: cancellation/receiver
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
    // requirement: transports/stdin-end
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

  it.live("exits when the client closes all of its streams", () =>
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

  // requirement: transports/stdout
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

  it.live("exits when the client is killed with SIGKILL", () =>
    Effect.gen(function*() {
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new StdioClient(new URL("./fixtures/stdioParent.ts", import.meta.url).href)),
        (it) => Effect.sync(() => it.child.kill("SIGKILL"))
      )
      // The server writes to the stderr of its parent, and so keeps it open until it exits.
      yield* Effect.promise(() => client.event("ask started"))
      client.child.kill("SIGKILL")
      const { signal } = yield* Effect.promise(() => client.exited)
      assert.strictEqual(signal, "SIGKILL")
      assert.include(client.stderr.entries, "ask interrupted")
      assert.include(client.stderr.entries, "finalized")
    }))

  it.live("works with the official client, whose sampling handler it stops when the call is cancelled", () =>
    Effect.gen(function*() {
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [
          "--conditions",
          "@effect-sampling/source",
          fileURLToPath(new URL("./fixtures/stdioServer.ts", import.meta.url)),
          "serve"
        ],
        stderr: "ignore"
      })
      const client = new Client({ name: "official", version: "1.0.0" }, { capabilities: { sampling: {} } })
      const sampling = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      client.setRequestHandler("sampling/createMessage", ({ params }, { mcpReq: { signal } }) => {
        if (JSON.stringify(params.messages).includes("cancel me")) {
          signal.addEventListener("abort", () => Deferred.doneUnsafe(stopped, Effect.void))
          Deferred.doneUnsafe(sampling, Effect.void)
          return new Promise<never>(() => {})
        }
        return { role: "assistant" as const, content: { type: "text" as const, text: "official" }, model: "m" }
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => client.connect(transport)),
        () => Effect.promise(() => client.close())
      )
      const cancellation = new AbortController()
      const cancelled = client.callTool({ name: "ask", arguments: { prompt: "cancel me" } }, {
        signal: cancellation.signal
      }).then(() => "answered", () => "rejected")
      yield* Deferred.await(sampling)
      cancellation.abort("test")
      assert.strictEqual(yield* Effect.promise(() => cancelled), "rejected")
      yield* Deferred.await(stopped)
      const result = yield* Effect.promise(() => client.callTool({ name: "ask", arguments: { prompt: "next" } }))
      assert.include(JSON.stringify(result), "official")
    }))

  it.live("the Layer fails when a feature fails", () =>
    Effect.gen(function*() {
      const layer = StdioServer.layer({
        name: "fixture",
        version: "1.0.0",
        stdin: new PassThrough(),
        stdout: new PassThrough(),
        features: [Effect.fail("no database")]
      })
      assert.strictEqual(yield* Effect.flip(Layer.build(layer)), "no database")
    }))
})

describe("StdioTransport", () => {
  it.live("closes when stdin ended before it started", () =>
    Effect.gen(function*() {
      const stdin = new PassThrough()
      stdin.destroy()
      yield* Effect.promise(() => new Promise((resolve) => stdin.once("close", resolve)))
      const transport = StdioTransport.make({ stdin, stdout: new PassThrough() })
      const closed = new Promise<void>((resolve) => {
        transport.onclose = resolve
      })
      yield* Effect.promise(() => transport.start())
      yield* Effect.promise(() => closed)
      const error = yield* Effect.promise(() =>
        transport.send({ jsonrpc: "2.0", method: "notifications/x" }).then(() => "sent", String)
      )
      assert.include(error, "closed")
    }))
})
