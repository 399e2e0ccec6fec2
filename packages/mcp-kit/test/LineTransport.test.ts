import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PassThrough, Writable } from "node:stream"
import { LineTransport } from "../src/internal/stdio/LineTransport.ts"

/** A transport, and what it writes, by call. */
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

describe("A transport of lines", () => {
  it.effect("writes in one go what is sent at the same time, in its order", () =>
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

  it.effect("writes large lines by themselves", () =>
    Effect.gen(function*() {
      const { send, writes } = make()
      const large = "x".repeat(70_000)
      yield* Effect.promise(() => send("a", large, "b", "c"))
      assert.deepStrictEqual(writes, [lineOf("a"), lineOf(large), lineOf("b") + lineOf("c")])
    }))

  it.effect("writes what was sent before it was closed", () =>
    Effect.gen(function*() {
      const { send, transport, writes } = make()
      const sent = send("a")
      const closed = transport.close()
      assert.deepStrictEqual(writes, [lineOf("a")])
      yield* Effect.promise(() => Promise.all([sent, closed]))
    }))

  it.effect("fails all that could not be written", () =>
    Effect.gen(function*() {
      const { send, stdout } = make()
      stdout.write = () => {
        throw new Error("broken")
      }
      const sent = ["a", "b"].map((text) => Effect.flip(Effect.tryPromise(() => send(text))))
      const errors = yield* Effect.all(sent, { concurrency: "unbounded" })
      assert.deepStrictEqual(errors.map(({ cause }) => cause), [new Error("broken"), new Error("broken")])
    }))

  it.effect("lets senders wait for a slow reader, with one listener for all", () =>
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
