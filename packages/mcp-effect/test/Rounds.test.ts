import { ClientConnection } from "@effect-sampling/core"
import { textOf } from "@effect-sampling/mcp-suite/RawClient"
import { drive, echo, overHttp, overStdio, tool } from "@effect-sampling/mcp-suite/RoundsClient"
import { makeRoundsFeatures } from "@effect-sampling/mcp-suite/roundsFeatures"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { McpServer } from "effect/ai"
import { adapter } from "./fixtures/adapter.ts"
import { serveHttp, stdioClient } from "./fixtures/servers.ts"

const registrations = Layer.unwrap(
  Effect.map(
    Effect.all(makeRoundsFeatures(adapter.features, () => {})),
    (all) => all.reduce((one, other) => Layer.merge(one, other))
  )
)

describe("Rounds", { timeout: 30_000 }, () => {
  it.live("A resource cannot ask in rounds, and says so", () =>
    Effect.gen(function*() {
      const send = overHttp(yield* serveHttp(registrations))
      const reply = yield* Effect.promise(() => send({ method: "resources/read", params: { uri: "dictionary://x" } }))
      assert.strictEqual(reply.error?.code, -32_603)
      assert.include(reply.error?.message, "cannot ask on behalf of a resource over MCP 2026-07-28")
    }))

  it.live("A call over the stdio of a child process is answered in rounds, with nothing else on its stdout", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({}, "silent")
      const { reply } = yield* Effect.promise(() => drive(overStdio(client), tool("ask", { prompt: "hi" }), echo))
      assert.deepStrictEqual(JSON.parse(textOf(reply)), { ok: "<hi>" })
      assert.deepStrictEqual(client.noise, [])
    }))

  it.live("A state is of use to its call and to the principal that middleware tells only", () =>
    Effect.gen(function*() {
      const auth = McpServer.middleware((effect, { headers }) =>
        Effect.provideService(effect, ClientConnection.Principal, () => headers["x-user"])
      )
      const send = overHttp(yield* serveHttp(Layer.provide(registrations, auth.layer)))
      const call = (name: string, user: string, requestState?: string) =>
        Effect.promise(() => send({ ...tool(name, {}, { requestState }), headers: { "x-user": user } }))
      const { requestState } = (yield* call("parallel", "alice")).result
      assert.isString(requestState)
      for (
        const reply of [
          yield* call("parallel", "mallory", requestState),
          yield* call("named", "alice", requestState),
          yield* call("parallel", "alice", `${requestState}x`)
        ]
      ) {
        assert.strictEqual(reply.error?.code, -32_602)
      }
      assert.strictEqual((yield* call("parallel", "alice", requestState)).result.resultType, "input_required")
    }))

  it.live("An answer that Effect's server takes although it is not valid is error -32602", () =>
    Effect.gen(function*() {
      const send = overHttp(yield* serveHttp(registrations))
      for (const answer of [{ roots: [] }, { action: "accept" }]) {
        const reply = yield* Effect.promise(() => send(tool("named", {}, { inputResponses: { capital: answer } })))
        assert.strictEqual(reply.error?.code, -32_602)
        assert.include(reply.error?.message, "inputResponses[\"capital\"] is not a valid answer")
      }
    }))
})
