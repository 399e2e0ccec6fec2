import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import { describe } from "@effect-sampling/core/ClientConnection"
import { InvalidRequest, isSamplingError, SamplingUnsupported } from "@effect-sampling/core/SamplingError"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import * as AskError from "@effect-sampling/core/wire/AskError"
import { truncate } from "@effect-sampling/core/wire/Text"
import * as McpSchema from "effect/ai/McpSchema"
import * as Cause from "effect/Cause"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/** Converts the cause of an ask that ended without a result to a typed error. */
export const fromCause = (
  connection: ClientConnection,
  request: ClientRequest,
  cause: Cause.Cause<unknown>
): SamplingError => {
  const error = Cause.squash(cause)
  if (isSamplingError(error)) return error
  if (Predicate.isTagged(error, "McpReverseOperationError") && Predicate.hasProperty(error, "cause")) {
    return fromReply(connection, request, error.cause)
  }
  if (error instanceof McpSchema.McpReverseOperationUnsupported) return fromRefusal(connection, request, error)
  // An interruption here means that no answer will come: the client answered with one, Effect's server closed its side,
  // or the ask runs in a finalizer of a cancelled call.
  return Cause.hasInterruptsOnly(cause)
    ? AskError.toSamplingError(connection, request.method, { _tag: "Closed" }, 0)
    : malformed(
      connection,
      request,
      Schema.isSchemaError(error) ? `it does not follow MCP (${shorten(error.message)})` : notJsonRpc
    )
}

/** Builds the error for a request that Effect's schemas refuse. Nothing was sent. */
export const invalidRequest = (
  connection: ClientConnection,
  method: string,
  error: Schema.SchemaError
): InvalidRequest =>
  new InvalidRequest({
    message: `The request ${method} was not sent to ${describe(connection)}, because it does not follow MCP: ${
      shorten(error.message)
    }`
  })

const malformed = (connection: ClientConnection, request: ClientRequest, problem: string): SamplingError =>
  AskError.toSamplingError(connection, request.method, { _tag: "Malformed", problem }, 0)

const notJsonRpc =
  "its JSON-RPC response is malformed: a response needs either a result or an error with code and message"

/** Converts an answer of the client that is not a result. */
const fromReply = (connection: ClientConnection, request: ClientRequest, reply: unknown): SamplingError =>
  Predicate.isTagged(reply, "RpcClientError")
    ? AskError.toSamplingError(connection, request.method, { _tag: "Closed" }, 0)
    : Predicate.hasProperty(reply, "code") && typeof reply.code === "number" &&
        Predicate.hasProperty(reply, "message") && typeof reply.message === "string"
    ? AskError.toSamplingError(
      connection,
      request.method,
      { _tag: "Error", code: reply.code, message: reply.message },
      0
    )
    : malformed(connection, request, notJsonRpc)

/** Converts the refusal of Effect's server to send a request or to accept its answer. */
const fromRefusal = (
  connection: ClientConnection,
  request: ClientRequest,
  { protocolVersion, reason }: McpSchema.McpReverseOperationUnsupported
): SamplingError => {
  const who = describe(connection)
  if (reason.startsWith("Response ")) {
    return malformed(connection, request, "it contains something that MCP does not define")
  }
  if (reason.startsWith("Request ")) {
    return new InvalidRequest({
      message:
        `The request ${request.method} was not sent to ${who}, which speaks MCP ${protocolVersion}: that revision ` +
        "cannot express the request. It may use features of later revisions, such as tools, audio or several blocks " +
        "in one message."
    })
  }
  if (request.method !== "sampling/createMessage") {
    // `Client` names the capability of the request.
    return new SamplingUnsupported({ missing: "sampling", message: `Cannot ask ${who}: ${reason}.` })
  }
  // `ClientSampler` has checked the request against the capabilities, so only the answer can use tools without them.
  return connection.capabilities.sampling === undefined
    ? new SamplingUnsupported({ missing: "sampling", message: `Cannot ask the model of ${who}: ${reason}.` })
    : malformed(connection, request, "it uses tools, but the client did not declare \"sampling.tools\"")
}

/** Shortens a message of Effect, which contains no values but may be long. */
const shorten = (text: string): string => truncate(text.replaceAll(/\s+/g, " "), 300)
