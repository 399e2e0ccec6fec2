import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import type { NewServer, Params, Sdk, SdkTypes } from "@effect-sampling/mcp-kit/Sdk"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { Protocol } from "@modelcontextprotocol/sdk/shared/protocol.js"
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js"
import { UriTemplate } from "@modelcontextprotocol/sdk/shared/uriTemplate.js"
import {
  CallToolRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema
} from "@modelcontextprotocol/sdk/types.js"
import type {
  CallToolResult,
  ContentBlock,
  GetPromptResult,
  ReadResourceResult,
  ServerNotification,
  ServerRequest
} from "@modelcontextprotocol/sdk/types.js"
import {
  answersWithJson,
  heedCancellationOfIdZero,
  protocolVersionOf,
  rememberProtocolVersion,
  requestStreams
} from "./sdkInternals.ts"

/** The SDK's context of a request, which a handler receives after its arguments. */
export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

export interface Sdk1 extends SdkTypes {
  readonly Server: Server
  readonly Request: Extra
  readonly ToolResult: CallToolResult
  readonly ToolBlock: ContentBlock
  readonly PromptResult: GetPromptResult
  readonly ResourceResult: ReadResourceResult
  readonly InputRequired: never
}

/** The port of `@modelcontextprotocol/sdk` 1.x. */
export const sdk: Sdk<Sdk1> = {
  prepare: (server) => {
    heedCancellationOfIdZero(server)
    rememberProtocolVersion(server)
  },
  handle: (server, method, handler) => {
    const answer = ({ params }: { readonly params?: unknown }, extra: Extra) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK has validated the parameters; the kit reads only those of the method, and returns the result that MCP defines for it
      handler(params as Params, extra) as Promise<never>
    // The method of `Server` would validate each tool call and its result a second time.
    if (method === "tools/call") Protocol.prototype.setRequestHandler.call(server, schemas[method], answer)
    else server.setRequestHandler(schemas[method], answer)
  },
  infoOf: ({ _meta, requestId, signal }) => ({ id: requestId, signal, progressToken: _meta?.progressToken }),
  protocolVersion: (server, { requestInfo }) => {
    // In stateless HTTP, another server saw the handshake. Later requests carry the revision in a header.
    const header = requestInfo?.headers["mcp-protocol-version"]
    return protocolVersionOf(server) ?? (typeof header === "string" ? header : undefined)
  },
  unreachable: (server, { requestInfo, sessionId }) => {
    // Only requests over HTTP carry requestInfo.
    if (requestInfo === undefined) return undefined
    if (sessionId === undefined) {
      return {
        reason: "this server runs stateless HTTP, without sessions, so an answer cannot reach the call.",
        remedy: "Serve with sessions, as StreamableHttpServer does."
      }
    }
    return answersWithJson(server.transport)
      ? {
        reason: "this server answers HTTP requests with plain JSON, so it cannot send a request during a call.",
        remedy: "Turn off enableJsonResponse."
      }
      : undefined
  },
  notifyProgress: (extra, params) => extra.sendNotification({ method: "notifications/progress", params }),
  parseUriTemplate: (text) => {
    if (!UriTemplate.isTemplate(text)) return undefined
    const template = new UriTemplate(text)
    return (uri) => template.match(uri) ?? undefined
  },
  // MCP 2025-11-25, resources, "Error Handling": -32002.
  resourceNotFound: (uri) => protocolError(-32_002, `Resource not found: ${uri}`),
  requestStreams
}

const schemas = {
  "tools/list": ListToolsRequestSchema,
  "tools/call": CallToolRequestSchema,
  "prompts/list": ListPromptsRequestSchema,
  "prompts/get": GetPromptRequestSchema,
  "resources/list": ListResourcesRequestSchema,
  "resources/templates/list": ListResourceTemplatesRequestSchema,
  "resources/read": ReadResourceRequestSchema
} as const

export const newServer: NewServer<Sdk1> = ({ capabilities, instructions, name, version }) =>
  new Server({ name, version }, {
    ...(instructions !== undefined && { instructions }),
    ...(capabilities !== undefined && { capabilities })
  })
