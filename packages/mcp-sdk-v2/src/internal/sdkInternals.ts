/**
 * Everything that this adapter has to know about the inside of `@modelcontextprotocol/server` 2.x, in one place. Each has a
 * test that tells when it is no longer needed.
 */
import type { RequestId, Server, Transport } from "@modelcontextprotocol/server"

/**
 * Whether a Streamable HTTP transport answers with plain JSON, so that nothing can be sent to the client during a call.
 * Such a transport accepts a request to the client and drops it in silence. The SDK has no public way to tell.
 */
export const answersWithJson = (transport: Transport | undefined): boolean => {
  if (transport === undefined) return false
  const webStandard: unknown = Reflect.get(transport, "_webStandardTransport") ?? transport
  return typeof webStandard === "object" && webStandard !== null &&
    Reflect.get(webStandard, "_enableJsonResponse") === true
}

/** Era is a matter of the server instance: those of the SDK serve one revision, or one client that negotiated it. */
export const isAnsweredInRounds = (server: Server): boolean =>
  (server.getNegotiatedProtocolVersion() ?? "") >= "2026-07-28"

/** The parameters of a call, as they came over the wire. */
export type CallParams = Readonly<Record<string, unknown>>

const calls = new WeakMap<Server, Map<RequestId, CallParams>>()

/** A call is taken a few microtasks after it came. Those that other code of the server handles are never taken. */
const maxRemembered = 64

/**
 * Remembers the parameters of calls that are answered in rounds until {@link takeCallParams}: the SDK does not tell callbacks which tool, prompt or
 * resource they are, and gives them `inputResponses` that are malformed as if they were empty. Call it before `connect`.
 */
export const rememberCallParams = (server: Server): void => {
  if (calls.has(server)) return
  const remembered = new Map<RequestId, CallParams>()
  calls.set(server, remembered)
  const connect = server.connect.bind(server)
  server.connect = (transport) => {
    const { onmessage } = transport
    // The SDK calls this before its own.
    transport.onmessage = (message, extra) => {
      if ("method" in message && "id" in message && methods.has(message.method) && isAnsweredInRounds(server)) {
        if (remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value!)
        remembered.set(message.id, message.params ?? {})
      }
      onmessage?.(message, extra)
    }
    return connect(transport)
  }
}

export const takeCallParams = (server: Server, id: RequestId): CallParams | undefined => {
  const remembered = calls.get(server)
  const params = remembered?.get(id)
  remembered?.delete(id)
  return params
}

const methods = new Set(["tools/call", "prompts/get", "resources/read"])
