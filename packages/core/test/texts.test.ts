import { Client, ClientConnection, ClientSampler, Sampler, TestSampler } from "@effect-sampling/core"
import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import * as HandlerFailure from "@effect-sampling/core/wire/HandlerFailure"
import * as Progress from "@effect-sampling/core/wire/Progress"
import * as Text from "@effect-sampling/core/wire/Text"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import { call, calls, resultText } from "@effect-sampling/scenarios/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Logger, Predicate, Schema } from "effect"
import { Prompt, Tool, Toolkit } from "effect/ai"

/** A text that ends in the middle of an emoji. */
const half = "half an emoji: \ud83d"
const whole = "half an emoji: \ufffd"

/** Control characters of a terminal, and marks that turn the direction of the text around. */
const hidden = "a\u001b[2Jb\u009bc\u202ed\u2066e\u200ff\u0085g\u2028h\ri"
const shown = "a\\u001b[2Jb\\u009bc\\u202ed\\u2066e\\u200ff\\u0085g\\u2028h\\u000di"

const isWellFormed = (value: unknown): boolean =>
  JSON.stringify(
    value,
    (_, inner: unknown) => typeof inner === "string" && !inner.isWellFormed() ? assert.fail(inner) : inner
  ) !== undefined

const connection = (
  ask: ClientConnection.ClientConnection["ask"],
  name = "editor"
): ClientConnection.ClientConnection => ({
  client: { name, version: "1.0.0" },
  protocolVersion: "2025-11-25",
  capabilities: { sampling: { tools: {} }, elicitation: {} },
  unreachable: undefined,
  ask
})

describe("texts on the wire are well-formed", () => {
  it("a value without lone surrogates stays the same object, and others keep their classes and cycles", () => {
    const cyclic: Record<string, unknown> = { text: half, list: [1, { inner: half }], bytes: new Uint8Array([1]) }
    cyclic["self"] = cyclic
    const fine = { text: "😀", list: [cyclic["bytes"]], none: null }
    assert.strictEqual(Text.wellFormed(fine), fine)
    const copy = Text.wellFormed(cyclic)
    assert.strictEqual(copy["text"], whole)
    assert.deepStrictEqual(copy["list"], [1, { inner: whole }])
    assert.strictEqual(copy["bytes"], cyclic["bytes"])
    class Named extends Schema.Class<Named>("Named")({ name: Schema.String }) {}
    const named = Text.wellFormed([new Named({ name: half })])[0]!
    assert.isTrue(Schema.is(Named)(named))
    assert.strictEqual(named.name, whole)
    assert.deepStrictEqual(Text.wellFormed<object>({ [half]: 1 }), { [whole]: 1 })
  })

  it("a lone surrogate behind many members is replaced, and an object that is held many times is visited once", () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ text: index < 4999 ? "fine" : half }))
    assert.strictEqual(Text.wellFormed(many)[4999]!.text, whole)
    let shared: object = { text: half }
    for (let level = 0; level < 60; level++) shared = { one: shared, two: shared }
    let copy: unknown = Text.wellFormed(shared)
    while (Predicate.hasProperty(copy, "one")) copy = copy.one
    assert.deepStrictEqual(copy, { text: whole })
  })

  it.effect("half an emoji at the end of a tool's result, progress or error is replaced", () =>
    Effect.gen(function*() {
      const success = Schema.Struct({ text: Schema.String, inner: Schema.Record(Schema.String, Schema.String) })
      const Cut = Tool.make("cut", { success, description: half })
      const definition = ToolResult.definition(Cut)
      assert.isTrue(isWellFormed(definition))
      const { onFailure, onSuccess } = ToolResult.make(Cut, definition)
      const result = { text: half, inner: { [half]: half } }
      const sent = onSuccess({ result, encodedResult: result, isFailure: false })
      assert.isTrue(isWellFormed(sent))
      assert.deepStrictEqual(sent.structuredContent, { text: whole, inner: { [whole]: whole } })
      assert.deepStrictEqual(sent.content, [{ type: "text", text: JSON.stringify(sent.structuredContent) }])
      const parts = [Prompt.textPart({ text: half })]
      assert.isTrue(isWellFormed(onSuccess({ result, encodedResult: result, isFailure: false, modelOutput: parts })))
      assert.isTrue(isWellFormed(yield* onFailure(Cause.fail(new Error(half)))))
      assert.isTrue(isWellFormed(ToolResult.ofError(half)))
      assert.isTrue(protocolError(1, half).message.isWellFormed())
      const progress: Array<unknown> = []
      const options = Progress.callOptions(1, (params) => Effect.sync(() => progress.push(params)))
      yield* options!.onPreliminary!(half)
      yield* options!.onPreliminary!({ half })
      assert.isTrue(isWellFormed(progress))
    }))

  it.effect("half an emoji in a request to the client is replaced: prompts, tools, metadata, forms", () =>
    Effect.gen(function*() {
      const sent: Array<object> = []
      const client = connection(({ params }, decode) => {
        sent.push(params)
        return Effect.fromResult(decode({ action: "decline", role: "user" }))
      })
      yield* Effect.flatMap(Sampler.Sampler, (sampler) =>
        sampler.createMessage({
          messages: [
            { role: "assistant", content: { type: "tool_use", id: "1", name: "t", input: { half } } },
            {
              role: "user",
              content: { type: "tool_result", toolUseId: "1", content: [], structuredContent: { half } }
            }
          ],
          maxTokens: 1,
          systemPrompt: half,
          metadata: { half },
          tools: [{ name: "t", description: half, inputSchema: { type: "object", description: half } }]
        })).pipe(
          Effect.exit,
          Effect.provide(ClientSampler.layer),
          Effect.provideService(ClientConnection.ClientConnection, client)
        )
      const form = Schema.Struct({ name: Schema.String.annotate({ description: half }) })
      yield* Effect.exit(
        Effect.provideService(Client.elicit(form, half), ClientConnection.ClientConnection, client)
      )
      assert.lengthOf(sent, 2)
      assert.isTrue(isWellFormed(sent))
    }))

  it("a text is cut between characters", () => {
    for (const cut of [Text.truncate, (text: string, length: number) => Text.quote(text, length)]) {
      for (let length = 1; length < 12; length++) assert.isTrue(cut("a😀b😀😀c😀", length).isWellFormed())
    }
    assert.strictEqual(Text.truncate("ab😀c", 3), "ab…")
    assert.strictEqual(Text.truncate("ab😀c", 4), "ab😀…")
    assert.strictEqual(Text.truncate("ab😀c", 5), "ab😀c")
    assert.strictEqual(Text.quote("ab😀c", 3), "\"ab…\"")
  })
})

