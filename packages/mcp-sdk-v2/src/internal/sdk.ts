import type { ClientCapabilities } from "@effect-sampling/core/ClientConnection"
import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import type * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import type { Params, Rounds, Sdk, SdkTypes } from "@effect-sampling/mcp-kit/Sdk"
import type {
  CallToolResult,
  GetPromptResult,
  InputRequiredResult,
  ReadResourceResult,
  Server,
  ServerContext
} from "@modelcontextprotocol/server"
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  ProtocolErrorCode,
  ResourceNotFoundError,
  UriTemplate
} from "@modelcontextprotocol/server"
import * as Context from "effect/Context"
import { CurrentRequest } from "../CurrentRequest.ts"
import { callToolParams } from "./callToolParams.ts"
import { answersWithJson, callParamsOf, isAnsweredInRounds, rememberCallParams } from "./sdkInternals.ts"

export interface Sdk2 extends SdkTypes {
  readonly Server: Server
  readonly Request: ServerContext
  readonly ToolResult: CallToolResult
  readonly PromptResult: GetPromptResult
  readonly ResourceResult: ReadResourceResult
  readonly InputRequired: InputRequiredResult
}

/** What comes with each request since MCP 2026-07-28. The SDK has checked it against its Schema, and types it in part. */
interface Envelope {
  readonly [PROTOCOL_VERSION_META_KEY]: string
  readonly [CLIENT_INFO_META_KEY]?: { readonly name: string; readonly version: string }
  readonly [CLIENT_CAPABILITIES_META_KEY]: ClientCapabilities
}

const rounds: Rounds<Sdk2> = {
  isAnsweredInRounds,
  callerOf: ({ http }) => ({
    header: (name) => http?.req?.headers.get(name) ?? undefined,
    authInfo: http?.authInfo
  }),
  // Nobody has checked `inputResponses` and `requestState`: the rounds do that.
  toCall: (method, principal, ctx): RoundRunner.Call => {
    const params = callParamsOf(ctx)
    // Without them a state would be bound to nothing, and one that came would be forgotten.
    if (params === undefined) throw protocolError(ProtocolErrorCode.InternalError, notRemembered)
    const name = params[method === "resources/read" ? "uri" : "name"]
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see `Envelope`
    const envelope = ctx.mcpReq.envelope as unknown as Envelope
    return {
      method,
      name: typeof name === "string" ? name : "",
      arguments: params["arguments"],
      principal,
      client: envelope[CLIENT_INFO_META_KEY],
      protocolVersion: envelope[PROTOCOL_VERSION_META_KEY],
      capabilities: envelope[CLIENT_CAPABILITIES_META_KEY],
      inputResponses: params["inputResponses"],
      requestState: params["requestState"]
    }
  },
  toInputRequired: ({ inputRequests, requestState }): InputRequiredResult => ({
    resultType: "input_required",
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- requests of the engine, which are what MCP defines; the SDK checks them
    inputRequests: inputRequests as unknown as NonNullable<InputRequiredResult["inputRequests"]>,
    ...(requestState !== undefined && { requestState })
  })
}

const notRemembered =
  "The server does not know what it was called with. Register features and wrap handlers before it connects."

/** The port of `@modelcontextprotocol/server` 2.x. */
export const sdk: Sdk<Sdk2> = {
  prepare: rememberCallParams,
  handle: (server, method, handler) => {
    const answer = (params: unknown, ctx: ServerContext) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parameters are checked; the kit reads only what the method has, and answers with what MCP defines
      handler(params as Params, ctx) as Promise<never>
    if (method === "tools/call") server.setRequestHandler(method, { params: callToolParams }, answer)
    else server.setRequestHandler(method, ({ params }: { readonly params?: unknown }, ctx) => answer(params, ctx))
  },
  infoOf: ({ mcpReq }) => ({ id: mcpReq.id, signal: mcpReq.signal, progressToken: mcpReq._meta?.progressToken }),
  protocolVersion: (server, { http }) =>
    server.getNegotiatedProtocolVersion() ?? http?.req?.headers.get("mcp-protocol-version") ?? undefined,
  unreachable: (server, { http, sessionId }) => {
    if (http === undefined) return undefined
    if (sessionId === undefined) {
      return "this server runs stateless HTTP, without sessions, so an answer has no way back. Serve clients up to MCP " +
        "2025-11-25 with sessions, as StreamableHttpServer does, or use a client that speaks 2026-07-28."
    }
    return answersWithJson(server.transport)
      ? "this server answers HTTP requests with plain JSON, so nothing can be sent during a call. Turn off enableJsonResponse."
      : undefined
  },
  notifyProgress: ({ mcpReq }, params) => mcpReq.notify({ method: "notifications/progress", params }),
  matchUri: (uri) => {
    if (!UriTemplate.isTemplate(uri)) return undefined
    const template = new UriTemplate(uri)
    return (address) => template.match(address) ?? undefined
  },
  resourceNotFound: (uri) => new ResourceNotFoundError(uri),
  withRequest: (context, ctx) => Context.add(context, CurrentRequest, ctx),
  rounds
}
