import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import { describe } from "@effect-sampling/core/ClientConnection"
import {
  ClientError,
  ConnectionLost,
  InvalidRequest,
  InvalidResponse,
  isSamplingError,
  SamplingRejected,
  SamplingTimeout,
  SamplingUnsupported
} from "@effect-sampling/core/SamplingError"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import * as McpSchema from "effect/ai/McpSchema"
import * as Cause from "effect/Cause"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/** How an ask ended without a result, as a typed error. */
export const fromCause = (
  connection: ClientConnection,
  request: ClientRequest,
  cause: Cause.Cause<unknown>
): SamplingError => {
  const error = Cause.squash(cause)
  if (isSamplingError(error)) return error
  if (Schema.isSchemaError(error)) {
    return invalidResponse(connection, `it does not follow MCP (${shorten(error.message)})`)
  }
  if (Predicate.isTagged(error, "McpReverseOperationError") && Predicate.hasProperty(error, "cause")) {
    return fromReply(connection, error.cause)
  }
  if (error instanceof McpSchema.McpReverseOperationUnsupported) return fromRefusal(connection, request, error)
  // The client answered with an interrupt or a defect in Effect's own encoding, or the server shuts its end.
  return Cause.hasInterruptsOnly(cause) ? connectionLost(describe(connection)) : invalidResponse(connection, malformed)
}

const malformed = "its JSON-RPC response is malformed: it needs either a result or an error with code and message"

export const timedOut = (connection: ClientConnection, afterMillis: number): SamplingTimeout =>
  new SamplingTimeout({
    afterMillis,
    message:
      `${capital(describe(connection))} did not answer the sampling request within ${afterMillis / 1000} seconds. ` +
      "The person may not have approved it in time; raise AskTimeout.AskTimeout."
  })

/** A request that Effect's schemas do not take: nothing was sent. */
export const invalidRequest = (
  connection: ClientConnection,
  method: string,
  error: Schema.SchemaError
): InvalidRequest =>
  new InvalidRequest({
    message: `The request ${method} was not sent to ${describe(connection)}: ${shorten(error.message)}`
  })

const invalidResponse = (connection: ClientConnection, problem: string): InvalidResponse =>
  new InvalidResponse({
    message: `The answer of ${describe(connection)} cannot be used: ${problem}. The client's handler needs mending.`
  })

/** What Effect's server would not send, or would not take. */
const fromRefusal = (
  connection: ClientConnection,
  request: ClientRequest,
  { protocolVersion, reason }: McpSchema.McpReverseOperationUnsupported
): SamplingError => {
  const who = describe(connection)
  if (reason.startsWith("Response ")) return invalidResponse(connection, "it holds what MCP does not define")
  if (reason.startsWith("Request ")) {
    return new InvalidRequest({
      message:
        `The request ${request.method} was not sent to ${who}: MCP ${protocolVersion}, which it speaks, cannot ` +
        "express it. Leave out what later revisions added (tools, several blocks in one message, audio)."
    })
  }
  if (request.method !== "sampling/createMessage") {
    return new ClientError({ code: methodNotFound, message: `${capital(who)} cannot be asked: ${reason}.` })
  }
  // What was asked is in line with the capabilities: `ClientSampler` sees to that.
  return connection.capabilities.sampling === undefined
    ? new SamplingUnsupported({ missing: "sampling", message: `Cannot ask the model of ${who}: ${reason}.` })
    : invalidResponse(connection, "it uses tools, but the client did not declare \"sampling.tools\"")
}

/** What the client answered in place of a result. */
const fromReply = (connection: ClientConnection, reply: unknown): SamplingError =>
  Predicate.hasProperty(reply, "code") && typeof reply.code === "number" &&
    Predicate.hasProperty(reply, "message") && typeof reply.message === "string"
    ? fromClient(describe(connection), reply.code, reply.message)
    : Predicate.isTagged(reply, "RpcClientError")
    ? connectionLost(describe(connection))
    : invalidResponse(connection, malformed)

/** MCP sampling, "Error Handling", and what clients are known to answer in place of it. */
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
      message: `${capital(who)} declared "sampling" but has no handler for it (it said ${said}). Mend the client, ` +
        "or configure a provider: Sampler.fallback(ClientSampler.layer, provider)."
    })
  }
  return new ClientError({
    code,
    message: `${capital(who)} failed to answer the sampling request: error ${code}, ${said}.`
  })
}

// Visual Studio Code: "The user has denied permission to call this method." (PrefectHQ/fastmcp issue 2162)
const denial = /\buser (?:has )?(?:denied|rejected|declined)\b/i

// The Python SDK without a handler: -32600, "Sampling not supported"
const notSupported = /^(?:MCP error -?\d+: )?sampling not supported$/i

const methodNotFound: number = McpSchema.METHOD_NOT_FOUND_ERROR_CODE

const connectionLost = (who: string): ConnectionLost =>
  new ConnectionLost({
    message: `The connection to ${who} was lost before it answered the sampling request. Call the tool again.`
  })

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

// Clients on the SDK repeat the code of an error in its message.
const quote = (text: string): string => JSON.stringify(text.replace(/^MCP error -?\d+: /, "").slice(0, 200))

/** Effect's messages show no values, but may go on for long. */
const shorten = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, 300)
