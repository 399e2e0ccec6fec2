import { NodeRuntime } from "@effect/platform-node"
import { serve } from "./program.ts"

NodeRuntime.runMain(serve)
