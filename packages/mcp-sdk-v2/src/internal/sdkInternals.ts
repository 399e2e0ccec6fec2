/**
 * Everything that this adapter has to know about the inside of `@modelcontextprotocol/server` 2.x, in one place. Each has a
 * test that tells when it is no longer needed.
 */
import type { Server, ServerContext, Transport } from "@modelcontextprotocol/server"

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

/** By the signals of their requests, which the SDK keeps in every copy of a context. */
const callParams = new WeakMap<AbortSignal, CallParams>()

const remembering = new WeakSet<Server>()

/**
 * Remembers the parameters of calls for {@link callParamsOf}: the SDK does not tell callbacks which tool, prompt or
 * resource they are, and gives them `inputResponses` that are malformed as if they were empty. Call it before `connect`.
 */
export const rememberCallParams = (server: Server): void => {
  if (remembering.has(server)) return
  remembering.add(server)
  let arriving: CallParams | undefined
  const connect = server.connect.bind(server)
  server.connect = (transport) => {
    const { onmessage } = transport
    // The SDK calls this before its own, which makes the context of the request before it returns.
    transport.onmessage = (message, extra) => {
      arriving = "method" in message && methods.has(message.method) ? message.params ?? {} : undefined
      onmessage?.(message, extra)
    }
    return connect(transport)
  }
  const buildContext: unknown = Reflect.get(server, "buildContext")
  if (typeof buildContext !== "function") return
  Reflect.set(server, "buildContext", (...parameters: ReadonlyArray<unknown>): ServerContext => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the SDK's own method
    const ctx = Reflect.apply(buildContext, server, parameters) as ServerContext
    if (arriving !== undefined) callParams.set(ctx.mcpReq.signal, arriving)
    arriving = undefined
    return ctx
  })
}

export const callParamsOf = (ctx: ServerContext): CallParams | undefined => callParams.get(ctx.mcpReq.signal)

const methods = new Set(["tools/call", "prompts/get", "resources/read"])
