import { Client, ClientSampler, ProviderSampler, Sampler } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { answer, fakeClient, hello, text, tool } from "./fixtures/domain.ts"
import { baseCall, openStates, say } from "./fixtures/rounds.ts"

const nulls = { annotations: null, _meta: null }

const ask = (reply: unknown) =>
  Sampler.Sampler.use((sampler) => sampler.createMessage({ ...hello, tools: [tool] })).pipe(
    fakeClient({ reply, capabilities: { sampling: { tools: {} } } }).provide,
    Effect.provide(ClientSampler.layer)
  )

const elicit = <S extends Schema.Constraint>(schema: S, result: unknown) =>
  Client.elicit(schema, "Who?").pipe(fakeClient({ reply: result, capabilities: { elicitation: {} } }).provide)

describe("null for an absent member", () => {
  it.effect("null members of a client's answer count as absent, at every level", () =>
    Effect.gen(function*() {
      const response = yield* ask({
        ...answer,
        stopReason: null,
        _meta: null,
        usage: null,
        content: [
          { ...text("a"), ...nulls },
          { type: "image", data: "AAAA", mimeType: "image/png", ...nulls },
          { type: "tool_use", id: "1", name: "weather", input: { city: null }, _meta: null }
        ]
      })
      assert.deepStrictEqual<unknown>(response.content, [
        text("a"),
        { type: "image", data: "AAAA", mimeType: "image/png" },
        { type: "tool_use", id: "1", name: "weather", input: { city: null } }
      ])
      assert.isFalse("stopReason" in response || "_meta" in response)
    }))

  it.effect("null for a required member of an answer is still an error that names it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ask({ ...answer, stopReason: null, model: null }))
      assert.strictEqual(error._tag, "InvalidResponse")
      assert.include(error.message, "model")
    }))

  it.effect("a user who declines is not a broken client when the declined form has content null", () =>
    Effect.gen(function*() {
      const form = Schema.Struct({ name: Schema.String })
      const declined = yield* Effect.flip(elicit(form, { action: "decline", content: null, _meta: null }))
      assert.strictEqual(declined._tag, "ElicitationDeclined")
      const cancelled = yield* Effect.flip(elicit(form, { action: "cancel", content: null }))
      assert.strictEqual(cancelled._tag, "ElicitationCancelled")
    }))

  it.effect("null members of a root count as absent", () =>
    Effect.gen(function*() {
      const reply = { roots: [{ uri: "file:///a", name: null, _meta: null }], _meta: null }
      const roots = yield* Client.roots().pipe(fakeClient({ reply, capabilities: { roots: {} } }).provide)
      assert.deepStrictEqual<unknown>(roots, [{ uri: "file:///a" }])
    }))

  it.effect("null members of a provider's reply count as absent", () =>
    Effect.gen(function*() {
      const reply: unknown = { content: [{ ...text("a"), ...nulls }], model: null, stopReason: null, usage: null }
      const provider = ProviderSampler.layer({
        name: "acme",
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a provider without types may reply this
        createMessage: () => Effect.succeed(reply as ProviderSampler.Reply)
      })
      const response = yield* Sampler.Sampler.use((sampler) => sampler.createMessage(hello)).pipe(
        Effect.provide(provider)
      )
      assert.deepStrictEqual(response.content, [text("a")])
      assert.strictEqual(response.model, "acme")
      assert.isFalse("stopReason" in response || "usage" in response)
    }))

  it.effect("inputResponses and requestState of null are those of a first request", () =>
    Effect.gen(function*() {
      const handler = Effect.map(Sampler.sample("a"), (reply) => reply.text)
      const first = yield* RoundRunner.run(handler, { ...baseCall, inputResponses: null, requestState: null })
      assert.strictEqual(first._tag, "InputRequired")
      if (first._tag !== "InputRequired") return
      const [key] = Object.keys(first.inputRequests)
      const ended = yield* RoundRunner.run(handler, {
        ...baseCall,
        requestState: first.requestState ?? null,
        inputResponses: { [key!]: { ...say("b"), stopReason: null, _meta: null } }
      })
      assert.deepStrictEqual(ended, { _tag: "Complete", value: "b" })
    }).pipe(Effect.provide([ClientSampler.layer, openStates])))

  it.effect("a long answer that is wrong everywhere fails soon", () =>
    Effect.gen(function*() {
      const content = Array.from({ length: 20_000 }, () => ({ type: "text", text: 42, annotations: null }))
      const started = performance.now()
      assert.strictEqual((yield* Effect.flip(ask({ ...answer, content })))._tag, "InvalidResponse")
      assert.isBelow(performance.now() - started, 4000)
    }))
})
