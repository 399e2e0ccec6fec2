import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { Protocol } from "@modelcontextprotocol/sdk/shared/protocol.js"
import {
  CallToolRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema
} from "@modelcontextprotocol/sdk/types.js"
import type {
  CallToolResult,
  GetPromptResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplate,
  Tool
} from "@modelcontextprotocol/sdk/types.js"
import type { Extra } from "./SdkConnection.ts"
import { heedCancellationOfIdZero, rememberProtocolVersion } from "./sdkInternals.ts"

export interface ToolEntry {
  readonly definition: Tool
  readonly call: (server: Server, parameters: unknown, extra: Extra) => Promise<CallToolResult>
}

export interface PromptEntry {
  readonly definition: Prompt
  readonly get: (server: Server, parameters: unknown, extra: Extra) => Promise<GetPromptResult>
}

export interface ResourceEntry {
  readonly definition: Resource | ResourceTemplate
  /** The variables of the address, or undefined when it is not an address of this resource. */
  readonly match: (uri: string) => Readonly<Record<string, string | Array<string>>> | undefined
  readonly read: (
    server: Server,
    uri: string,
    variables: Readonly<Record<string, string | Array<string>>>,
    extra: Extra
  ) => Promise<ReadResourceResult>
}

/** What is registered on one server. The lists are made once, not for each request. */
interface Registry {
  readonly tools: Map<string, ToolEntry>
  readonly prompts: Map<string, PromptEntry>
  readonly resources: Map<string, ResourceEntry>
}

const registries = new WeakMap<Server, Registry>()

const registryOf = (server: Server): Registry => {
  const known = registries.get(server)
  if (known !== undefined) return known
  const registry: Registry = { tools: new Map(), prompts: new Map(), resources: new Map() }
  registries.set(server, registry)
  heedCancellationOfIdZero(server)
  rememberProtocolVersion(server)
  return registry
}

/** The SDK's low-level server: `McpServer` is a layer on one. */
export const serverOf = (server: Server | McpServer): Server => "server" in server ? server.server : server

/** Applies the workarounds of this adapter to a server that will be connected later. */
export const prepareServer = (server: Server): void => {
  registryOf(server)
}

export const addTools = (server: Server, entries: ReadonlyArray<ToolEntry>): void => {
  const { tools } = registryOf(server)
  if (entries.length === 0) return
  if (tools.size === 0) {
    server.assertCanSetRequestHandler("tools/call")
    server.registerCapabilities({ tools: {} })
    server.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: Array.from(tools.values(), (entry) => entry.definition)
    }))
    // Not `Server`'s own method, which checks each request and each result a second time.
    Protocol.prototype.setRequestHandler.call(server, CallToolRequestSchema, ({ params }, extra) => {
      const entry = tools.get(params.name)
      // MCP 2025-11-25, tools, "Error Handling": an unknown tool is a protocol error.
      if (entry === undefined) throw protocolError(ErrorCode.InvalidParams, `Unknown tool: ${params.name}`)
      return entry.call(server, params.arguments ?? {}, extra)
    })
  }
  addAll(tools, entries, "tool")
}

export const addPrompt = (server: Server, entry: PromptEntry): void => {
  const { prompts } = registryOf(server)
  if (prompts.size === 0) {
    server.assertCanSetRequestHandler("prompts/get")
    server.registerCapabilities({ prompts: {} })
    server.setRequestHandler(ListPromptsRequestSchema, () => ({
      prompts: Array.from(prompts.values(), (known) => known.definition)
    }))
    server.setRequestHandler(GetPromptRequestSchema, ({ params }, extra) => {
      const known = prompts.get(params.name)
      if (known === undefined) throw protocolError(ErrorCode.InvalidParams, `Unknown prompt: ${params.name}`)
      return known.get(server, params.arguments ?? {}, extra)
    })
  }
  addAll(prompts, [entry], "prompt")
}

export const addResource = (server: Server, entry: ResourceEntry): void => {
  const { resources } = registryOf(server)
  if (resources.size === 0) {
    server.assertCanSetRequestHandler("resources/read")
    server.registerCapabilities({ resources: {} })
    server.setRequestHandler(ListResourcesRequestSchema, () => ({
      resources: Array.from(resources.values(), (known) => known.definition).filter(isStatic)
    }))
    server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
      resourceTemplates: Array.from(resources.values(), (known) => known.definition).filter(isTemplate)
    }))
    server.setRequestHandler(ReadResourceRequestSchema, ({ params }, extra) => {
      for (const known of resources.values()) {
        const variables = known.match(params.uri)
        if (variables !== undefined) return known.read(server, params.uri, variables, extra)
      }
      // MCP 2025-11-25, resources, "Error Handling": -32002.
      throw protocolError(resourceNotFound, `Resource not found: ${params.uri}`)
    })
  }
  addAll(resources, [entry], "resource")
}

const resourceNotFound = -32002

const isStatic = (definition: Resource | ResourceTemplate): definition is Resource => "uri" in definition

const isTemplate = (definition: Resource | ResourceTemplate): definition is ResourceTemplate =>
  "uriTemplate" in definition

const addAll = <Entry extends { readonly definition: { readonly name: string } }>(
  registered: Map<string, Entry>,
  entries: ReadonlyArray<Entry>,
  kind: string
): void => {
  for (const entry of entries) {
    const { name } = entry.definition
    if (registered.has(name)) throw new Error(`The server already has a ${kind} named "${name}"; names must be unique`)
    registered.set(name, entry)
  }
}
