import { officialScenarios, scenariosInRounds } from "@effect-sampling/mcp-suite/scenarios"
import { adapter } from "./fixtures/adapter.ts"

officialScenarios(adapter)
scenariosInRounds(adapter)
