import { assert, describe, it } from "@effect/vitest"
import { Load } from "../src/internal/http/Load.ts"

const kilobyte = 1024

const make = () => new Load({ maxCalls: 4, maxBytesInFlight: 100 * kilobyte, callerShare: 0.5 })

describe("Load", () => {
  it("calls have room up to the limit, and up to the share of their caller", () => {
    const load = make()
    assert.deepStrictEqual([1, 1, 1].map((count) => load.lease("a").addCalls(count)), [true, true, false])
    assert.deepStrictEqual([1, 1, 1].map((count) => load.lease("b").addCalls(count)), [true, true, false])
    assert.isFalse(load.lease("c").addCalls(1))
  })

  it("the only request of a caller may exceed the share of the caller, and not the limit", () => {
    const load = make()
    assert.isTrue(load.lease("a").addCalls(3))
    assert.isFalse(load.lease("b").addCalls(2))
    assert.isTrue(load.lease("b").addCalls(1))
  })

  it("the first 64 KiB of each body do not count", () => {
    const load = make()
    for (let index = 0; index < 10; index++) assert.isTrue(load.lease("a").addBytes(64 * kilobyte))
    const [first, second] = [load.lease("a"), load.lease("b")]
    assert.deepStrictEqual([64, 90].map((count) => first.addBytes(count * kilobyte)), [true, true])
    assert.deepStrictEqual([74, 1].map((count) => second.addBytes(count * kilobyte)), [true, false])
    assert.strictEqual(load.total.bytes, 100 * kilobyte)
  })

  it("a lease that is released, also twice, gives everything back", () => {
    const load = make()
    const lease = load.lease("a")
    lease.addCalls(4)
    lease.addBytes(100 * kilobyte)
    lease.release()
    lease.release()
    assert.deepStrictEqual(load.total, { calls: 0, bytes: 0 })
    assert.isTrue(load.lease("a").addCalls(4))
  })
})