describe("control characters of foreign texts are escaped", () => {
  it("what a text shows is what it holds, but for tabs and line ends", () => {
    assert.strictEqual(Text.visible(hidden), shown)
    assert.strictEqual(Text.truncate(hidden, 100), shown)
    assert.strictEqual(Text.visible("a\tb\nc\r\nd é 漢 😀 👨‍👩‍👧"), "a\tb\nc\r\nd é 漢 😀 👨‍👩‍👧")
    const quoted = Text.quote(hidden)
    assert.strictEqual(JSON.parse(quoted), hidden)
    assert.strictEqual(Text.visible(quoted), quoted)
  })

  it.effect("a client's name and error show no control characters in messages", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Sampler.sample("Hi")).pipe(
        Effect.provide(ClientSampler.layer),
        Effect.provideService(
          ClientConnection.ClientConnection,
          connection((_, decode) => Effect.fromResult(decode({ stopReason: "cancelled" })), hidden)
        )
      )
      assert.strictEqual(error._tag, "SamplingRejected")
      assert.include(error.message, "\\u202e")
      assert.strictEqual(Text.visible(error.message), error.message)
      const reply = yield* Sampler.sample("Hi").pipe(
        Effect.provide(ClientSampler.layer),
        Effect.provideService(
          ClientConnection.ClientConnection,
          connection(
            (_, decode) =>
              Effect.fromResult(decode({ role: "assistant", model: "m", content: { type: "text", text: hidden } })),
            hidden
          )
        )
      )
      assert.strictEqual(reply.source.name, shown)
      assert.strictEqual(reply.text, hidden)
    }))

  it.effect("a tool's error shows no control characters in its result and in the log", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make<unknown, void>(({ message }) => lines.push(String(message)))
      const Failing = Tool.make("failing", { failure: Schema.String })
      const { onFailure } = ToolResult.make(Failing, ToolResult.definition(Failing))
      const text = ToolResult.ofError(shown)
      assert.deepStrictEqual(yield* onFailure(Cause.fail(hidden)), text)
      assert.strictEqual(protocolError(1, hidden).message, shown)
      yield* Effect.gen(function*() {
        yield* onFailure(Cause.die(new Error(hidden)))
        yield* HandlerFailure.text(Cause.die(new Error(hidden)), "A tool")
        const toolkit = Toolkit.make(Tool.make("dies"))
        yield* Sampler.sample("Go", { toolkit }).pipe(
          Effect.provide(toolkit.toLayer({ dies: () => Effect.die(new Error(hidden)) })),
          Effect.provide(TestSampler.scripted([calls(call("1", "dies")), "done"]))
        )
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.lengthOf(lines, 3)
      for (const line of lines) {
        assert.include(line, "\\u202e")
        assert.strictEqual(Text.visible(line), line)
      }
    }))

  it.effect("a tool's error shows no control characters to a model that called it", () =>
    Effect.gen(function*() {
      const toolkit = Toolkit.make(Tool.make("fails", { failure: Schema.String, failureMode: "return" }))
      const requests = yield* Sampler.sample("Go", { toolkit }).pipe(
        Effect.andThen(TestSampler.requests),
        Effect.provide(toolkit.toLayer({ fails: () => Effect.fail(hidden) })),
        Effect.provide(TestSampler.scripted([calls(call("1", "fails")), "done"]))
      )
      assert.strictEqual(resultText(requests[1]), shown)
    }))
})
