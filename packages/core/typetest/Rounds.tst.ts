import type { RequestState, SamplingError } from "@effect-sampling/core"
import { Client, Rounds } from "@effect-sampling/core"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { Context, Effect, Schema } from "effect"
import { describe, expect, it } from "tstyche"

class Payments extends Context.Service<Payments, { readonly charge: Effect.Effect<string, "broke"> }>()("Payments") {}

describe("Rounds.once", () => {
  it("`Rounds.once` keeps the effect's errors and requirements", () => {
    const charge = Effect.flatMap(Payments, (payments) => payments.charge)
    expect(Rounds.once("charge", charge, { success: Schema.String, failure: Schema.Literal("broke") })).type.toBe<
      Effect.Effect<string, "broke", Payments>
    >()
    expect(Rounds.once("beep", Effect.void)).type.toBe<Effect.Effect<void>>()
  })

  it("`Rounds.once` needs the Schema of a failure", () => {
    expect(Rounds.once).type.not.toBeCallableWith("n", Effect.fail("broke"), { success: Schema.String })
    expect(Rounds.once).type.not.toBeCallableWith("n", Effect.fail("broke"), { failure: Schema.Int })
  })

  it("`Rounds.scope` changes no type", () => {
    expect(Rounds.scope("order 7", Effect.flatMap(Payments, (payments) => payments.charge))).type.toBe<
      Effect.Effect<string, "broke", Payments>
    >()
  })

  it("`Rounds.once` accepts only effects whose success fits the schema", () => {
    expect(Rounds.once).type.not.toBeCallableWith("n", Effect.succeed("text"), { success: Schema.Int })
    expect(Rounds.once).type.not.toBeCallableWith("n", Effect.succeed(1), { success: Schema.String })
  })
})

describe("RoundRunner.run", () => {
  it("`RoundRunner.run` adds the errors of a round to those of the handler", () => {
    const run = (call: RoundRunner.Call) =>
      RoundRunner.run(Effect.flatMap(Payments, (payments) => payments.charge), call)
    expect<ReturnType<typeof run>>().type.toBe<
      Effect.Effect<
        RoundRunner.Round<string>,
        | "broke"
        | SamplingError.ReplayMismatch
        | RequestState.StateRejected
        | RequestState.StateNotKept
        | RoundRunner.InvalidParams,
        Payments
      >
    >()
  })
})

describe("Client.elicit", () => {
  it("`Client.elicit` returns the type of the schema", () => {
    expect(Client.elicit(Schema.Struct({ name: Schema.String, age: Schema.Int }), "Who are you?")).type.toBe<
      Effect.Effect<{ readonly name: string; readonly age: number }, Client.ClientAskError>
    >()
  })
})
