import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { stdioClient } from "./fixtures/servers.ts"

describe("ClientExit", { timeout: 30_000 }, () => {
  // requirement: transports/stdin-end
  it.live("the server of a client that left during an ask ends after the grace period", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({ grace: 200 })
      client.startTool("ask", { prompt: "left" })
      yield* Effect.promise(() => client.ask("left"))
      client.child.stdin!.end()
      yield* Effect.promise(() => client.event("ask interrupted", 3000))
      const { signal } = yield* Effect.promise(() => client.exited)
      assert.isNull(signal)
    }))

  it.live("a call in flight can finish in the grace period, and the server ends right after it", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({ grace: 20_000 })
      const call = client.startTool("large", { size: 1000 })
      const started = Date.now()
      client.child.stdin!.end()
      const response = yield* Effect.promise(() => client.response(call))
      assert.strictEqual(response.result.content[0].text.length, 1000)
      yield* Effect.promise(() => client.exited)
      assert.isBelow(Date.now() - started, 5000)
    }))
})
