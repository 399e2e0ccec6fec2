import { ClientSampler, Content, Sampler, SamplingMessage, TestSampler } from "@effect-sampling/core"
import { call } from "@effect-sampling/scenarios/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { answer, fakeClient, text, toolResult, toolUse } from "./fixtures/domain.ts"

const Clock = Tool.make("clock", { success: Schema.String })
const Silent = Tool.make("silent", { success: Schema.String })
const Tools = Toolkit.make(Clock, Silent)
const handlers = Tools.toLayer({ clock: () => Effect.succeed("noon"), silent: () => Effect.succeed("") })

/** Fails the test if a request holds a message without content, or a text block without text. */
const assertNothingEmpty = Effect.flatMap(TestSampler.requests, (requests) =>
  Effect.sync(() => {
    for (const { messages } of requests) {
      for (const { content } of messages) {
        const blocks = Content.blocks(content)
        assert.isNotEmpty(blocks)
        for (const block of blocks) {
          const texts = block.type === "tool_result" ? block.content : [block]
          for (const each of texts) if (each.type === "text") assert.notStrictEqual(each.text.trim(), "")
        }
      }
    }
  }))

const sent = Effect.map(TestSampler.requests, (requests) => requests.at(-1)?.messages)

describe("empty messages and blocks", () => {
  it.effect("an empty text block beside a call is not sent back in a tool loop", () =>
    Effect.gen(function*() {
      const reply = yield* Sampler.sample("Hi", { toolkit: Tools })
      yield* assertNothingEmpty
      assert.deepStrictEqual(reply.history[1], { role: "assistant", content: [call("1", "clock")] })
      yield* Sampler.sample([...reply.history, SamplingMessage.user("And now?")])
      yield* assertNothingEmpty
    }).pipe(
      Effect.provide(handlers),
      Effect.provide(TestSampler.scripted([
        { content: [text(""), call("1", "clock")] },
        { content: [call("2", "clock"), text(" \n")] },
        { content: [text("")] },
        "fine"
      ]))
    ))

  it.effect("an empty result of a tool is sent without a text block", () =>
    Effect.gen(function*() {
      yield* Sampler.sample("Hi", { toolkit: Tools })
      yield* assertNothingEmpty
      assert.deepStrictEqual(
        (yield* sent)?.at(-1)?.content,
        [{ type: "tool_result", toolUseId: "1", content: [] }]
      )
    }).pipe(
      Effect.provide(handlers),
      Effect.provide(TestSampler.scripted([{ content: [call("1", "silent")] }, "done"]))
    ))

  it.effect("an empty assistant message is not sent back in a repair, and the roles alternate", () =>
    Effect.gen(function*() {
      for (const empty of ["", " ", { content: [] }, { content: [text(""), text("\n")] }]) {
        yield* Effect.gen(function*() {
          yield* Sampler.sampleObject(Schema.Struct({ a: Schema.Int }), "Hi")
          yield* assertNothingEmpty
          assert.deepStrictEqual((yield* sent)?.map(({ role }) => role), ["user"])
          assert.include(JSON.stringify(yield* sent), "does not fit")
        }).pipe(Effect.provide(TestSampler.scripted([empty, "{\"a\":1}"])))
      }
    }))

  it.effect("an empty assistant message of a history is not sent, and the roles alternate", () =>
    Effect.gen(function*() {
      yield* Sampler.sample([
        SamplingMessage.user("a"),
        SamplingMessage.assistant(""),
        SamplingMessage.user("b"),
        SamplingMessage.assistant([text(" "), toolUse("1")]),
        SamplingMessage.user([toolResult("1")]),
        SamplingMessage.assistant([text("")]),
        SamplingMessage.user("c"),
        SamplingMessage.user("d")
      ])
      assert.deepStrictEqual(yield* sent, [
        SamplingMessage.user([text("a"), text("b")]),
        SamplingMessage.assistant([toolUse("1")]),
        SamplingMessage.user([toolResult("1")]),
        SamplingMessage.user("c"),
        SamplingMessage.user("d")
      ])
    }).pipe(Effect.provide(TestSampler.scripted(["fine"]))))

  it.effect("space between two texts of a message stays, and so does an empty message of a user", () =>
    Effect.gen(function*() {
      const parts = [text("a"), text(" "), text("b")]
      yield* Sampler.sample([SamplingMessage.user(parts), SamplingMessage.user("")])
      assert.deepStrictEqual(yield* sent, [
        SamplingMessage.user([text("a "), text("b")]),
        SamplingMessage.user("")
      ])
    }).pipe(Effect.provide(TestSampler.scripted(["fine"]))))

  it.effect("nothing empty is sent to a client", () =>
    Effect.gen(function*() {
      const client = fakeClient({ reply: answer })
      yield* Sampler.sample([
        SamplingMessage.user("a"),
        SamplingMessage.assistant([text(""), text("b")]),
        SamplingMessage.assistant(""),
        SamplingMessage.user("c")
      ]).pipe(Effect.provide(ClientSampler.layer), client.provide)
      assert.notInclude(JSON.stringify(client.asked), "\"text\":\"\"")
    }))

  it.effect("a request without any content is invalid", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Sampler.sample([SamplingMessage.assistant("")]))
      assert.strictEqual(error._tag, "InvalidRequest")
    }).pipe(Effect.provide(TestSampler.scripted([]))))
})
