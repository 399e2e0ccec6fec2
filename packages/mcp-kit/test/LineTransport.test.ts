import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { PassThrough, Writable } from "node:stream"
import { LineTransport } from "../src/internal/stdio/LineTransport.ts"

/** Makes a transport. `writes` holds one entry for each write to stdout; a slow stdout completes them by `taken`. */
const make = (options: { readonly isSlow?: boolean } = {}) => {
  const writes: Array<string> = []
  const taken: Array<() => void> = []
  const stdout = new Writable({
    decodeStrings: false,
    highWaterMark: options.isSlow === true ? 1 : 1_000_000,
    write: (text: string, _, done) => {
      writes.push(text)
      if (options.isSlow === true) taken.push(done)
      else done()
    }
  })
  const stdin = new PassThrough()
  const transport = new LineTransport({ stdin, stdout, maxMessageBytes: 1_000_000, endGraceMillis: 50 })
  const send = (...texts: ReadonlyArray<string>) => Promise.all(texts.map((text) => transport.send({ text })))
  return { send, stdin, stdout, taken, transport, writes }
}

const lineOf = (text: string) => `${JSON.stringify({ text })}\n`

describe("LineTransport", () => {
  it.effect("a request that is not valid gets an error with its id, and does not keep the transport open", () =>
    Effect.gen(function*() {
      const { stdin, transport, writes } = make()
      const delivered: Array<object> = []
      transport.onmessage = (message) => void delivered.push(message)
      yield* Effect.promise(() => transport.start())
      const closed = new Promise<void>((resolve) => {
        transport.onclose = resolve
      })
      const wrong = [
        { jsonrpc: "2.0", id: 1, method: "ping", extra: true },
        { jsonrpc: "2.0", id: 2, method: "ping", params: [] },
        { jsonrpc: "2.0", id: "3", method: "ping", params: { _meta: 5 } },
        { jsonrpc: "2.0", id: 4, method: "ping", params: { _meta: { progressToken: {} } } },
        { jsonrpc: "1.0", id: 5, method: "ping" },
        { jsonrpc: "2.0", id: 6, method: 6 }
      ]
      stdin.end(
        [...wrong, { jsonrpc: "2.0", method: "notifications/x" }].map((it) => `${JSON.stringify(it)}\n`).join("")
      )
      yield* Effect.promise(() => closed)
      const responses = writes.join("").trim().split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual(responses.map(({ id }) => id), wrong.map(({ id }) => id))
      assert.deepStrictEqual([...new Set(responses.map(({ error }) => error.code))], [-32_600])
      assert.deepStrictEqual(delivered, [{ jsonrpc: "2.0", method: "notifications/x" }])
    }))

  it.effect("messages that are sent at the same time are written at once and in order", () =>
    Effect.gen(function*() {
      const { send, writes } = make()
      const later = Effect.promise(async () => {
        await Promise.resolve()
        await send("c")
      })
      yield* Effect.all([Effect.promise(() => send("a", "b")), later], { concurrency: "unbounded" })
      yield* Effect.promise(() => send("d"))
      assert.deepStrictEqual(writes, [["a", "b", "c"].map(lineOf).join(""), lineOf("d")])
    }))

  it.effect("a line holds no line end of Unicode, at which some clients would split it", () =>
    Effect.gen(function*() {
      const { send, writes } = make()
      yield* Effect.promise(() => send("a\u2028b\u2029c"))
      assert.deepStrictEqual(writes, ["{\"text\":\"a\\u2028b\\u2029c\"}\n"])
      assert.deepStrictEqual(JSON.parse(writes[0]!), { text: "a\u2028b\u2029c" })
    }))

  it.effect("large lines are written separately", () =>
    Effect.gen(function*() {
      const { send, writes } = make()
      const large = "x".repeat(70_000)
      yield* Effect.promise(() => send("a", large, "b", "c"))
      assert.deepStrictEqual(writes, [lineOf("a"), lineOf(large), lineOf("b") + lineOf("c")])
    }))

  it.effect("messages that were sent before close are written", () =>
    Effect.gen(function*() {
      const { send, transport, writes } = make()
      const sent = send("a")
      const closed = transport.close()
      assert.deepStrictEqual(writes, [lineOf("a")])
      yield* Effect.promise(() => Promise.all([sent, closed]))
    }))

  it.effect("every message of a failed write fails", () =>
    Effect.gen(function*() {
      const { send, stdout } = make()
      stdout.write = () => {
        throw new Error("broken")
      }
      const sent = ["a", "b"].map((text) => Effect.flip(Effect.tryPromise(() => send(text))))
      const errors = yield* Effect.all(sent, { concurrency: "unbounded" })
      assert.deepStrictEqual(errors.map(({ cause }) => cause), [new Error("broken"), new Error("broken")])
    }))

  it.effect("senders wait for a slow reader with one listener for all", () =>
    Effect.gen(function*() {
      const { send, stdout, taken, writes } = make({ isSlow: true })
      let done = 0
      for (let count = 0; count < 20; count++) {
        void send("x".repeat(70_000)).then(() => done++)
        yield* Effect.promise(() => new Promise(setImmediate))
      }
      assert.deepStrictEqual([stdout.listenerCount("drain"), done], [1, 0])
      while (taken.length > 0) {
        taken.shift()!()
        yield* Effect.promise(() => new Promise(setImmediate))
      }
      assert.deepStrictEqual([writes.length, done], [20, 20])
    }))

  it.effect("nothing is read while a slow reader has not taken what was written", () =>
    Effect.gen(function*() {
      const { send, stdin, taken, transport } = make({ isSlow: true })
      const read: Array<unknown> = []
      transport.onmessage = (message) => void read.push(message)
      yield* Effect.promise(() => transport.start())
      const turn = Effect.promise(() => new Promise(setImmediate))
      const sent = send("x".repeat(70_000))
      yield* turn
      stdin.write(lineOf("a") + lineOf("b"))
      yield* turn
      assert.deepStrictEqual(read, [])
      taken.shift()!()
      yield* Effect.promise(() => sent)
      yield* turn
      assert.deepStrictEqual(read, [{ text: "a" }, { text: "b" }])
    }))

  const request = (id: number, method = "tools/call") => ({ jsonrpc: "2.0", id, method })

  const ended = (messages: ReadonlyArray<object>, end: string) =>
    Effect.gen(function*() {
      const { stdin, transport, writes } = make()
      const read: Array<{ readonly id?: unknown }> = []
      transport.onmessage = (message) => void read.push(message)
      const closed = yield* Deferred.make<void>()
      transport.onclose = () => Deferred.doneUnsafe(closed, Effect.void)
      yield* Effect.promise(() => transport.start())
      stdin.end(messages.map((message) => JSON.stringify(message)).join("\n") + end)
      yield* Effect.promise(() => new Promise(setImmediate))
      return { closed, read, transport, writes }
    })

  it.live("the last line counts, and the requests before the end of stdin may be answered", () =>
    Effect.gen(function*() {
      const { closed, read, transport, writes } = yield* ended([request(1), request(2)], "")
      assert.deepStrictEqual(read.map(({ id }) => id), [1, 2])
      yield* Effect.promise(() => transport.send({ jsonrpc: "2.0", id: 1, result: {} }))
      assert.isFalse(Deferred.isDoneUnsafe(closed))
      yield* Effect.promise(() => transport.send({ jsonrpc: "2.0", id: 2, result: {} }))
      yield* Deferred.await(closed)
      assert.strictEqual(writes.join("").split("\n").length, 3)
    }))

  it.live("requests that are not answered in time, or that were cancelled, do not keep the transport open", () =>
    Effect.gen(function*() {
      yield* Deferred.await((yield* ended([request(1)], "\n")).closed)
      const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } }
      const subscription = request(2, "subscriptions/listen")
      const { closed } = yield* ended([request(1), cancelled, subscription], "\n")
      assert.isTrue(Deferred.isDoneUnsafe(closed))
    }))

  it.live("requests of the server fail after the end of stdin, those that wait and new ones", () =>
    Effect.gen(function*() {
      const { stdin, transport } = make()
      const read: Array<object> = []
      transport.onmessage = (message) => void read.push(message)
      yield* Effect.promise(() => transport.start())
      yield* Effect.promise(() => transport.send(request(70, "roots/list")))
      stdin.end(JSON.stringify(request(1)))
      yield* Effect.promise(() => new Promise(setImmediate))
      assert.deepInclude(read.at(-1), { id: 70, error: { code: -32_000, message: "Connection closed" } })
      const error = yield* Effect.flip(Effect.tryPromise(() => transport.send(request(71, "roots/list"))))
      assert.deepStrictEqual(error.cause, new Error("The client has closed its side"))
      yield* Effect.promise(() => transport.close())
    }))
})
