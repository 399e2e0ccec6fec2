import { objectScenarios } from "./objects.ts"
import type { Scenario } from "./Scenario.ts"
import { stepScenarios } from "./steps.ts"
import { toolScenarios } from "./tools.ts"

/** All scenarios. Servers in other processes find a scenario by its index in this list. */
export const scenarios: ReadonlyArray<Scenario> = [...toolScenarios, ...stepScenarios, ...objectScenarios]
