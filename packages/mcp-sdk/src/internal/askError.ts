import type { ClientConnection } from "@effect-sampling/core/ClientConnection"
import { describe } from "@effect-sampling/core/ClientConnection"
import {
  ClientError,
  ConnectionLost,
  InvalidRequest,
  InvalidResponse,
  SamplingRejected,
  SamplingTimeout,
  SamplingUnsupported
} from "@effect-sampling/core/SamplingError"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js"
import { MalformedAnswer } from "./malformedAnswer.ts"
import { MessageTooLarge } from "./MessageTooLarge.ts"

/** What the SDK rejected a request with, as a typed error. Total: whatever it is, it becomes one. */
export const toSamplingError = (
  connection: ClientConnection,
  error: unknown,
  timeoutMillis: number,
  connected: boolean
): SamplingError => {
  const who = describe(connection)
  if (error instanceof MessageTooLarge) {
    return new InvalidRequest({ message: `The sampling request was not sent to ${who}: ${error.message}` })
  }
  if (!connected) return connectionLost(who)
  if (!(error instanceof McpError)) {
    return isZodError(error)
      ? new InvalidResponse({ message: `The answer of ${who} is not a valid result: its _meta is malformed.` })
      : connectionLost(who)
  }
  if (error.data instanceof MalformedAnswer) {
    return new InvalidResponse({ message: `The answer of ${who} cannot be used: ${error.data.problem}.` })
  }
  if (error.code === requestTimeout && isTimeoutOf(timeoutMillis, error.data)) {
    return new SamplingTimeout({
      afterMillis: timeoutMillis,
      message: `${capital(who)} did not answer the sampling request within ${timeoutMillis / 1000} seconds. ` +
        "The person may not have approved it in time; raise AskTimeout.AskTimeout, or let the client report progress."
    })
  }
  return fromClient(who, error)
}

/** MCP sampling, "Error Handling", and what clients are known to answer in place of it. */
const fromClient = (who: string, error: McpError): SamplingError => {
  const said = quote(error.message)
  if (error.code === -1 || denial.test(error.message)) {
    return new SamplingRejected({
      message: `The user or a policy of ${who} rejected the sampling request (it said ${said}).`
    })
  }
  if (error.code === methodNotFound || notSupported.test(error.message)) {
    return new SamplingUnsupported({
      missing: "sampling",
      message: `${capital(who)} declared "sampling" but has no handler for it (it said ${said}). Mend the client, ` +
        "or configure a provider: Sampler.fallback(ClientSampler.layer, provider)."
    })
  }
  return new ClientError({
    code: error.code,
    message: `${capital(who)} failed to answer the sampling request: error ${error.code}, ${said}.`
  })
}

// Visual Studio Code: "The user has denied permission to call this method." (PrefectHQ/fastmcp issue 2162)
const denial = /\buser (?:has )?(?:denied|rejected|declined)\b/i

// The Python SDK without a handler: -32600, "Sampling not supported"
const notSupported = /^(?:MCP error -?\d+: )?sampling not supported$/i

// As numbers, like the codes they are compared with: clients send any.
const requestTimeout: number = ErrorCode.RequestTimeout
const methodNotFound: number = ErrorCode.MethodNotFound

const connectionLost = (who: string): ConnectionLost =>
  new ConnectionLost({
    message: `The connection to ${who} was lost before it answered the sampling request. Call the tool again.`
  })

// Clients that ask another server answer with time-outs of their own.
const isTimeoutOf = (millis: number, data: unknown): boolean =>
  typeof data === "object" && data !== null && "timeout" in data && data.timeout === millis

const isZodError = (error: unknown): boolean => error instanceof Error && "issues" in error

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

// The SDK prefixes the message of an error with its code.
const quote = (text: string): string => JSON.stringify(text.replace(/^MCP error -?\d+: /, "").slice(0, 200))
