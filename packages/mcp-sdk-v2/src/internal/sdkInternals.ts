/**
 * All knowledge of this adapter about the internals of `@modelcontextprotocol/server` 2.x. Each function has a test
 * that fails when the SDK changes, or no longer needs the function.
 */
import type { Server, ServerContext, Transport } from "@modelcontextprotocol/server"

/**
 * Returns whether a Streamable HTTP transport answers with plain JSON. Such a transport cannot send anything to the
 * client during a call. It accepts a request to the client and silently drops it. The SDK has no public way to find
 * out.
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

/**
 * Returns whether the server answers its calls in rounds. The era belongs to the server instance, because an instance
 * of the SDK serves one revision, or one client that negotiated a revision.
 */
export const isAnsweredInRounds = (server: Server): boolean =>
  (server.getNegotiatedProtocolVersion() ?? "") >= "2026-07-28"

/** The parameters of a call, as the client sent them. */
export type CallParams = Readonly<Record<string, unknown>>

/**
 * The member of a request's signal that holds its parameters, because the SDK keeps the signal in every copy of a
 * request's context. With an entry in a `WeakMap` for each request, collecting garbage takes noticeably longer.
 */
const callParams = Symbol("@effect-sampling/mcp-sdk-v2/callParams")

const remembering = new WeakSet<Server>()

/**
 * Makes a server remember the parameters of its calls for {@link callParamsOf}. The SDK does not tell a callback the
 * name of its tool, prompt or resource, and passes malformed `inputResponses` to it as if they were empty. Call it
 * before `connect`.
 */
export const rememberCallParams = (server: Server): void => {
  if (remembering.has(server)) return
  remembering.add(server)
  let arriving: CallParams | undefined
  const connect = server.connect.bind(server)
  server.connect = (transport) => {
    const { onmessage } = transport
    // The SDK calls this handler before its own. Its own handler builds the context of the request synchronously, so
    // `arriving` belongs to that context.
    transport.onmessage = (message, extra) => {
      arriving = "method" in message && methods.has(message.method) ? message.params ?? {} : undefined
      onmessage?.(message, extra)
    }
    return connect(transport)
  }
  const buildContext: unknown = Reflect.get(server, "buildContext")
  if (typeof buildContext !== "function") return
  Reflect.set(server, "buildContext", (...parameters: ReadonlyArray<unknown>): ServerContext => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK's own method returns this type
    const ctx = Reflect.apply(buildContext, server, parameters) as ServerContext
    if (arriving !== undefined) Reflect.set(ctx.mcpReq.signal, callParams, arriving)
    arriving = undefined
    return ctx
  })
}

export const callParamsOf = (ctx: ServerContext): CallParams | undefined => {
  const { signal }: { readonly signal: AbortSignal & { readonly [callParams]?: CallParams } } = ctx.mcpReq
  return signal[callParams]
}

const methods = new Set(["tools/call", "prompts/get", "resources/read"])
