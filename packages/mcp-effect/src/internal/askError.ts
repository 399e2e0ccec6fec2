import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import { describe } from "@effect-sampling/core/ClientConnection"
import {
  ClientError,
  InvalidRequest,
  isSamplingError,
  SamplingTimeout,
  SamplingUnsupported
} from "@effect-sampling/core/SamplingError"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import * as AskError from "@effect-sampling/core/wire/AskError"
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
  if (Predicate.isTagged(error, "McpReverseOperationError") && Predicate.hasProperty(error, "cause")) {
    return fromReply(connection, error.cause)
  }
  if (error instanceof McpSchema.McpReverseOperationUnsupported) return fromRefusal(connection, request, error)
  // What interrupts here is no interruption of this fiber: the client sent one, or Effect's server closes its side.
  return Cause.hasInterruptsOnly(cause)
    ? AskError.toSamplingError(connection, { _tag: "Closed" }, 0)
    : malformed(
      connection,
      Schema.isSchemaError(error) ? `it does not follow MCP (${shorten(error.message)})` : notJsonRpc
    )
}

/** Not that of `AskError`, which tells the client to report progress: Effect's server does not pass that on. */
export const timedOut = (connection: ClientConnection, afterMillis: number): SamplingTimeout =>
  new SamplingTimeout({
    afterMillis,
    message:
      `No answer to the sampling request came from ${describe(connection)} within ${afterMillis / 1000} seconds. ` +
      "The person may not have approved it in time; raise ClientConnection.AskTimeout."
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

const malformed = (connection: ClientConnection, problem: string): SamplingError =>
  AskError.toSamplingError(connection, { _tag: "Malformed", problem }, 0)

const notJsonRpc = "its JSON-RPC response is malformed: it needs either a result or an error with code and message"

/** What the client answered in place of a result. */
const fromReply = (connection: ClientConnection, reply: unknown): SamplingError =>
  Predicate.isTagged(reply, "RpcClientError")
    ? AskError.toSamplingError(connection, { _tag: "Closed" }, 0)
    : Predicate.hasProperty(reply, "code") && typeof reply.code === "number" &&
        Predicate.hasProperty(reply, "message") && typeof reply.message === "string"
    ? AskError.toSamplingError(connection, { _tag: "Error", code: reply.code, message: reply.message }, 0)
    : malformed(connection, notJsonRpc)

/** What Effect's server would not send, or would not take. */
const fromRefusal = (
  connection: ClientConnection,
  request: ClientRequest,
  { protocolVersion, reason }: McpSchema.McpReverseOperationUnsupported
): SamplingError => {
  const who = describe(connection)
  if (reason.startsWith("Response ")) return malformed(connection, "it holds what MCP does not define")
  if (reason.startsWith("Request ")) {
    return new InvalidRequest({
      message:
        `The request ${request.method} was not sent to ${who}: MCP ${protocolVersion}, which it speaks, cannot ` +
        "express it. Leave out what later revisions added, such as tools, audio or several blocks in one message."
    })
  }
  if (request.method !== "sampling/createMessage") {
    return new ClientError({
      code: McpSchema.METHOD_NOT_FOUND_ERROR_CODE,
      message: `${request.method} was not sent to ${who}: ${reason}.`
    })
  }
  // What was asked is in line with the capabilities: `ClientSampler` sees to that.
  return connection.capabilities.sampling === undefined
    ? new SamplingUnsupported({ missing: "sampling", message: `Cannot ask the model of ${who}: ${reason}.` })
    : malformed(connection, "it uses tools, but the client did not declare \"sampling.tools\"")
}

/** Effect's messages show no values, but may go on for long. */
const shorten = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, 300)
