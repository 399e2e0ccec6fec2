import { RequestState } from "@effect-sampling/core"
import type { Config, Effect, Layer } from "effect"
import type { KeyValueStore } from "effect/persistence"
import { describe, expect, it } from "tstyche"

declare const keys: ReadonlyArray<RequestState.Key>

describe("RequestState", () => {
  it("layers of RequestState require nothing, and stored ones require a store", () => {
    expect(RequestState.layer({ keys })).type.toBe<Layer.Layer<never, RequestState.InvalidOptions>>()
    expect(RequestState.layerConfig()).type.toBe<Layer.Layer<never, Config.ConfigError>>()
    expect(RequestState.layerStored({ keys })).type.toBe<
      Layer.Layer<never, RequestState.InvalidOptions, KeyValueStore.KeyValueStore>
    >()
    expect(RequestState.layerStoredConfig()).type.toBe<
      Layer.Layer<never, Config.ConfigError, KeyValueStore.KeyValueStore>
    >()
    expect(RequestState.removeExpired()).type.toBe<
      Effect.Effect<number, RequestState.StateNotKept, KeyValueStore.KeyValueStore>
    >()
  })

  it("RequestState accepts only redacted keys, and each layer only its own options", () => {
    expect(RequestState.layer).type.not.toBeCallableWith({})
    expect(RequestState.layer).type.not.toBeCallableWith({ keys: [{ id: "a", key: "q83v" }] })
    expect(RequestState.layer).type.not.toBeCallableWith({ keys, singleUse: true })
    expect(RequestState.layerStored).type.toBeCallableWith({ keys, singleUse: true, prefix: "a" })
  })
})
