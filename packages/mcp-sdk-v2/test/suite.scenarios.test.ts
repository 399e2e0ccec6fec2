import { officialScenarios } from "@effect-sampling/mcp-suite/scenarios"
import { adapter } from "./fixtures/adapter.ts"

officialScenarios(adapter)
