import { objectScenarios } from "./objects.ts"
import type { Scenario } from "./Scenario.ts"
import { stepScenarios } from "./steps.ts"
import { toolScenarios } from "./tools.ts"

/** All of them. Their order is what a source in another process knows them by. */
export const scenarios: ReadonlyArray<Scenario> = [...toolScenarios, ...stepScenarios, ...objectScenarios]
