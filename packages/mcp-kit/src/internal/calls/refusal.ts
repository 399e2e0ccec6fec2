import { ClientUnsupported } from "@effect-sampling/core/Client"
import type { MissingCapabilityAs } from "@effect-sampling/core/Client"
import { StateRejected } from "@effect-sampling/core/RequestState"
import { SamplingUnsupported } from "@effect-sampling/core/SamplingError"
import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import * as RequiredCapabilities from "@effect-sampling/core/wire/RequiredCapabilities"
import { InvalidParams } from "@effect-sampling/core/wire/RoundRunner"
import * as Cause from "effect/Cause"
import * as Schema from "effect/Schema"
import { invalidParams, missingClientCapability } from "../errorCodes.ts"

const isRefused = Schema.is(Schema.Union([StateRejected, InvalidParams]))
const isUnsupported = Schema.is(Schema.Union([SamplingUnsupported, ClientUnsupported]))

/**
 * Returns the JSON-RPC error of a request whose state or answers are not valid for its call, or whose client did not
 * declare a capability that the handler needs. Returns undefined for every other failure, which the result of the call
 * reports.
 *
 * MCP 2026-07-28, multi round-trip requests, and "Error Codes": -32021.
 */
export const refusal = (
  cause: Cause.Cause<unknown>,
  missingCapabilityAs: typeof MissingCapabilityAs["Service"]
): Error | undefined => {
  const error = Cause.hasDies(cause) ? undefined : cause.reasons.find(Cause.isFailReason)?.error
  if (isRefused(error)) return protocolError(invalidParams, error.message)
  if (!isUnsupported(error) || missingCapabilityAs === "toolExecutionError") return undefined
  const requiredCapabilities = RequiredCapabilities.ofError(error)
  return requiredCapabilities === undefined
    ? undefined
    : protocolError(missingClientCapability, error.message, { requiredCapabilities })
}
