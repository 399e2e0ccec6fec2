import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PendingAsks } from "../src/internal/calls/PendingAsks.ts"
import type { Pending } from "../src/internal/calls/PendingAsks.ts"

/** Makes pending asks that record when they expire. */
const makeAsks = (timeoutMillis: number, totalMillis = 3_600_000) => {
  const asks = new PendingAsks<Pending>({ timeoutMillis, totalMillis })
  const expired: Array<number> = []
  let onExpired = (_id: number): void => {}
  const start = (id: number): Pending => {
    const ask: Pending = {
      id,
      begun: 0,
      since: 0,
      expire: () => {
        asks.remove(ask)
        expired.push(id)
        onExpired(id)
      }
    }
    asks.start(ask)
    return ask
  }
  const whenExpired = (id: number): Effect.Effect<void> =>
    Effect.callback((resume) => {
      onExpired = (last) => {
        if (last === id) resume(Effect.void)
      }
    })
  return { asks, expired, start, whenExpired }
}

const activeTimers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length

describe("PendingAsks", () => {
  it.live("asks expire in the order in which their time was last started", () =>
    Effect.gen(function*() {
      const { asks, expired, start, whenExpired } = makeAsks(20)
      const first = start(1)
      start(2)
      asks.remove(start(3))
      asks.restart(first)
      yield* whenExpired(1)
      assert.deepStrictEqual(expired, [2, 1])
    }))

  it.live("an ask has its whole time, even when the timer was started before it", () =>
    Effect.gen(function*() {
      const { asks, start, whenExpired } = makeAsks(60)
      asks.remove(start(1))
      const other = makeAsks(40)
      other.start(2)
      yield* other.whenExpired(2)
      const began = performance.now()
      start(3)
      yield* whenExpired(3)
      assert.isAtLeast(performance.now() - began, 59)
    }))

  it.live("progress does not let an ask take longer than it may in total", () =>
    Effect.gen(function*() {
      const { asks, start, whenExpired } = makeAsks(20, 70)
      const began = performance.now()
      const first = start(1)
      const progress = setInterval(() => asks.restart(first), 1)
      yield* whenExpired(1)
      clearInterval(progress)
      const took = performance.now() - began
      assert.isAtLeast(took, 49)
      assert.strictEqual(first.since + 20 <= first.begun + 70, true)
    }))

  it.live("progress of an ask that has ended does not start it again", () =>
    Effect.sync(() => {
      const { asks, start } = makeAsks(20)
      const first = start(1)
      asks.remove(first)
      asks.restart(first)
      assert.isUndefined(asks.get(1))
    }))

  it.live("an ask that starts while another ask expires also expires", () =>
    Effect.gen(function*() {
      const { asks, expired, start, whenExpired } = makeAsks(10)
      const last: Pending = {
        id: 2,
        begun: 0,
        since: 0,
        expire: () => {
          asks.remove(last)
          start(3)
        }
      }
      asks.start(last)
      yield* whenExpired(3)
      assert.deepStrictEqual(expired, [3])
    }))

  it("pending asks keep the process alive with one timer", () => {
    const { asks, start } = makeAsks(60_000)
    const before = activeTimers()
    const [first, second] = [start(1), start(2)]
    assert.strictEqual(activeTimers(), before + 1)
    asks.remove(first)
    assert.strictEqual(activeTimers(), before + 1)
    asks.remove(second)
    assert.strictEqual(activeTimers(), before)
    const third = start(3)
    assert.strictEqual(activeTimers(), before + 1)
    asks.remove(third)
    asks.close()
    assert.strictEqual(activeTimers(), before)
  })
})
