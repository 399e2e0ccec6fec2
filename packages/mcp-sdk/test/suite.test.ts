import { asks } from "@effect-sampling/mcp-suite/asks"
import { asyncHandlers } from "@effect-sampling/mcp-suite/asyncHandlers"
import { clientErrors } from "@effect-sampling/mcp-suite/clientErrors"
import { features, installedFeatures } from "@effect-sampling/mcp-suite/features"
import { handlers } from "@effect-sampling/mcp-suite/handlers"
import { http } from "@effect-sampling/mcp-suite/http"
import { malformed } from "@effect-sampling/mcp-suite/malformed"
import { nulls, nullsOfInstalledFeatures } from "@effect-sampling/mcp-suite/nulls"
import { requirements } from "@effect-sampling/mcp-suite/requirements"
import { silence } from "@effect-sampling/mcp-suite/silence"
import { sizes } from "@effect-sampling/mcp-suite/sizes"
import { adapter } from "./fixtures/adapter.ts"

features(adapter)
requirements(adapter)
silence(adapter)
installedFeatures(adapter)
handlers(adapter)
asyncHandlers(adapter)
asks(adapter)
clientErrors(adapter)
malformed(adapter)
nulls(adapter)
nullsOfInstalledFeatures(adapter)
sizes(adapter)
http(adapter)
