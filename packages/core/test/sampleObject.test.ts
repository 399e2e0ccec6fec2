import {
  ClientSampler,
  ProviderSampler,
  Sampler,
  SamplingError,
  type SamplingRequest,
  TestSampler
} from "@effect-sampling/core"
import { breaches } from "@effect-sampling/scenarios/checkRequests"
import { call, gives, json, results, wantedSchema } from "@effect-sampling/scenarios/Scenario"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Exit, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { fakeClient, oneOf } from "./fixtures/domain.ts"

type Request = SamplingRequest.SamplingRequest

const City = Schema.Struct({ city: Schema.String })

/** A provider that records the requests it receives. */
const recording = (
  options: Pick<ProviderSampler.Options, "jsonSchema" | "tools">,
  answer: (request: Request, index: number) => ProviderSampler.Reply
) => {
  const requests: Array<Request> = []
  const layer = ProviderSampler.layer({
    name: "recording",
    ...options,
    createMessage: (request) => Effect.sync(() => answer(request, requests.push(json(request)) - 1))
  })
  return { layer, requests }
}

describe("sampleObject", () => {
  describe("ways to ask for an object", () => {
    it.effect("a source with a JSON mode is asked for an object through it", () =>
      Effect.gen(function*() {
        const { layer, requests } = recording({ tools: true, jsonSchema: true }, gives({ city: "Rome" }))
        yield* Effect.provide(Sampler.sampleObject(City, "Where?", { objectName: "the place!" }), layer)
        assert.strictEqual(requests[0]!.responseFormat?.name, "the_place_")
        assert.isUndefined(requests[0]!.tools)
        assert.isUndefined(requests[0]!.systemPrompt)
      }))

    it.effect("a source with tools is asked for an object through a tool that the model must call", () =>
      Effect.gen(function*() {
        const { layer, requests } = recording({ tools: true }, gives({ city: "Rome" }))
        const reply = yield* Effect.provide(Sampler.sampleObject(City, "Where?", { objectName: "place" }), layer)
        assert.deepStrictEqual(requests[0]!.tools?.map(({ name }) => name), ["final_place"])
        assert.strictEqual(requests[0]!.toolChoice?.mode, "required")
        assert.isUndefined(requests[0]!.responseFormat)
        // A result answers the call: without it, the conversation could not continue.
        assert.deepStrictEqual(breaches({ messages: reply.history, maxTokens: 1 }), [])
        assert.strictEqual(reply.history.length, 3)
      }))

    it.effect("a source without tools is asked for an object by an instruction after the system prompt", () =>
      Effect.gen(function*() {
        const { layer, requests } = recording({}, gives({ city: "Rome" }))
        yield* Effect.provide(Sampler.sampleObject(City, "Where?", { systemPrompt: "Be brief." }), layer)
        assert.match(requests[0]!.systemPrompt ?? "", /^Be brief\.\n\nAnswer with one JSON value(.|\n)*"city"/)
        assert.isUndefined(requests[0]!.responseFormat)
      }))

    it.effect("a connected client with plain sampling is asked for an object by an instruction", () =>
      Effect.gen(function*() {
        const reply = { role: "assistant", content: { type: "text", text: "{\"city\":\"Rome\"}" }, model: "m" }
        const { asked, provide } = fakeClient({ reply })
        const { value } = yield* Sampler.sampleObject(City, "Where?").pipe(provide, Effect.provide(ClientSampler.layer))
        assert.deepStrictEqual(value, { city: "Rome" })
        const params = JSON.stringify(asked[0]!.params)
        assert.include(params, "It must fit this JSON Schema")
        assert.notInclude(params, "responseFormat")
      }))

    it.effect("a fallback source without a JSON mode receives the schema in an instruction", () =>
      Effect.gen(function*() {
        const unable = ProviderSampler.layer({
          name: "unable",
          jsonSchema: true,
          createMessage: () => Effect.fail(new SamplingError.SamplingUnsupported({ missing: "content", message: "no" }))
        })
        const { layer, requests } = recording({}, gives({ city: "Rome" }))
        const reply = yield* Sampler.sampleObject(City, "Where?").pipe(
          Effect.provide(Sampler.fallback(unable, layer))
        )
        assert.deepStrictEqual(reply.value, { city: "Rome" })
        assert.include(JSON.stringify(wantedSchema(requests[0]!)), "city")
      }))
  })

  it.effect("the first of several final answers that fits is the object, and the others are answered as errors", () =>
    Effect.gen(function*() {
      const { layer } = recording({ tools: true }, () => ({
        content: [
          call("1", "final_answer", { city: 5 }),
          call("2", "final_answer", { city: "Rome" }),
          call("3", "final_answer", { city: "Paris" })
        ]
      }))
      const reply = yield* Effect.provide(Sampler.sampleObject(City, "Where?"), layer)
      assert.deepStrictEqual(reply.value, { city: "Rome" })
      assert.deepStrictEqual(breaches({ messages: reply.history, maxTokens: 1 }), [])
      assert.deepStrictEqual(
        results({ messages: reply.history, maxTokens: 1 }).map(({ isError }) => isError === true),
        [true, false, true]
      )
    }))

  it.effect("the attempts of a StructuredOutputError are truncated to 2000 characters", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Sampler.sampleObject(City, "Where?", { maxRepairs: 0 }))
      assert.isTrue(error._tag === "StructuredOutputError" && error.attempts[0]!.answer.length === 2001)
    }).pipe(Effect.provide(TestSampler.scripted(["x".repeat(100_000)]))))
})

