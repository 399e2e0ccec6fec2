import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { stdioClient } from "./fixtures/servers.ts"

describe("ClientExit", { timeout: 30_000 }, () => {
  // requirement: transports/stdin-end
  it.live("ClientExit ends a server whose client has left while it was asked, after the grace", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({ grace: 200 })
      client.startTool("ask", { prompt: "left" })
      yield* Effect.promise(() => client.ask("left"))
      client.child.stdin!.end()
      yield* Effect.promise(() => client.event("ask interrupted", 3000))
      const { signal } = yield* Effect.promise(() => client.exited)
      assert.isNull(signal)
    }))

  it.live("ClientExit lets calls end in the grace, and then does not wait any longer", () =>
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
