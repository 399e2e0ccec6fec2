import { ClientSampler, Sampler } from "@effect-sampling/core"
import { CallsInFlight } from "@effect-sampling/mcp-kit/internal/calls/CallsInFlight"
import { Feature } from "@effect-sampling/mcp-sdk"
import { assert, describe, it } from "@effect/vitest"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js"
import { Effect, Schema } from "effect"
import type { Fiber } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

import { Journal } from "./fixtures/Journal.ts"
import type { Message } from "./fixtures/RawClient.ts"

setFlagsFromString("--expose-gc")
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the flag above defines it
const collect = runInNewContext("gc") as () => void

const Tools = Toolkit.make(Tool.make("ask", { success: Schema.String }))

/** A server on a transport that can refuse to send asks, and what it keeps. */
const makeServer = (refuseAsks: boolean) =>
  Effect.gen(function*() {
    const calls = new Set<Fiber.Fiber<unknown, unknown>>()
    const ended = { interrupted: 0, failed: 0 }
    const handlers = Tools.toLayer(Effect.map(Sampler.Sampler, (sampler) => ({
      ask: () =>
        sampler.sample("x").pipe(
          Effect.match({
            onSuccess: () => "answered",
            onFailure: (error) => {
              ended.failed++
              return error._tag
            }
          }),
          Effect.onInterrupt(() => Effect.sync(() => ended.interrupted++))
        )
    })))
    const server = new Server({ name: "s", version: "1" })
    yield* Feature.register(
      server,
      Feature.toolkit(Tools).pipe(
        Effect.provide(handlers),
        Effect.provide(ClientSampler.layer),
        Effect.provideService(CallsInFlight, calls)
      )
    )
    let onAsk = (_id: unknown): void => {}
    const received = new Journal<Message>()
    const transport: Transport = {
      start: () => Promise.resolve(),
      close: () => Promise.resolve(),
      send: (message) => {
        if ("method" in message && message.method === "sampling/createMessage") {
          if (refuseAsks) return Promise.reject(new Error("broken pipe"))
          onAsk("id" in message ? message.id : undefined)
        } else if (!("method" in message) || message.method !== "notifications/cancelled") {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a wider view of the same message
          received.add(message as Message)
        }
        return Promise.resolve()
      }
    }
    yield* Effect.promise(() => server.connect(transport))
    const receive = (message: JSONRPCMessage) => transport.onmessage!(message)
    receive({
      jsonrpc: "2.0",
      id: 0,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: { sampling: {} }, clientInfo: { name: "c", version: "1" } }
    })
    yield* Effect.promise(() => received.find(({ id }) => id === 0))
    received.entries.length = 0
    const kept = () =>
      ["_responseHandlers", "_progressHandlers", "_timeoutInfo", "_requestHandlerAbortControllers", "_requestResolvers"]
        .map((name): unknown => Reflect.get(Reflect.get(server, name), "size"))
    const call = (id: number) => receive({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "ask" } })
    return {
      calls,
      ended,
      kept,
      call,
      receive,
      received,
      whenAsked: (f: (id: unknown) => void) => {
        onAsk = f
      }
    }
  })

const warnings: Array<string> = []
process.on("warning", ({ name }) => warnings.push(name))

/** After the timers and promises that are due now. */
const settled = Effect.callback<void>((resume) => {
  setImmediate(() => setImmediate(() => resume(Effect.void)))
})

const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.andThen(settled, until(condition)))

const heapAfter = (work: Effect.Effect<void>) =>
  Effect.map(work, () => {
    collect()
    return process.memoryUsage().heapUsed
  })

const count = 2000

describe("Leaks", { timeout: 60_000 }, () => {
  it.live("cancelled calls leave nothing behind", () =>
    Effect.gen(function*() {
      const server = yield* makeServer(false)
      let next = 1
      const round = Effect.suspend(() => {
        const wanted = server.ended.interrupted + count
        const cancelled: Array<number> = []
        server.whenAsked(() => {
          const requestId = cancelled.length + next
          cancelled.push(requestId)
        })
        const first = next
        for (let i = 0; i < count; i++) server.call(first + i)
        return until(() => cancelled.length === count).pipe(
          Effect.andThen(Effect.sync(() => {
            assert.strictEqual(server.calls.size, count)
            for (let i = 0; i < count; i++) {
              server.receive({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: first + i } })
            }
            next += count
          })),
          Effect.andThen(until(() => server.ended.interrupted === wanted)),
          Effect.andThen(settled)
        )
      })
      const before = yield* heapAfter(Effect.andThen(round, round))
      const after = yield* heapAfter(Effect.andThen(round, round))
      assert.strictEqual(server.calls.size, 0)
      assert.deepStrictEqual(server.kept(), [0, 0, 0, 0, 0])
      assert.isBelow(after - before, 3_000_000)
      assert.deepStrictEqual(server.received.entries, [])
      assert.deepStrictEqual(warnings, [])
    }))

  it.live("asks that cannot be sent leave nothing behind", () =>
    Effect.gen(function*() {
      const server = yield* makeServer(true)
      let next = 1
      const round = Effect.suspend(() => {
        const wanted = server.ended.failed + count
        for (let i = 0; i < count; i++) server.call(next++)
        return until(() => server.ended.failed === wanted && server.received.entries.length === count).pipe(
          Effect.andThen(settled),
          Effect.andThen(Effect.sync(() => {
            assert.include(JSON.stringify(server.received.entries[0]), "ConnectionLost")
            server.received.entries.length = 0
          }))
        )
      })
      const before = yield* heapAfter(Effect.andThen(round, round))
      const after = yield* heapAfter(Effect.andThen(round, round))
      assert.strictEqual(server.calls.size, 0)
      assert.deepStrictEqual(server.kept(), [0, 0, 0, 0, 0])
      assert.isBelow(after - before, 3_000_000)
      assert.deepStrictEqual(warnings, [])
    }))

  it.live("answered asks leave nothing behind, whatever the answer", () =>
    Effect.gen(function*() {
      const server = yield* makeServer(false)
      const results = [
        { role: "assistant", model: "m", content: { type: "text", text: "x" } },
        {},
        { task: { taskId: "t", status: "working" } }
      ]
      let asked = 0
      server.whenAsked((id) => {
        const result = results[asked++ % results.length]!
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an answer of a client that does as it likes
        queueMicrotask(() => server.receive({ jsonrpc: "2.0", id, result } as JSONRPCMessage))
      })
      for (let i = 1; i <= 300; i++) server.call(i)
      yield* until(() => server.received.entries.length === 300)
      yield* settled
      assert.strictEqual(server.calls.size, 0)
      assert.deepStrictEqual(server.kept(), [0, 0, 0, 0, 0])
    }))
})
