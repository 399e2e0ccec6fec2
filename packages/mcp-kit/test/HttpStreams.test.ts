import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { HttpStreams } from "../src/internal/http/HttpStreams.ts"

const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length

describe("HttpStreams", () => {
  it("an unknown stream is reported as lost at once, and an answered one never", () => {
    const streams = new HttpStreams(1000, () => {})
    let lost = 0
    streams.onLost(1, () => lost++)
    assert.strictEqual(lost, 1)
    const stream = streams.open([2])
    streams.onLost(2, () => lost++)
    streams.end(stream, true)
    assert.strictEqual(lost, 1)
    streams.close()
  })

  it("a response that is dropped after close starts no timer", () => {
    const streams = new HttpStreams(60_000, () => {})
    const [first, second] = [streams.open([1]), streams.open([2])]
    const before = timers()
    streams.end(first, false)
    assert.strictEqual(timers(), before + 1)
    streams.close()
    streams.end(second, false)
    assert.strictEqual(timers(), before)
  })

  it.live("a request with the id of a dropped one is not reported as lost", () =>
    Effect.gen(function*() {
      const streams = new HttpStreams(20, () => {})
      const lost = yield* Deferred.make<string>()
      const dropped = streams.open([1])
      streams.onLost(1, () => Deferred.doneUnsafe(lost, Effect.succeed("the first")))
      streams.end(dropped, false)
      assert.isFalse(streams.isOpen(1))
      const again = streams.open([1])
      streams.onLost(1, () => Deferred.doneUnsafe(lost, Effect.succeed("the second")))
      assert.strictEqual(yield* Deferred.await(lost), "the first")
      assert.isTrue(streams.isOpen(1))
      streams.end(again, true)
      assert.isFalse(streams.isOpen(1))
      streams.close()
    }))

  it("the stream of a cancelled call ends, unless it carries other calls", () => {
    const ended: Array<unknown> = []
    const streams = new HttpStreams(1000, (id) => ended.push(id))
    streams.open([1])
    streams.open([2, 3])
    streams.cancelled(1)
    streams.cancelled(2)
    assert.deepStrictEqual(ended, [1])
    streams.close()
  })
})
