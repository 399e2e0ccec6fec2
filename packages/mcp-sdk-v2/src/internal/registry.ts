import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import type {
  CallToolResult,
  GetPromptResult,
  InputRequiredResult,
  JSONRPCRequest,
  McpServer,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Result as SdkResult,
  ServerCapabilities,
  ServerContext,
  StandardSchemaV1,
  Tool
} from "@modelcontextprotocol/server"
import { ProtocolErrorCode, ResourceNotFoundError, Server } from "@modelcontextprotocol/server"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import type { Feature } from "../Feature.ts"
import { rememberCallParams } from "./sdkInternals.ts"

export interface ToolEntry {
  readonly definition: Tool
  readonly call: (
    server: Server,
    parameters: unknown,
    ctx: ServerContext
  ) => Promise<CallToolResult | InputRequiredResult>
}

export interface PromptEntry {
  readonly definition: Prompt
  readonly get: (
    server: Server,
    parameters: unknown,
    ctx: ServerContext
  ) => Promise<GetPromptResult | InputRequiredResult>
}

export interface ResourceEntry {
  readonly definition: Resource | ResourceTemplateType
  /** The variables of the address, or undefined when it is not an address of this resource. */
  readonly match: (uri: string) => Readonly<Record<string, string | Array<string>>> | undefined
  readonly read: (
    server: Server,
    uri: string,
    variables: Readonly<Record<string, string | Array<string>>>,
    ctx: ServerContext
  ) => Promise<ReadResourceResult | InputRequiredResult>
}

/** What is registered on one server, or on all that are made alike. */
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
  rememberCallParams(server)
  return registry
}

/** The SDK's low-level server: `McpServer` is a layer on one. */
export const serverOf = (server: Server | McpServer): Server => "server" in server ? server.server : server

/** Applies the workarounds of this adapter to a server that will be connected later. */
export const prepareServer = (server: Server): void => {
  registryOf(server)
}

export interface ServerSettings {
  readonly name: string
  readonly version: string
  readonly instructions: string | undefined
  readonly logging: boolean | undefined
  /** Whether the server says that its lists may change. */
  readonly listChanged: boolean
  readonly features: ReadonlyArray<Feature>
  readonly onError: (error: Error) => void
}

/**
 * Makes any number of servers with the same features, which are put together once: since MCP 2026-07-28 there is a server
 * for each HTTP request. Features that do not go together are a defect at once.
 */
export const makeServers = (settings: ServerSettings): () => Server => {
  const { features, instructions, name, onError, version } = settings
  const model = new Server({ name, version })
  for (const feature of features) feature.install(model)
  const registry = registryOf(model)
  const options = {
    capabilities: withOptional(model.getCapabilities(), settings),
    // Handlers answer with asks only to clients that take them.
    inputRequired: { legacyShim: false },
    jsonSchemaValidator: noValidator,
    ...(instructions !== undefined && { instructions })
  }
  return () => {
    const server = new FeatureServer({ name, version }, options)
    server.onerror = onError
    rememberCallParams(server)
    if (registry.tools.size > 0) serveTools(server, registry.tools)
    if (registry.prompts.size > 0) servePrompts(server, registry.prompts)
    if (registry.resources.size > 0) serveResources(server, registry.resources)
    return server
  }
}

const withOptional = (
  { prompts, resources, tools, ...others }: ServerCapabilities,
  { listChanged, logging }: ServerSettings
): ServerCapabilities => {
  const changes = listChanged && { listChanged }
  return {
    ...others,
    ...(logging === true && { logging: {} }),
    ...(tools !== undefined && { tools: { ...tools, ...changes } }),
    ...(prompts !== undefined && { prompts: { ...prompts, ...changes } }),
    ...(resources !== undefined && { resources: { ...resources, ...changes } })
  }
}

/** Only the SDK's own requests to clients need one; each server would make its own. */
const noValidator = {
  getValidator: () => {
    throw new Error("This server asks through the effects of its handlers only")
  }
}

type RequestHandler = (request: JSONRPCRequest, ctx: ServerContext) => Promise<SdkResult>

