import { Sampler, SamplingError, SamplingMessage, TestSampler } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { hello, image, text, tool, toolUse } from "./fixtures/domain.ts"

const rejected = new SamplingError.SamplingRejected({ message: "no" })

const sample = (prompt: string) => Sampler.sample(prompt)

describe("TestSampler", () => {
  describe("scripted", () => {
    it.effect("a scripted sampler returns its replies and errors in order, and records the requests", () =>
      Effect.gen(function*() {
        const replies = yield* Effect.forEach(["1", "2", "3"], (prompt) => Effect.exit(sample(prompt)))
        assert.deepStrictEqual(
          replies.map((exit) => Exit.isSuccess(exit) ? [exit.value.text, exit.value.model] : Cause.squash(exit.cause)),
          [["a", "test"], rejected, ["b", "m"]]
        )
        assert.deepStrictEqual(
          (yield* TestSampler.requests).map((request) => request.messages),
          ["1", "2", "3"].map((prompt) => [SamplingMessage.user(prompt)])
        )
      }).pipe(
        Effect.provide(TestSampler.scripted(["a", rejected, { content: [text("b"), image], model: "m" }]))
      ))

    it.effect("a request beyond the last scripted reply is a defect that states both counts", () =>
      Effect.gen(function*() {
        yield* sample("1")
        const exit = yield* Effect.exit(sample("2"))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        assert.include(
          Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "",
          "TestSampler.scripted has 1 replies, but it received request number 2"
        )
      }).pipe(Effect.provide(TestSampler.scripted(["a"]))))

    it.effect("a scripted sampler starts from its first reply in each program that provides it", () =>
      Effect.gen(function*() {
        const layer = TestSampler.scripted(["a"])
        const first = yield* sample("1").pipe(Effect.provide(layer, { local: true }))
        const second = yield* sample("1").pipe(Effect.provide(layer, { local: true }))
        assert.deepStrictEqual([first.text, second.text], ["a", "a"])
      }))

    it.effect("a scripted sampler does not record an invalid request", () =>
      Effect.gen(function*() {
        yield* Effect.flip(Sampler.sample([]))
        assert.deepStrictEqual(yield* TestSampler.requests, [])
        assert.strictEqual((yield* sample("1")).text, "a")
      }).pipe(Effect.provide(TestSampler.scripted(["a"]))))

    it.effect("concurrent requests to a scripted sampler receive different replies", () =>
      Effect.gen(function*() {
        const replies = yield* Effect.forEach(["1", "2", "3"], sample, { concurrency: "unbounded" })
        assert.deepStrictEqual(replies.map((reply) => reply.text).toSorted(), ["a", "b", "c"])
      }).pipe(Effect.provide(TestSampler.scripted(["a", "b", "c"]))))

    it.effect("a scripted sampler accepts tools", () =>
      Effect.gen(function*() {
        const response = yield* Sampler.Sampler.use((sampler) => sampler.createMessage({ ...hello, tools: [tool] }))
        assert.deepStrictEqual(response.content, toolUse("1"))
      }).pipe(Effect.provide(TestSampler.scripted([{ content: toolUse("1"), stopReason: "toolUse" }]))))

    it.effect("the recorded requests of a scripted sampler are a copy that later requests do not change", () =>
      Effect.gen(function*() {
        const before = yield* TestSampler.requests
        yield* sample("1")
        assert.deepStrictEqual(before, [])
      }).pipe(Effect.provide(TestSampler.scripted(["a"]))))
  })

  describe("fromFunction", () => {
    it.effect("TestSampler.fromFunction answers by the request and its index", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* sample("x")).text, "0 of 512")
        assert.strictEqual((yield* Sampler.sample("x", { maxTokens: 5 })).text, "1 of 5")
      }).pipe(
        Effect.provide(
          TestSampler.fromFunction((request, index) => Effect.succeed(`${index} of ${request.maxTokens}`))
        )
      ))
  })

  describe("failing", () => {
    it.effect("TestSampler.failing fails every request, and records it", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Effect.flip(sample("1")), rejected)
        assert.strictEqual(yield* Effect.flip(sample("2")), rejected)
        assert.strictEqual((yield* TestSampler.requests).length, 2)
      }).pipe(Effect.provide(TestSampler.failing(rejected))))
  })
})
