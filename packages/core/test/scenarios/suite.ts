/** Registers the tests of all scenarios for one source. */
import { assert, describe } from "@effect/vitest"
import type { Vitest } from "@effect/vitest"
import { Effect } from "effect"
import { breaches } from "./checkRequests.ts"
import type { Outcome, Scenario } from "./Scenario.ts"
import { failed } from "./Scenario.ts"
import { scenarios } from "./scenarios.ts"

/** Registers a test for each scenario; `source.run` runs a scenario on the source and returns its outcome. */
export const suite = <R>(
  it: Vitest.MethodsNonLive<R>,
  source: {
    readonly takesTools: boolean
    readonly run: (scenario: Scenario) => Effect.Effect<Outcome<unknown>, never, R>
  }
): void => {
  describe("scenarios", () => {
    for (const scenario of scenarios) {
      const isRefused = scenario.needsTools && !source.takesTools
      it.effect(
        isRefused ? `a source without tools refuses the scenario: ${scenario.title}` : scenario.title,
        () =>
          Effect.gen(function*() {
            const outcome = yield* source.run(scenario)
            for (const request of outcome.requests) assert.deepStrictEqual(breaches(request), [])
            if (!isRefused) return scenario.check(outcome)
            assert.strictEqual(failed(outcome)._tag, "SamplingUnsupported")
            assert.deepStrictEqual(outcome.requests, [])
          })
      )
    }
  })
}
