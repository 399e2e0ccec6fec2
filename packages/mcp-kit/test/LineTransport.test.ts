import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
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
  const transport = new LineTransport({ stdin: new PassThrough(), stdout, maxMessageBytes: 1_000_000 })
  const send = (...texts: ReadonlyArray<string>) => Promise.all(texts.map((text) => transport.send({ text })))
  return { send, stdout, taken, transport, writes }
}

const lineOf = (text: string) => `${JSON.stringify({ text })}\n`

describe("LineTransport", () => {
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
})
