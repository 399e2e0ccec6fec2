import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { malformed, payload } from "../../mcp-sdk/test/fixtures/malformed.ts"
import { answer } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import type { RawClient } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { rawClient, stdioClient } from "./fixtures/servers.ts"

/**
 * Sends every malformed answer in one session. None of them may hang the ask, crash the server, or appear in the error
 * text.
 */
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
          // Over stdio, Effect's server reads the error of an answer that has both a result and an error.
          const isBoth = title === "both result and error"
          assert.strictEqual(outcome.failed, isBoth ? "ClientError" : expected, `${title}: ${JSON.stringify(outcome)}`)
          assert.isBelow(outcome.message!.length, 2500, title)
          assert.notInclude(outcome.message!, payload.slice(0, 250), title)
          assert.notMatch(outcome.message!, /\n\s+at /, title)
        }
      })
  )

/** Sends the answers that Effect's server does not pass to the ask. Only the time-out ends such an ask. */
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
// Effect's server parses each line, serializes it and parses it again, and this value is too deep for JSON.stringify.
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
  it.live("a malformed answer fails its ask with a typed error at once (stdio)", () =>
    Effect.flatMap(stdioClient(), (client) => checkAll(client, lostOverStdio)))

  it.live("a malformed answer fails its ask with a typed error at once (HTTP)", () =>
    Effect.flatMap(rawClient(), (client) => checkAll(client, lostOverHttp)))

  it.live("a malformed answer that Effect's server drops ends its ask with the time-out (stdio)", () =>
    Effect.flatMap(stdioClient({ askTimeout: 300 }), (client) => checkLost(client, lostOverStdio)))

  it.live("a malformed answer that Effect's server drops ends its ask with the time-out (HTTP)", () =>
    Effect.flatMap(rawClient({ askTimeout: 300 }), (client) => checkLost(client, lostOverHttp)))

  it.live("a malformed answer can neither interrupt a tool nor make it die", () =>
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
