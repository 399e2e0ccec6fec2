import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import type { PromptDefinition } from "@effect-sampling/core/wire/PromptDefinition"
import { truncate } from "@effect-sampling/core/wire/Text"
import type { ServedTool } from "@effect-sampling/core/wire/ToolResult"
import type { AnyServer, Sdk, SdkTypes, Variables } from "../Sdk.ts"
import { dropNullsOf } from "./dropNulls.ts"
import { invalidParams } from "./errorCodes.ts"

/** Answers a request. `server` is the server that received it. */
type Respond<T extends SdkTypes> = (server: T["Server"], parameters: unknown, request: T["Request"]) => Promise<object>

interface ToolEntry<T extends SdkTypes> {
  readonly definition: ServedTool
  readonly call: Respond<T>
}

interface PromptEntry<T extends SdkTypes> {
  readonly definition: PromptDefinition
  readonly get: Respond<T>
}

interface ResourceEntry<T extends SdkTypes> {
  readonly definition: { readonly name: string } & ({ readonly uri: string } | { readonly uriTemplate: string })
  /** Returns the values of the template's variables in the URI, or undefined if the URI is not of this resource. */
  readonly match: (uri: string) => Variables | undefined
  readonly read: (
    server: T["Server"],
    uri: string,
    variables: Variables,
    request: T["Request"]
  ) => Promise<object>
}

interface Entries<T extends SdkTypes> {
  readonly tools: ToolEntry<T>
  readonly prompts: PromptEntry<T>
  readonly resources: ResourceEntry<T>
}

type Kind = keyof Entries<SdkTypes>

/** The entries of one server, or of all the servers that one `makeServer` creates. */
export type Registry<T extends SdkTypes> = { readonly [K in Kind]: Map<string, Entries<T>[K]> }

/** The registries by server. A server and its registry have the types of the same SDK, which the map cannot express. */
const registries = new WeakMap<object, Registry<never>>()

/** Returns the registry of a server that is not connected yet. The first lookup applies the adapter's workarounds. */
export const registryOf = <T extends SdkTypes>(sdk: Sdk<T>, server: T["Server"]): Registry<T> => {
  const known = registries.get(server)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see `registries`
  if (known !== undefined) return known as unknown as Registry<T>
  const registry: Registry<T> = { tools: new Map(), prompts: new Map(), resources: new Map() }
  registries.set(server, registry)
  prepare(sdk, server)
  return registry
}

/** Prepares a server that is not connected yet. */
export const prepare = <T extends SdkTypes>(sdk: Sdk<T>, server: T["Server"]): void => {
  // First, so that the adapter's own workarounds see messages without null members.
  dropNullsOf(server)
  sdk.prepare(server)
}

/** Returns the SDK's low-level server: the server itself, or the one that an `McpServer` holds. */
export const serverOf = <T extends SdkTypes>(server: AnyServer<T>): T["Server"] =>
  "server" in server ? server.server : server

/** Adds entries to a server. The first of a kind also sets the handlers and declares the capability of its kind. */
export const addEntries = <T extends SdkTypes, K extends Kind>(
  sdk: Sdk<T>,
  server: T["Server"],
  kind: K,
  entries: ReadonlyArray<Entries<T>[K]>
): void => {
  const registry = registryOf(sdk, server)
  if (entries.length === 0) return
  if (registry[kind].size === 0) {
    server.assertCanSetRequestHandler(firstMethod[kind])
    server.registerCapabilities({ [kind]: {} })
    serveKind(sdk, server, registry, kind)
  }
  for (const entry of entries) {
    const { name } = entry.definition
    if (registry[kind].has(name)) {
      throw new Error(`The server already has a ${kind.slice(0, -1)} named "${name}"; names must be unique`)
    }
    registry[kind].set(name, entry)
  }
}

export const kinds: ReadonlyArray<Kind> = ["tools", "prompts", "resources"]

const firstMethod = { tools: "tools/call", prompts: "prompts/get", resources: "resources/read" } as const

/** Sets the handlers that serve the entries of one kind. */
export const serveKind = <T extends SdkTypes>(
  sdk: Sdk<T>,
  server: T["Server"],
  registry: Registry<T>,
  kind: Kind
): void => {
  switch (kind) {
    case "tools":
      return serveTools(sdk, server, registry.tools)
    case "prompts":
      return servePrompts(sdk, server, registry.prompts)
    case "resources":
      return serveResources(sdk, server, registry.resources)
  }
}

const serveTools = <T extends SdkTypes>(
  sdk: Sdk<T>,
  server: T["Server"],
  tools: ReadonlyMap<string, ToolEntry<T>>
): void => {
  sdk.handle(server, "tools/list", () => ({ tools: definitions(tools) }))
  sdk.handle(server, "tools/call", (params, request) => {
    const entry = tools.get(params.name)
    // MCP 2025-11-25, tools, "Error Handling": an unknown tool is a protocol error.
    if (entry === undefined) throw protocolError(invalidParams, `Unknown tool: ${truncate(params.name, 200)}`)
    return entry.call(server, params.arguments ?? {}, request)
  })
}

const servePrompts = <T extends SdkTypes>(
  sdk: Sdk<T>,
  server: T["Server"],
  prompts: ReadonlyMap<string, PromptEntry<T>>
): void => {
  sdk.handle(server, "prompts/list", () => ({ prompts: definitions(prompts) }))
  sdk.handle(server, "prompts/get", (params, request) => {
    const entry = prompts.get(params.name)
    if (entry === undefined) throw protocolError(invalidParams, `Unknown prompt: ${truncate(params.name, 200)}`)
    return entry.get(server, params.arguments ?? {}, request)
  })
}

const serveResources = <T extends SdkTypes>(
  sdk: Sdk<T>,
  server: T["Server"],
  resources: ReadonlyMap<string, ResourceEntry<T>>
): void => {
  sdk.handle(server, "resources/list", () => ({
    resources: definitions(resources).filter((definition) => "uri" in definition)
  }))
  sdk.handle(server, "resources/templates/list", () => ({
    resourceTemplates: definitions(resources).filter((definition) => "uriTemplate" in definition)
  }))
  sdk.handle(server, "resources/read", (params, request) => {
    for (const entry of resources.values()) {
      const variables = entry.match(params.uri)
      if (variables !== undefined) return entry.read(server, params.uri, variables, request)
    }
    throw sdk.resourceNotFound(params.uri)
  })
}

const definitions = <Definition>(
  entries: ReadonlyMap<string, { readonly definition: Definition }>
): ReadonlyArray<Definition> => Array.from(entries.values(), ({ definition }) => definition)
