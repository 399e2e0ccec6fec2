import { scenarios, scenariosInRounds } from "@effect-sampling/mcp-suite/scenarios"
import { adapter } from "./fixtures/adapter.ts"

scenarios(adapter)
scenariosInRounds(adapter)
