import { protocolError } from "@effect-sampling/core/adapter/HandlerFailure"
import { ClientUnsupported } from "@effect-sampling/core/Client"
import { StateRejected } from "@effect-sampling/core/RequestState"
import { InvalidInputResponse } from "@effect-sampling/core/Rounds"
import { SamplingUnsupported } from "@effect-sampling/core/SamplingError"
import { ProtocolErrorCode } from "@modelcontextprotocol/server"
import * as Cause from "effect/Cause"

/**
 * The JSON-RPC error of a round that is no round of its call, or for which the client declared too little. Undefined for
 * every other failure: those are the handler's.
 *
 * MCP 2026-07-28, multi round-trip requests, and "Error Codes": -32021.
 */
export const refusal = (cause: Cause.Cause<unknown>): Error | undefined => {
  const error = Cause.hasDies(cause) ? undefined : cause.reasons.find(Cause.isFailReason)?.error
  if (error instanceof StateRejected || error instanceof InvalidInputResponse) {
    return protocolError(ProtocolErrorCode.InvalidParams, error.message)
  }
  if (error instanceof SamplingUnsupported || error instanceof ClientUnsupported) {
    const requiredCapabilities = required[error.missing]
    return requiredCapabilities &&
      protocolError(ProtocolErrorCode.MissingRequiredClientCapability, error.message, { requiredCapabilities })
  }
  return undefined
}

const required: { readonly [missing: string]: object } = {
  "sampling": { sampling: {} },
  "sampling.tools": { sampling: { tools: {} } },
  "sampling.context": { sampling: { context: {} } },
  "elicitation": { elicitation: { form: {} } },
  "roots": { roots: {} }
}
