import type { RequestState, SamplingError } from "@effect-sampling/core"
import { Client, Rounds } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { Context, Effect, Schema } from "effect"
import { describe, expect, it } from "tstyche"

class Payments extends Context.Service<Payments, { readonly charge: Effect.Effect<string, "broke"> }>()("Payments") {}

describe("Rounds.once", () => {
  it("adds that the replay may not match, and keeps what the effect needs and may fail with", () => {
    const charge = Effect.flatMap(Payments, (payments) => payments.charge)
    expect(Rounds.once("charge", charge, { schema: Schema.String })).type.toBe<
      Effect.Effect<string, "broke" | SamplingError.ReplayMismatch, Payments>
    >()
  })

  it("takes only what the schema describes", () => {
    expect(Rounds.once).type.not.toBeCallableWith("n", Effect.succeed("text"), { schema: Schema.Int })
    expect(Rounds.once).type.not.toBeCallableWith("n", Effect.succeed("text"))
  })
})

describe("RoundRunner.run", () => {
  it("adds what can be wrong with a round to what the handler may fail with", () => {
    const run = (call: RoundRunner.Call) =>
      RoundRunner.run(Effect.flatMap(Payments, (payments) => payments.charge), call)
    expect<ReturnType<typeof run>>().type.toBe<
      Effect.Effect<
        RoundRunner.Round<string>,
        "broke" | RequestState.StateRejected | RequestState.StateNotKept | RoundRunner.InvalidInputResponse,
        Payments
      >
    >()
  })
})

describe("Client.elicit", () => {
  it("gives what the schema describes", () => {
    expect(Client.elicit(Schema.Struct({ name: Schema.String, age: Schema.Int }), "Who are you?")).type.toBe<
      Effect.Effect<{ readonly name: string; readonly age: number }, Client.ClientAskError>
    >()
  })
})
