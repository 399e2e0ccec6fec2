import {
  ClientSampler,
  type Sampler,
  SamplingError,
  TestClient,
  TestSampler,
  ToolDispatch
} from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { handlers, Tools } from "../src/program.ts"

const triage = (ticket: string) =>
  Effect.gen(function*() {
    const dispatch = yield* ToolDispatch.make(Tools)
    const outcome = yield* dispatch.call("triage", { ticket })
    return outcome.encodedResult
  })

const withSampler = <A>(sampler: Layer.Layer<Sampler.Sampler | A>) =>
  Effect.provide(Layer.provideMerge(handlers, sampler))

describe("triage", () => {
  it.effect("triage asks once when the ticket is not urgent", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* triage("A typo"), { urgent: false })
      const requests = yield* TestSampler.requests
      assert.strictEqual(requests.length, 1)
      assert.strictEqual(requests[0]?.maxTokens, 5)
    }).pipe(withSampler(TestSampler.scripted(["No."]))))

  it.effect("triage drafts an answer to an urgent ticket", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* triage("It burns"), { urgent: true, draft: "Stay calm." })
    }).pipe(withSampler(TestSampler.scripted(["Yes", "Stay calm."]))))

  it.effect("triage handles a ticket as urgent when the user refuses to share it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* triage("Secret"), { urgent: true, draft: "We are on it." })
    }).pipe(withSampler(TestSampler.failing(new SamplingError.SamplingRejected({ message: "no" })))))

  it.effect("the scripted model can answer triage by the content of each prompt", () =>
    Effect.gen(function*() {
      const results = yield* Effect.forEach(["It burns", "A typo"], triage, { concurrency: "unbounded" })
      assert.deepStrictEqual(results, [{ urgent: true, draft: "Noted." }, { urgent: false }])
    }).pipe(withSampler(TestSampler.fromFunction((request) => {
      const prompt = JSON.stringify(request.messages)
      return Effect.succeed(prompt.includes("Draft") ? "Noted." : prompt.includes("burns") ? "yes" : "no")
    }))))

  for (
    const { protocolVersion, runs } of [
      { protocolVersion: "2025-11-25", runs: 1 },
      { protocolVersion: "2026-07-28", runs: 3 }
    ] as const
  ) {
    it.effect(`triage runs ${runs} times for a client of ${protocolVersion}`, () =>
      Effect.gen(function*() {
        const called = yield* TestClient.call(triage("It burns"), {
          protocolVersion,
          sampler: TestSampler.scripted(["Yes", "Stay calm."])
        })
        assert.deepStrictEqual(called.value, { urgent: true, draft: "Stay calm." })
        assert.strictEqual(called.runs, runs)
      }).pipe(withSampler(ClientSampler.layer)))
  }
})
