/**
 * Everything that this adapter has to know about the inside of `@modelcontextprotocol/sdk` 1.x, in one place. Each reads
 * or sets a private field because the SDK has no public way; each has a test that tells when it is no longer needed.
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
 * Remembers the negotiated protocol version of a server, which SDK 1.x does not keep. Call it before `connect`.
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
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the SDK's own handler of this request
    return Reflect.apply(initialize, server, [request]) as Promise<InitializeResult>
  })
}

/** The negotiated revision, where {@link rememberProtocolVersion} saw it. */
export const protocolVersionOf = (server: Server): string | undefined => protocolVersions.get(server)

/**
 * Lets the other side cancel its request with id 0, which `Protocol._oncancel` ignores: plain SDK 1.x servers give it to
 * their first sampling request. Call it before `connect`.
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
 * Whether a Streamable HTTP transport answers with plain JSON, so that nothing can be sent to the client during a call.
 * Such a transport accepts a request to the client and drops it in silence.
 */
export const answersWithJson = (transport: Transport | undefined): boolean => {
  if (transport === undefined) return false
  const webStandard: unknown = Reflect.get(transport, "_webStandardTransport") ?? transport
  return typeof webStandard === "object" && webStandard !== null &&
    Reflect.get(webStandard, "_enableJsonResponse") === true
}
