/**
 * All knowledge of this adapter about the internals of `@modelcontextprotocol/sdk` 1.x. Each function uses a private
 * field, because the SDK has no public way. Each has a test that fails when the SDK changes, or no longer needs the
 * function.
 */
import type { Client } from "@modelcontextprotocol/sdk/client/index.js"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import {
  CancelledNotificationSchema,
  InitializeRequestSchema,
  LATEST_PROTOCOL_VERSION,
  SUPPORTED_PROTOCOL_VERSIONS
} from "@modelcontextprotocol/sdk/types.js"
import type { InitializeRequest, InitializeResult } from "@modelcontextprotocol/sdk/types.js"

const protocolVersions = new WeakMap<Server, string>()

/**
 * Makes a server remember its negotiated protocol version, which SDK 1.x does not store. Call it before `connect`.
 */
export const rememberProtocolVersion = (server: Server): void => {
  const initialize: unknown = Reflect.get(server, "_oninitialize")
  if (typeof initialize !== "function") return
  server.setRequestHandler(InitializeRequestSchema, (request: InitializeRequest): Promise<InitializeResult> => {
    const requested = request.params.protocolVersion
    protocolVersions.set(
      server,
      SUPPORTED_PROTOCOL_VERSIONS.includes(requested) ? requested : LATEST_PROTOCOL_VERSION
    )
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK's own handler of this request returns this type
    return Reflect.apply(initialize, server, [request]) as Promise<InitializeResult>
  })
}

/** Returns the negotiated revision, or undefined if {@link rememberProtocolVersion} did not see the handshake. */
export const protocolVersionOf = (server: Server): string | undefined => protocolVersions.get(server)

/**
 * Lets the other side cancel its request with id 0. `Protocol._oncancel` ignores such a cancellation, but 0 is the id
 * of the first sampling request of a plain SDK 1.x server. Call it before `connect`.
 */
export const heedCancellationOfIdZero = (protocol: Server | Client): void => {
  const onCancel: unknown = Reflect.get(protocol, "_oncancel")
  const running: unknown = Reflect.get(protocol, "_requestHandlerAbortControllers")
  if (typeof onCancel !== "function" || !(running instanceof Map)) return
  protocol.setNotificationHandler(CancelledNotificationSchema, (notification): void => {
    const controller: unknown = notification.params.requestId === 0 ? running.get(0) : undefined
    if (controller instanceof AbortController) controller.abort(notification.params.reason)
    else Reflect.apply(onCancel, protocol, [notification])
  })
}

/**
 * Returns whether a Streamable HTTP transport answers with plain JSON. Such a transport cannot send anything to the
 * client during a call. It accepts a request to the client and silently drops it.
 */
export const answersWithJson = (transport: Transport | undefined): boolean => {
  if (transport === undefined) return false
  const webStandard: unknown = Reflect.get(transport, "_webStandardTransport") ?? transport
  return typeof webStandard === "object" && webStandard !== null &&
    Reflect.get(webStandard, "_enableJsonResponse") === true
}

/**
 * Returns the streams of a Streamable HTTP transport by the ids of their requests. The transport gives an id to the
 * stream of the latest request that has it, so the messages of an earlier one would travel on the stream of another
 * request.
 */
export const requestStreams = (transport: object): Map<string | number, unknown> | undefined => {
  const webStandard: unknown = Reflect.get(transport, "_webStandardTransport") ?? transport
  const streams: unknown = typeof webStandard === "object" && webStandard !== null
    ? Reflect.get(webStandard, "_requestToStreamMapping")
    : undefined
  return streams instanceof Map ? streams : undefined
}