/** Replies that a model may give, valid and invalid ones. */
const moves: ReadonlyArray<(request: Request, id: string) => ProviderSampler.Reply> = [
  () => "just text",
  () => ({ content: [], stopReason: "endTurn" }),
  () => ({ content: "", stopReason: "maxTokens" }),
  () => ({ content: "{\"city\":\"Ro", stopReason: "maxTokens" }),
  (_, id) => ({ content: [call(id, "add", { a: 1, b: 1 })], stopReason: "toolUse" }),
  (_, id) => ({ content: [call(id, "add", { a: "x" }), call(`${id}b`, "fail")], stopReason: "endTurn" }),
  (_, id) => ({ content: [{ type: "text", text: "so" }, call(id, "nowhere"), call("again", "add")] }),
  (request, id) =>
    gives({ city: 5 }, ...(request.tools?.length ?? 0) > 1 ? [call(id, "add")] : [])(request, Number(id)),
  (request, id) => gives({ city: "Rome" })(request, Number(id)),
  (_, id) => ({ content: [call(id, "add"), call(id, "add")] }),
  (_, id) => ({ content: [{ type: "tool_result", toolUseId: id, content: [] }] }),
  () => ({ content: [{ type: "image", data: "AAAA", mimeType: "image/png" }] })
]

const givesObject = (move: typeof moves[number]): boolean => move === moves[7] || move === moves[8]

const Tools = Toolkit.make(
  Tool.make("add", { parameters: Schema.Struct({ a: Schema.Finite, b: Schema.Finite }), success: Schema.Finite }),
  Tool.make("fail", { success: Schema.Void })
)
const handlers = Tools.toLayer({ add: ({ a, b }) => Effect.succeed(a + b), fail: () => Effect.die("broken") })

const plays = Arbitrary.array(oneOf(moves), { minLength: 1, maxLength: 8 })
const sources = oneOf([{ tools: true }, { tools: true, jsonSchema: true }])

describe("arbitrary model replies", () => {
  for (const method of ["sample", "sampleObject"] as const) {
    it.effect.prop(
      `${method} sends only valid requests for arbitrary replies, and ends without a defect`,
      [plays, sources],
      ([play, source]) =>
        Effect.gen(function*() {
          const { layer, requests } = recording(source, (request, index) => {
            const move = play[index % play.length]!
            return method === "sample" && givesObject(move) ? "done" : move(request, String(index))
          })
          const options = { toolkit: Tools, maxTurns: 6, concurrency: 2 }
          const exit = yield* Effect.exit(Effect.provide(
            method === "sample"
              ? Effect.asVoid(Sampler.sample("Go", options))
              : Effect.asVoid(Sampler.sampleObject(City, "Go", options)),
            [layer, handlers]
          ))
          for (const request of requests) assert.deepStrictEqual(breaches(request), [])
          if (Exit.isFailure(exit)) assert.deepStrictEqual(exit.cause.reasons.map(({ _tag }) => _tag), ["Fail"])
        })
    )

    it.effect.prop(
      `${method} refuses every invalid history before it asks`,
      [plays],
      ([play]) =>
        Effect.gen(function*() {
          const fake: Request = { messages: [], maxTokens: 1, tools: [] }
          const messages = play.filter((move) => !givesObject(move)).map((move, index) => {
            const reply = move(fake, String(index % 2))
            const content = typeof reply === "string" || typeof reply.content === "string"
              ? { type: "text" as const, text: "x" }
              : reply.content
            return { role: index % 2 === 0 ? "assistant" as const : "user" as const, content }
          })
          const { layer, requests } = recording({ tools: true }, () => "{\"city\":\"Rome\"}")
          const exit = yield* Effect.exit(Effect.provide(
            method === "sample"
              ? Effect.asVoid(Sampler.sample(messages))
              : Effect.asVoid(Sampler.sampleObject(City, messages)),
            layer
          ))
          const isValid = messages.length > 0 && breaches({ messages, maxTokens: 1 }).length === 0
          assert.deepStrictEqual([Exit.isSuccess(exit), requests.length], [isValid, isValid ? 1 : 0])
        })
    )
  }
})
