import {
  type Content,
  ProviderSampler,
  Sampler,
  SamplingMessage,
  Telemetry,
  TestSampler,
  ToolApproval,
  ToolLoop
} from "@effect-sampling/core"
import { call, calls, results, resultText } from "@effect-sampling/scenarios/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Data, Effect, Exit, Fiber, Latch, Ref, Schema } from "effect"
import { AiError, Prompt, Tool, Toolkit } from "effect/ai"
import { recordSpans, text } from "./fixtures/domain.ts"

interface Once {
  readonly reply: Sampler.Sample
  readonly result: Content.ToolResultContent
  readonly text: string
}

/** Lets a model call one tool once. Returns the final reply and the result that the model received. */
const once = (tool: Tool.Any, handler: unknown, input: Record<string, unknown> = {}) => {
  const run = Effect.gen(function*() {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a toolkit of one tool of any type
    const toolkit = Toolkit.make(tool) as unknown as Toolkit.Toolkit<Record<string, Tool.Any>>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- some of these tests return what the types forbid
    const handlers = toolkit.toLayer({ [tool.name]: handler } as never)
    const reply = yield* Effect.provide(Sampler.sample("Go", { toolkit }), handlers)
    const requests = yield* TestSampler.requests
    return { reply, result: results(requests[1])[0]!, text: resultText(requests[1]) }
  }).pipe(Effect.provide(TestSampler.scripted([calls(call("1", tool.name, input)), "done"])))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- these tools need no services
  return run as unknown as Effect.Effect<Once, { readonly _tag: string; readonly message: string }>
}

const Void = Tool.make("void", { success: Schema.Void })

