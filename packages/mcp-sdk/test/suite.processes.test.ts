import { leaks } from "@effect-sampling/mcp-suite/leaks"
import { samplingClient } from "@effect-sampling/mcp-suite/samplingClient"
import { stdio } from "@effect-sampling/mcp-suite/stdio"
import { adapter } from "./fixtures/adapter.ts"

leaks(adapter)
samplingClient(adapter)
stdio(adapter)
