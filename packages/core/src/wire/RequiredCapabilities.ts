/**
 * For adapters: the capabilities that a client would have to declare.
 *
 * @since 0.1.0
 */
import type { ClientUnsupported } from "../Client.ts"
import type { ClientCapabilities } from "../ClientConnection.ts"
import type { SamplingUnsupported } from "../SamplingError.ts"

/**
 * Returns the `data.requiredCapabilities` of error -32021, for a handler that failed because the client did not declare
 * a capability. Returns undefined if the handler failed for another reason.
 *
 * Source: MCP 2026-07-28, "Error Codes".
 *
 * @category converting
 * @since 0.1.0
 */
export const ofError = ({ missing }: SamplingUnsupported | ClientUnsupported): ClientCapabilities | undefined => {
  switch (missing) {
    case "sampling":
      return { sampling: {} }
    case "sampling.tools":
      return { sampling: { tools: {} } }
    case "elicitation":
      return { elicitation: { form: {} } }
    case "roots":
      return { roots: {} }
    case "client":
    case "backChannel":
    case "content":
      return undefined
  }
}
