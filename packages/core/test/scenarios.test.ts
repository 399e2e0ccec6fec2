import { ProviderSampler, type Sampler } from "@effect-sampling/core"
import type { SamplingRequest } from "@effect-sampling/core"
import type { Scenario } from "@effect-sampling/scenarios/Scenario"
import { json } from "@effect-sampling/scenarios/Scenario"
import { suite } from "@effect-sampling/scenarios/suite"
import { describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"

/** Makes a source in memory that runs a scenario. */
const source = (options: Pick<ProviderSampler.Options, "jsonSchema" | "tools">) => (scenario: Scenario) =>
  Effect.suspend(() => {
    const requests: Array<SamplingRequest.SamplingRequest> = []
    const layer: Layer.Layer<Sampler.Sampler> = ProviderSampler.layer({
      name: "scripted",
      ...options,
      createMessage: (request) => Effect.sync(() => scenario.model(request, requests.push(json(request)) - 1))
    })
    return Effect.map(Effect.provide(scenario.run, layer, { local: true }), (report) => ({ report, requests }))
  })

describe("source with tools", () => suite(it, { takesTools: true, run: source({ tools: true }) }))

describe("source without tools", () => suite(it, { takesTools: false, run: source({}) }))

describe("source with a JSON mode", () =>
  suite(it, { takesTools: true, run: source({ tools: true, jsonSchema: true }) }))