/**
 * `Server` checks a call of a tool twice, its result, and the asks of a round against what the client declared. Here each
 * is checked once, by this library.
 */
class FeatureServer extends Server {
  protected override _wrapHandler(method: string, handler: RequestHandler): RequestHandler {
    return method === "tools/call" ? handler : super._wrapHandler(method, handler)
  }
}

const CallToolParams = Schema.Struct({
  name: Schema.String,
  arguments: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})
SchemaJITCompiler.enable(CallToolParams.ast)

const decodeCallToolParams = Schema.decodeUnknownResult(CallToolParams)

/** Effect's own Standard Schema runs a fiber for each value. */
const callToolParams: StandardSchemaV1<unknown, typeof CallToolParams.Type> = {
  "~standard": {
    version: 1,
    vendor: "effect",
    validate: (value) => {
      const decoded = decodeCallToolParams(value)
      return Result.isSuccess(decoded)
        ? { value: decoded.success }
        : { issues: [{ message: decoded.failure.message }] }
    }
  }
}

const serveTools = (server: Server, tools: ReadonlyMap<string, ToolEntry>): void => {
  server.setRequestHandler("tools/list", () => ({ tools: Array.from(tools.values(), ({ definition }) => definition) }))
  server.setRequestHandler("tools/call", { params: callToolParams }, (params, ctx) => {
    const entry = tools.get(params.name)
    // MCP 2025-11-25, tools, "Error Handling": an unknown tool is a protocol error.
    if (entry === undefined) throw protocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`)
    return entry.call(server, params.arguments ?? {}, ctx)
  })
}

const servePrompts = (server: Server, prompts: ReadonlyMap<string, PromptEntry>): void => {
  server.setRequestHandler(
    "prompts/list",
    () => ({ prompts: Array.from(prompts.values(), ({ definition }) => definition) })
  )
  server.setRequestHandler("prompts/get", ({ params }, ctx) => {
    const entry = prompts.get(params.name)
    if (entry === undefined) throw protocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt: ${params.name}`)
    return entry.get(server, params.arguments ?? {}, ctx)
  })
}

const serveResources = (server: Server, resources: ReadonlyMap<string, ResourceEntry>): void => {
  const definitions = () => Array.from(resources.values(), ({ definition }) => definition)
  server.setRequestHandler("resources/list", () => ({ resources: definitions().filter(isStatic) }))
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: definitions().filter(isTemplate) }))
  server.setRequestHandler("resources/read", ({ params }, ctx) => {
    for (const entry of resources.values()) {
      const variables = entry.match(params.uri)
      if (variables !== undefined) return entry.read(server, params.uri, variables, ctx)
    }
    throw new ResourceNotFoundError(params.uri)
  })
}

const isStatic = (definition: Resource | ResourceTemplateType): definition is Resource => "uri" in definition

const isTemplate = (definition: Resource | ResourceTemplateType): definition is ResourceTemplateType =>
  "uriTemplate" in definition

export const addTools = (server: Server, entries: ReadonlyArray<ToolEntry>): void => {
  const { tools } = registryOf(server)
  if (entries.length === 0) return
  if (tools.size === 0) {
    server.assertCanSetRequestHandler("tools/call")
    server.registerCapabilities({ tools: {} })
    serveTools(server, tools)
  }
  addAll(tools, entries, "tool")
}

export const addPrompt = (server: Server, entry: PromptEntry): void => {
  const { prompts } = registryOf(server)
  if (prompts.size === 0) {
    server.assertCanSetRequestHandler("prompts/get")
    server.registerCapabilities({ prompts: {} })
    servePrompts(server, prompts)
  }
  addAll(prompts, [entry], "prompt")
}

export const addResource = (server: Server, entry: ResourceEntry): void => {
  const { resources } = registryOf(server)
  if (resources.size === 0) {
    server.assertCanSetRequestHandler("resources/read")
    server.registerCapabilities({ resources: {} })
    serveResources(server, resources)
  }
  addAll(resources, [entry], "resource")
}

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