describe("ToolLoop", () => {
  describe("results", () => {
    it.effect("the result of a tool that returns void is the text null", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* once(Void, () => Effect.void)).text, "null")
      }))

    it.effect("the result of a tool that returns a string is that text", () =>
      Effect.gen(function*() {
        const Text = Tool.make("text", { success: Schema.String })
        const { result, text } = yield* once(Text, () => Effect.succeed("2 \"quoted\""))
        assert.strictEqual(text, "2 \"quoted\"")
        assert.isUndefined(result.structuredContent)
      }))

    it.effect("the result of a tool that returns an object is JSON text and structured content", () =>
      Effect.gen(function*() {
        const Struct = Tool.make("struct", { success: Schema.Struct({ a: Schema.Int }) })
        const { result, text } = yield* once(Struct, () => Effect.succeed({ a: 1 }))
        assert.deepStrictEqual([text, result.structuredContent], ["{\"a\":1}", { a: 1 }])
      }))

    for (
      const [what, value] of [["a circle", circle()], ["a bigint", 1n]] as const
    ) {
      it.effect(`a tool result that is not JSON (${what}) becomes a masked error`, () =>
        Effect.gen(function*() {
          const Any = Tool.make("any", { success: Schema.Unknown })
          const { result, text } = yield* once(Any, () => Effect.succeed(value))
          assert.deepStrictEqual([result.isError, text], [true, "The tool \"any\" failed"])
        }))
    }

    it.effect("a tool result with an image that is not base64 becomes a masked error, and the loop continues", () =>
      Effect.gen(function*() {
        const Draw = Tool.make("draw", {
          success: Schema.String,
          toModelOutput: (data) => [Prompt.filePart({ mediaType: "image/png", data })]
        })
        const { reply, result, text } = yield* once(Draw, () => Effect.succeed("no base64!"))
        assert.deepStrictEqual([reply.text, result.isError, text], ["done", true, "The tool \"draw\" failed"])
      }))

    it.effect("a tool result that does not fit its schema becomes a masked error", () =>
      Effect.gen(function*() {
        const Int = Tool.make("int", { success: Schema.Int })
        assert.strictEqual((yield* once(Int, () => Effect.succeed("no"))).text, "The tool \"int\" failed")
      }))
  })

  describe("failures", () => {
    for (const failureMode of ["error", "return"] as const) {
      it.effect(`an undeclared AiError of a tool is masked with the failure mode ${failureMode}`, () =>
        Effect.gen(function*() {
          const Ai = Tool.make("ai", { success: Schema.Void, failureMode })
          const secret = new AiError.UnknownError({ description: "key sk-4711" })
          assert.strictEqual((yield* once(Ai, () => Effect.fail(secret))).text, "The tool \"ai\" failed")
        }))

      it.effect(`wrong tool arguments are explained to the model with the failure mode ${failureMode}`, () =>
        Effect.gen(function*() {
          const Typed = Tool.make("typed", {
            parameters: Schema.Struct({ n: Schema.Finite }),
            success: Schema.Void,
            failureMode
          })
          assert.match(
            (yield* once(Typed, () => Effect.void, { n: "x".repeat(100_000) })).text,
            /^Invalid arguments for the tool "typed": (.|\n){1,2001}$/
          )
        }))
    }

    it.effect("wrong tool arguments are not a declared failure, even of a tool that declares any failure", () =>
      Effect.gen(function*() {
        const Any = Tool.make("any", {
          parameters: Schema.Struct({ n: Schema.Finite }),
          success: Schema.Void,
          failure: Schema.Unknown
        })
        const { reply, text } = yield* once(Any, () => Effect.void, { n: "x" })
        assert.strictEqual(reply.text, "done")
        assert.match(text, /^Invalid arguments/)
      }))

    it.effect("a tool that is interrupted interrupts the sample", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(once(Void, () => Effect.interrupt))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      }))

    it.effect("a tool that declares AiError fails the sample with it", () =>
      Effect.gen(function*() {
        const Ai = Tool.make("ai", { success: Schema.Void, failure: AiError.AiError })
        const error = AiError.make({
          module: "test",
          method: "ai",
          reason: new AiError.UnknownError({ description: "away" })
        })
        assert.strictEqual((yield* Effect.flip(once(Ai, () => Effect.fail(error))))._tag, "AiError")
      }))

    it.effect("a failure of onTurn fails the sample", () =>
      Effect.gen(function*() {
        class Enough extends Data.TaggedError("Enough")<{}> {}
        const Tools = Toolkit.make(Void)
        const error = yield* Sampler.sample("Go", { toolkit: Tools, onTurn: () => Effect.fail(new Enough()) }).pipe(
          Effect.provide([
            Tools.toLayer({ void: () => Effect.void }),
            TestSampler.scripted([calls(call("1", "void"))])
          ]),
          Effect.flip
        )
        assert.strictEqual(error._tag, "Enough")
      }))
  })

  // W12: no side effect happens after a cancellation.
  it.effect("an interrupted tool loop interrupts its tools, and does not ask again", () =>
    Effect.gen(function*() {
      const started = yield* Latch.make()
      const released = yield* Ref.make(false)
      const Tools = Toolkit.make(Void)
      const handlers = Tools.toLayer({
        void: () =>
          Effect.andThen(Latch.open(started), Effect.never).pipe(Effect.onInterrupt(() => Ref.set(released, true)))
      })
      const fiber = yield* Sampler.sample("Go", { toolkit: Tools }).pipe(Effect.provide(handlers), Effect.forkChild)
      yield* Latch.await(started)
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.isTrue(yield* Ref.get(released))
      assert.strictEqual((yield* TestSampler.requests).length, 1)
    }).pipe(Effect.provide(TestSampler.scripted([calls(call("1", "void"))]))))

  it.effect("a tool loop refuses provider-defined tools, and a choice of an unknown tool", () =>
    Effect.gen(function*() {
      const Search = Tool.providerDefined({
        id: "openai.web_search",
        customName: "search",
        providerName: "web_search"
      })()
      const Tools = Toolkit.make(Void)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a program without types may ask for any tool
      const options = { toolChoice: { tool: "other" as "void" } }
      const errors = [
        yield* Effect.flip(Sampler.sample("Go", { toolkit: Toolkit.make(Search) })),
        yield* Effect.flip(Sampler.sample("Go", { toolkit: Tools, ...options }))
      ]
      assert.match(errors[0]!.message, /toolkit: .*"search"/)
      assert.match(errors[1]!.message, /toolChoice: .*"other"/)
      assert.deepStrictEqual(yield* TestSampler.requests, [])
    }).pipe(
      Effect.provide([TestSampler.scripted([]), Toolkit.make(Void).toLayer({ void: () => Effect.void })])
    ))

  it.effect("a tool loop refuses tool arguments that are nested more than 256 levels", () =>
    Effect.gen(function*() {
      let deep: Record<string, unknown> = {}
      for (let level = 0; level < 10_000; level++) deep = { deep }
      const error = yield* Effect.flip(once(Void, () => Effect.void, deep))
      assert.strictEqual(error._tag, "InvalidResponse")
      assert.include(error.message, "nested more than 256 levels")
    }))

  it.effect("a tool loop adds up the tokens of its turns", () =>
    Effect.gen(function*() {
      const Tools = Toolkit.make(Void)
      const usage = [{ inputTokens: 10, outputTokens: 1 }, {}, { inputTokens: 5 }]
      const reply = yield* Sampler.sample("Go", { toolkit: Tools }).pipe(
        Effect.provide(Tools.toLayer({ void: () => Effect.void })),
        Effect.provide(TestSampler.fromFunction((_, index) =>
          Effect.succeed({
            content: index < 2 ? [call("1", "void")] : "done",
            stopReason: "endTurn",
            usage: usage[index]!
          })
        ))
      )
      assert.deepStrictEqual(reply.usage, { inputTokens: 15, outputTokens: 1 })
    }))

  describe("ToolApproval", () => {
    const guarded = (
      needsApproval: Tool.NeedsApproval<Schema.Struct<{ readonly n: typeof Schema.FiniteFromString }>>
    ) =>
      Tool.make("guarded", {
        parameters: Schema.Struct({ n: Schema.FiniteFromString }),
        success: Schema.String,
        needsApproval
      })
    const approved = Effect.provideService(ToolApproval.ToolApproval, () => Effect.succeed(true))
    const run = (tool: Tool.Any, input: Record<string, unknown> = { n: "7" }) =>
      once(tool, () => Effect.succeed("ran"), input)

    it.effect("needsApproval as a function receives the decoded arguments and the messages", () =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const tool = guarded((parameters: { n: number }, context: { messages: ReadonlyArray<Prompt.Message> }) => {
          seen.push(context.messages.map(({ role }) => role))
          return Effect.succeed(parameters.n > 5)
        })
        assert.include((yield* run(tool)).text, "was not approved")
        assert.strictEqual((yield* run(tool, { n: "1" })).text, "ran")
        assert.strictEqual((yield* run(tool).pipe(approved)).text, "ran")
        assert.deepStrictEqual(seen[0], ["user", "assistant"])
      }))

    it.effect("a tool does not run when ToolApproval or its needsApproval function breaks", () =>
      Effect.gen(function*() {
        const breaking = guarded(() => {
          throw new Error("secret")
        })
        assert.strictEqual((yield* run(breaking)).text, "The tool \"guarded\" failed")
        const outcome = yield* run(guarded(true)).pipe(
          Effect.provideService(ToolApproval.ToolApproval, () => Effect.die(new Error("secret")))
        )
        assert.strictEqual(outcome.text, "The tool \"guarded\" failed")
      }))

    it.effect("dynamic tools, whose parameters are plain JSON Schema, can require approval", () =>
      Effect.gen(function*() {
        const tool = Tool.dynamic("dynamic", {
          parameters: { type: "object" },
          success: Schema.String,
          needsApproval: () => true
        })
        assert.include((yield* run(tool)).text, "was not approved")
        assert.strictEqual((yield* run(tool).pipe(approved)).text, "ran")
      }))
  })

  describe("traces", () => {
    const Secret = Tool.make("secret", { parameters: Schema.Struct({ q: Schema.String }), success: Schema.String })
    const Tools = Toolkit.make(Secret, Void)
    const model = TestSampler.scripted([
      { ...Object(calls(call("id-1", "secret", { q: "private" }))), usage: { inputTokens: 3, outputTokens: 2 } },
      calls(call("id-2", "void"), call("id-3", "nowhere")),
      { content: "private answer", stopReason: "endTurn", usage: { inputTokens: 4 } }
    ])
    const trace = (capture: boolean) =>
      Effect.gen(function*() {
        const { layer: tracer, spans } = recordSpans()
        yield* Sampler.sample("private question", { toolkit: Tools, systemPrompt: "private system" }).pipe(
          Effect.provide([
            model,
            Tools.toLayer({ secret: () => Effect.succeed("private result"), void: () => Effect.die("private defect") })
          ], { local: true }),
          Effect.provideService(Telemetry.CaptureContent, capture),
          Effect.provide(tracer)
        )
        const named = (name: string) =>
          spans.filter((span) => span.name === name).map((span) => Object.fromEntries(span.attributes))
        return { named, spans }
      })

    it.effect("a traced tool loop has spans for the loop, each turn, each completion and each call", () =>
      Effect.gen(function*() {
        const { named, spans } = yield* trace(false)
        assert.deepInclude(named("Sampler.sample")[0], {
          "sampling.turns": 3,
          "sampling.input_tokens": 7,
          "sampling.output_tokens": 2
        })
        assert.deepStrictEqual(
          named("Sampler.turn").map((turn) => [turn["sampling.turn.index"], turn["sampling.turn.calls"]]),
          [
            [1, 1],
            [2, 2],
            [3, 0]
          ]
        )
        assert.deepInclude(named("Sampler.turn")[0], {
          "sampling.turn.input_tokens": 3,
          "sampling.turn.output_tokens": 2,
          "sampling.turn.stop_reason": "toolUse"
        })
        assert.strictEqual(named("sampling/createMessage").length, 3)
        assert.deepStrictEqual(named("execute_tool secret")[0], {
          "gen_ai.operation.name": "execute_tool",
          "gen_ai.tool.name": "secret",
          "gen_ai.tool.call.id": "id-1"
        })
        for (const span of spans) {
          assert.isTrue(span.status._tag === "Ended" && span.status.endTime >= span.status.startTime)
          const parent = span.parent._tag === "Some" && "name" in span.parent.value ? span.parent.value.name : undefined
          assert.strictEqual(
            parent,
            span.name === "Sampler.sample"
              ? undefined
              : span.name === "Sampler.turn"
              ? "Sampler.sample"
              : "Sampler.turn"
          )
        }
      }))

    it.effect("the failure of a tool call is recorded once, on the span of the call", () =>
      Effect.gen(function*() {
        const { named, spans } = yield* trace(false)
        const failing = spans.filter((span) => span.status._tag === "Ended" && Exit.isFailure(span.status.exit))
        assert.deepStrictEqual(failing.map(({ name }) => name), ["execute_tool void"])
        assert.strictEqual(named("execute_tool nowhere")[0]!["error.type"], "tool_error")
      }))

    it.effect("the spans of a tool loop hold no text by default", () =>
      Effect.gen(function*() {
        const { spans } = yield* trace(false)
        const attributes = JSON.stringify(spans.map((span) => Object.fromEntries(span.attributes)))
        assert.notInclude(attributes, "private")
      }))

    it.effect("the spans of a tool loop hold messages, arguments and results with CaptureContent", () =>
      Effect.gen(function*() {
        const { named } = yield* trace(true)
        const asked = named("sampling/createMessage")[1]!
        assert.deepStrictEqual(JSON.parse(String(asked["gen_ai.system_instructions"])), [
          { type: "text", content: "private system" }
        ])
        assert.deepStrictEqual(JSON.parse(String(asked["gen_ai.input.messages"])), [
          { role: "user", parts: [{ type: "text", content: "private question" }] },
          {
            role: "assistant",
            parts: [{ type: "tool_call", id: "id-1", name: "secret", arguments: { q: "private" } }]
          },
          { role: "tool", parts: [{ type: "tool_call_response", id: "id-1", response: [text("private result")] }] }
        ])
        assert.deepStrictEqual(
          JSON.parse(String(named("sampling/createMessage")[2]!["gen_ai.output.messages"])),
          [{
            role: "assistant",
            parts: [{ type: "text", content: "private answer" }],
            finish_reason: "endTurn"
          }]
        )
        const ran = named("execute_tool secret")[0]!
        assert.strictEqual(ran["gen_ai.tool.call.arguments"], `{"q":"private"}`)
        assert.deepStrictEqual(JSON.parse(String(ran["gen_ai.tool.call.result"])), [text("private result")])
      }))

    it.effect("spans never hold the bytes of images", () =>
      Effect.gen(function*() {
        const { layer: tracer, spans } = recordSpans()
        yield* Sampler.sample(SamplingMessage.user({ type: "image", data: "AAAABBBB", mimeType: "image/png" })).pipe(
          Effect.provide(ProviderSampler.layer({ name: "p", createMessage: () => Effect.succeed("ok") })),
          Effect.provideService(Telemetry.CaptureContent, true),
          Effect.provide(tracer)
        )
        const attributes = JSON.stringify(spans.map((span) => Object.fromEntries(span.attributes)))
        assert.include(attributes, "image/png")
        assert.notInclude(attributes, "AAAABBBB")
      }))
  })

  it("a tool is not Sequential by default", () => {
    assert.isFalse(Context.get(Void.annotations, ToolLoop.Sequential))
    assert.isTrue(Context.get(Void.annotate(ToolLoop.Sequential, true).annotations, ToolLoop.Sequential))
  })
})

function circle(): unknown {
  const self: Record<string, unknown> = {}
  self["self"] = self
  return self
}
