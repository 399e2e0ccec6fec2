import type { ClientCapabilities } from "@effect-sampling/core/ClientConnection"
import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import type * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import type { Params, Rounds, Sdk, SdkTypes } from "@effect-sampling/mcp-kit/Sdk"
import type {
  CallToolResult,
  ContentBlock,
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
import {
  answersWithJson,
  callParamsOf,
  isAnsweredInRounds,
  rememberCallParams,
  requestStreams
} from "./sdkInternals.ts"

export interface Sdk2 extends SdkTypes {
  readonly Server: Server
  readonly Request: ServerContext
  readonly ToolResult: CallToolResult
  readonly ToolBlock: ContentBlock
  readonly PromptResult: GetPromptResult
  readonly ResourceResult: ReadResourceResult
  readonly InputRequired: InputRequiredResult
}

/** The metadata of each request since MCP 2026-07-28. The SDK has validated it, but types only a part of it. */
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
  // `inputResponses` and `requestState` are unchecked here. The round runner checks them.
  toCall: (method, ctx): Omit<RoundRunner.Call, "principal"> => {
    const params = callParamsOf(ctx)
    // Without the parameters, a new state would be bound to no call, and a returned state would be lost.
    if (params === undefined) throw protocolError(ProtocolErrorCode.InternalError, notRemembered)
    const name = params[method === "resources/read" ? "uri" : "name"]
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see `Envelope`
    const envelope = ctx.mcpReq.envelope as unknown as Envelope
    return {
      method,
      name: typeof name === "string" ? name : "",
      arguments: params["arguments"],
      client: envelope[CLIENT_INFO_META_KEY],
      protocolVersion: envelope[PROTOCOL_VERSION_META_KEY],
      capabilities: envelope[CLIENT_CAPABILITIES_META_KEY],
      inputResponses: params["inputResponses"],
      requestState: params["requestState"]
    }
  },
  toInputRequired: ({ inputRequests, requestState }): InputRequiredResult => ({
    resultType: "input_required",
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the round runner builds the requests that MCP defines, and the SDK validates them
    inputRequests: inputRequests as unknown as NonNullable<InputRequiredResult["inputRequests"]>,
    ...(requestState !== undefined && { requestState })
  })
}

const notRemembered =
  "The server did not record the parameters of this call. Register features and wrap handlers before it connects."

/** The port of `@modelcontextprotocol/server` 2.x. */
export const sdk: Sdk<Sdk2> = {
  prepare: rememberCallParams,
  handle: (server, method, handler) => {
    const answer = (params: unknown, ctx: ServerContext) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK has validated the parameters; the kit reads only those of the method, and returns the result that MCP defines for it
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
      return {
        reason: "this server runs stateless HTTP, without sessions, so an answer cannot reach the call. Use a client " +
          "that speaks MCP 2026-07-28.",
        remedy: "Serve clients up to MCP 2025-11-25 with sessions, as StreamableHttpServer does."
      }
    }
    return answersWithJson(server.transport)
      ? {
        reason: "this server answers HTTP requests with plain JSON, so it cannot send a request during a call.",
        remedy: "Turn off enableJsonResponse."
      }
      : undefined
  },
  notifyProgress: ({ mcpReq }, params) => mcpReq.notify({ method: "notifications/progress", params }),
  parseUriTemplate: (text) => {
    if (!UriTemplate.isTemplate(text)) return undefined
    const template = new UriTemplate(text)
    return (uri) => template.match(uri) ?? undefined
  },
  resourceNotFound: (uri) => new ResourceNotFoundError(uri),
  requestStreams,
  withRequest: (context, ctx) => Context.add(context, CurrentRequest, ctx),
  rounds
}
