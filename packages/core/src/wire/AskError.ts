/**
 * For adapters: the typed errors of requests to a client that ended without a result.
 *
 * @since 0.1.0
 */
import type { ClientConnection } from "../ClientConnection.ts"
import { describe } from "../ClientConnection.ts"
import {
  ClientError,
  ConnectionLost,
  InvalidRequest,
  InvalidResponse,
  SamplingRejected,
  SamplingTimeout,
  SamplingUnsupported
} from "../SamplingError.ts"
import type { SamplingError } from "../SamplingError.ts"

/**
 * The way in which a request to the client ended without a result.
 *
 * @category models
 * @since 0.1.0
 */
export type AskFailure =
  | { readonly _tag: "Error"; readonly code: number; readonly message: string }
  | { readonly _tag: "Malformed"; readonly problem: string }
  | { readonly _tag: "TimedOut" }
  | { readonly _tag: "Closed" }
  | { readonly _tag: "NotSent"; readonly problem: string }

/**
 * Converts the way in which an ask ended to a typed error.
 *
 * @category converting
 * @since 0.1.0
 */
export const toSamplingError = (
  connection: ClientConnection,
  outcome: AskFailure,
  timeoutMillis: number
): SamplingError => {
  const who = describe(connection)
  switch (outcome._tag) {
    case "Error":
      return fromClient(who, outcome.code, outcome.message)
    case "Malformed":
      return new InvalidResponse({ message: `The answer of ${who} cannot be used: ${outcome.problem}.` })
    case "TimedOut":
      return new SamplingTimeout({
        afterMillis: timeoutMillis,
        message: `${capital(who)} did not answer the sampling request within ${timeoutMillis / 1000} seconds. ` +
          "The user may not have approved it in time; raise ClientConnection.AskTimeout, or let the client report progress."
      })
    case "NotSent":
      return notSent(who, outcome.problem)
    case "Closed":
      return connectionLost(who)
  }
}

const notSent = (who: string, why: string): InvalidRequest =>
  new InvalidRequest({ message: `The sampling request was not sent to ${who}: ${why}` })

/** Follows MCP sampling, "Error Handling", and recognizes the other answers that clients are known to send instead. */
const fromClient = (who: string, code: number, message: string): SamplingError => {
  const said = quote(message)
  if (code === -1 || denial.test(message)) {
    return new SamplingRejected({
      message: `The user or a policy of ${who} rejected the sampling request (it said ${said}).`
    })
  }
  if (code === methodNotFound || notSupported.test(message)) {
    return new SamplingUnsupported({
      missing: "sampling",
      message: `${capital(who)} declared "sampling" but has no handler for it (it said ${said}). Fix the client, ` +
        "or configure a provider: Sampler.fallback(ClientSampler.layer, provider)."
    })
  }
  return new ClientError({
    code,
    message: `${capital(who)} failed to answer the sampling request: error ${code}, ${said}.`
  })
}

// Visual Studio Code answers "The user has denied permission to call this method." (PrefectHQ/fastmcp issue 2162).
const denial = /\buser (?:has )?(?:denied|rejected|declined)\b/i

// The Python SDK without a sampling handler answers -32600, "Sampling not supported".
const notSupported = /^(?:MCP error -?\d+: )?sampling not supported$/i

/** JSON-RPC 2.0, "Error object". */
const methodNotFound = -32601

const connectionLost = (who: string): ConnectionLost =>
  new ConnectionLost({
    message: `The connection to ${who} was lost before it answered the sampling request. Call the tool again.`
  })

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

// Clients built on the SDK repeat the error code in the message.
const quote = (text: string): string => JSON.stringify(text.replace(/^MCP error -?\d+: /, "").slice(0, 200))
