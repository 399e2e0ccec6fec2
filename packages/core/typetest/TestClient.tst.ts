import type { RequestState, SamplingError } from "@effect-sampling/core"
import { Sampler, TestClient, TestSampler } from "@effect-sampling/core"
import type * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { Effect } from "effect"
import type { Scope } from "effect"
import { describe, expect, it } from "tstyche"

describe("TestClient.call", () => {
  it("`TestClient.call` keeps the requirements of the handler, even those that the client has", () => {
    const handler = Effect.andThen(Effect.addFinalizer(() => Effect.void), Sampler.sample("Hi"))
    const called = TestClient.call(handler, { sampler: TestSampler.scripted(["Hello"]) })
    expect(called).type.toBeAssignableTo<Effect.Effect<unknown, unknown, Sampler.Sampler | Scope.Scope>>()
    expect(called).type.not.toBeAssignableTo<Effect.Effect<unknown, unknown, Sampler.Sampler>>()
    expect(called).type.not.toBeAssignableTo<Effect.Effect<unknown, unknown, Scope.Scope>>()
  })

  it("`TestClient.call` adds the errors of a round and of the client's model", () => {
    expect(TestClient.call(Effect.fail("broke" as const))).type.toBe<
      Effect.Effect<
        TestClient.Called<never>,
        | "broke"
        | SamplingError.SamplingError
        | SamplingError.ReplayMismatch
        | RequestState.StateRejected
        | RequestState.StateNotKept
        | RoundRunner.InvalidParams
      >
    >()
  })
})
