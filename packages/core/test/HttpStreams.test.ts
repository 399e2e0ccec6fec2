import { HttpStreams } from "@effect-sampling/core/adapter/HttpStreams"
import { assert, describe, it } from "@effect/vitest"

const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length

describe("HttpStreams", () => {
  it("tells at once that a stream is lost which it does not know, and nothing of one that was answered", () => {
    const streams = new HttpStreams(1000, () => {})
    let lost = 0
    streams.onLost(1, () => lost++)
    assert.strictEqual(lost, 1)
    streams.open([2])
    streams.onLost(2, () => lost++)
    streams.end([2], true)
    assert.strictEqual(lost, 1)
    streams.close()
  })

  it("starts no timer for responses that are dropped after it closed", () => {
    const streams = new HttpStreams(60_000, () => {})
    streams.open([1, 2])
    const before = timers()
    streams.end([1], false)
    assert.strictEqual(timers(), before + 1)
    streams.close()
    streams.end([2], false)
    assert.strictEqual(timers(), before)
  })

  it("ends the stream of a cancelled call, unless others travel on it", () => {
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
