import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { ClientChannel } from "../src/internal/calls/ClientChannel.ts"
import type { Transport } from "../src/Sdk.ts"

const sdk = { requestStreams: () => undefined }

const transportThat = (send: Transport["send"]): Transport => ({ send })

describe("ClientChannel", () => {
  it.effect("a channel forgets an ask that cannot be written as JSON", () =>
    Effect.gen(function*() {
      const transport = transportThat((message) => {
        JSON.stringify(message)
        return Promise.resolve()
      })
      const channel = ClientChannel.on(transport, sdk)
      const outcome = yield* Deferred.make<string>()
      const request = { method: "sampling/createMessage", params: { metadata: { big: 1n } } }
      channel.ask(request, 1, { timeoutMillis: 60_000, totalMillis: 60_000 }, ({ _tag }) =>
        Deferred.doneUnsafe(outcome, Effect.succeed(_tag)))
      assert.strictEqual(yield* Deferred.await(outcome), "NotSent")
      assert.isFalse(channel.receive({ jsonrpc: "2.0", id: 2 ** 30, result: {} }))
      transport.onclose?.()
    }))

  it.effect("a channel interrupts every call when the client leaves", () =>
    Effect.gen(function*() {
      const transport = transportThat(() => Promise.resolve())
      const channel = ClientChannel.on(transport, sdk)
      const calls = [yield* Effect.forkChild(Effect.never), yield* Effect.forkChild(Effect.never)]
      for (const [id, each] of calls.entries()) channel.watch(id, new AbortController().signal, each)
      transport.onclose?.()
      yield* Fiber.awaitAll(calls)
      assert.isTrue(calls.every((each) => each.pollUnsafe() !== undefined))
    }))

  it.effect("a channel interrupts every fiber of a request that its client cancels, and forgets the request after the last", () =>
    Effect.gen(function*() {
      const transport = transportThat(() => Promise.resolve())
      const channel = ClientChannel.on(transport, sdk)
      const { signal } = new AbortController()
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(Effect.never))
      for (const fiber of fibers) channel.watch(7, signal, fiber)
      assert.isFalse(channel.isUsedByAnother(7, signal))
      assert.isTrue(channel.isUsedByAnother(7, new AbortController().signal))
      transport.onmessage?.({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } })
      yield* Fiber.awaitAll(fibers)
      for (const fiber of [fibers[1]!, fibers[0]!]) channel.unwatch(7, fiber)
      assert.isTrue(channel.isRunning(7))
      channel.unwatch(7, fibers[2]!)
      assert.isFalse(channel.isRunning(7))
    }))
})
