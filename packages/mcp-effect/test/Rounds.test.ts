import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { RoundsClient, echo } from "./fixtures/RoundsClient.ts"
import { serveHttp, tools } from "./fixtures/servers.ts"

describe("Rounds", { timeout: 30_000 }, () => {
  it.live("spike", () => Effect.gen(function*() {
    const url = yield* serveHttp(tools(() => {}))
    const client = new RoundsClient(url)
    const log = (x: unknown) => console.log(JSON.stringify(x))
    log(yield* Effect.promise(() => client.callTool("log")))
    log(yield* Effect.promise(() => client.callTool("ask", { prompt: "hi" })))
    log(yield* Effect.promise(() => client.callTool("ask", { prompt: "hi" }, { capabilities: {} })))
    log(yield* Effect.promise(() => client.drive("tools/call", { name: "ask", arguments: { prompt: "hi" } }, echo)))
    assert.isTrue(true)
  }))
})
