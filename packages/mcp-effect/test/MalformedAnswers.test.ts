import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { malformed, payload } from "../../mcp-sdk/test/fixtures/malformed.ts"
import { answer } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import type { RawClient } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { rawClient, stdioClient } from "./fixtures/servers.ts"

/** Each on a session that goes on: the answer must neither hang, nor crash the server, nor show what the client sent. */
const checkAll = (client: RawClient, lost: ReadonlySet<string>) =>
  Effect.forEach(
    malformed.filter(({ title }) => !lost.has(title)),
    ({ body, expected, title }) =>
      Effect.gen(function*() {
        const started = Date.now()
        const outcome = yield* Effect.promise(() =>
          client.askAndRespond(`case: ${title}.`, (id) => body(JSON.stringify(id)), 5000)
        )
        assert.isBelow(Date.now() - started, 2000, title)
        if (expected === "answered") assert.isString(outcome.ok, title)
        else {
          // Over stdio, Effect's server takes the error of an answer that has both.
          const isBoth = title === "both result and error"
          assert.strictEqual(outcome.failed, isBoth ? "ClientError" : expected, `${title}: ${JSON.stringify(outcome)}`)
          assert.isBelow(outcome.message!.length, 2500, title)
          assert.notInclude(outcome.message!, payload.slice(0, 250), title)
          assert.notMatch(outcome.message!, /\n\s+at /, title)
        }
      })
  )

/** Answers that Effect's server does not hand to the ask: only the time-out ends it. */
const checkLost = (client: RawClient, lost: ReadonlySet<string>) =>
  Effect.forEach(malformed.filter(({ title }) => lost.has(title)), ({ body, title }) =>
    Effect.gen(function*() {
      const call = client.startTool("ask", { prompt: `case: ${title}.` })
      const asked = yield* Effect.promise(() => client.ask(`case: ${title}.`))
      yield* Effect.promise(() => client.post(body(JSON.stringify(asked.id))))
      const response = yield* Effect.promise(() =>
        client.received.find(({ id, result }) => id === call && result !== undefined)
      )
      assert.include(JSON.stringify(response), "SamplingTimeout", title)
    }))

const lostAnywhere = ["the method repeated in the answer", "an id that is a string"]
// It parses each line, and writes and parses it again: too deep for JSON.stringify.
const lostOverStdio = new Set([...lostAnywhere, "arrays a hundred thousand deep"])
const lostOverHttp = new Set([
  ...lostAnywhere,
  "no result",
  "both result and error",
  "jsonrpc 1.0",
  "no jsonrpc"
])

describe("Malformed answers", { timeout: 60_000 }, () => {
  // requirement: sampling/validation
  it.live("fail their ask with a typed error at once (stdio)", () =>
    Effect.flatMap(stdioClient(), (client) => checkAll(client, lostOverStdio)))

  it.live("fail their ask with a typed error at once (HTTP)", () =>
    Effect.flatMap(rawClient(), (client) => checkAll(client, lostOverHttp)))

  it.live("that are no answers to Effect's server end with the time-out (stdio)", () =>
    Effect.flatMap(stdioClient({ askTimeout: 300 }), (client) => checkLost(client, lostOverStdio)))

  it.live("that are no answers to Effect's server end with the time-out (HTTP)", () =>
    Effect.flatMap(rawClient({ askTimeout: 300 }), (client) => checkLost(client, lostOverHttp)))

  it.live("cannot interrupt a tool, or make it die", () =>
    Effect.gen(function*() {
      const client = yield* rawClient({ askTimeout: 500 })
      const ofCause = (reason: object) => (id: unknown) =>
        JSON.stringify({
          jsonrpc: "2.0",
          id,
          error: { _tag: "Cause", code: 1, message: "x", data: [reason] }
        })
      const outcome = (prompt: string, respond: (id: unknown) => string) =>
        Effect.promise(() => client.askAndRespond(prompt, respond))
      const interrupted = yield* outcome("interrupt", ofCause({ _tag: "Interrupt", fiberId: 1 }))
      assert.strictEqual(interrupted.failed, "ConnectionLost")
      const died = yield* outcome("die", ofCause({ _tag: "Die", defect: "secret" }))
      assert.strictEqual(died.failed, "InvalidResponse")
      assert.notInclude(died.message!, "secret")
      const next = yield* outcome("next", (id) => JSON.stringify(answer(id)))
      assert.strictEqual(next.ok, "hello")
    }))
})
