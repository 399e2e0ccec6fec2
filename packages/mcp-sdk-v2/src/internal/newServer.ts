import type { NewServer } from "@effect-sampling/mcp-kit/Sdk"
import type {
  JSONRPCRequest,
  Result as SdkResult,
  ServerCapabilities,
  ServerContext
} from "@modelcontextprotocol/server"
import { Server } from "@modelcontextprotocol/server"
import type { Sdk2 } from "./sdk.ts"

/** The optional capabilities of a server. With `listChanged` it declares that its lists may change. */
export interface Extras {
  readonly logging: boolean
  readonly listChanged: boolean
}

/**
 * Returns a function that creates low-level servers. They are created often (since MCP 2026-07-28 one for each HTTP
 * request), so each has only what it needs.
 */
export const newServerWith = (extras: Extras): NewServer<Sdk2> => ({ capabilities, instructions, name, version }) =>
  new FeatureServer({ name, version }, {
    // The shim is not needed: handlers return asks only to clients whose revision has rounds.
    inputRequired: { legacyShim: false },
    jsonSchemaValidator: noValidator,
    ...(capabilities !== undefined && { capabilities: withExtras(capabilities, extras) }),
    ...(instructions !== undefined && { instructions })
  })

const withExtras = (
  { prompts, resources, tools }: ServerCapabilities,
  { listChanged, logging }: Extras
): ServerCapabilities => {
  const changes = listChanged && { listChanged }
  return {
    ...(logging && { logging: {} }),
    ...(tools !== undefined && { tools: { ...tools, ...changes } }),
    ...(prompts !== undefined && { prompts: { ...prompts, ...changes } }),
    ...(resources !== undefined && { resources: { ...resources, ...changes } })
  }
}

/** The SDK would build a validator for each server, but only its own requests to clients need one. */
const noValidator = {
  getValidator: () => {
    throw new Error(
      "This server cannot send the SDK's own requests to its client. Ask through Sampler or Client in a handler."
    )
  }
}

type RequestHandler = (request: JSONRPCRequest, ctx: ServerContext) => Promise<SdkResult>

/**
 * A server that leaves the checks of a tool call to this library, which does each of them once. The SDK's `Server`
 * validates the call twice, validates its result, and compares the asks of a round with the declared capabilities.
 */
class FeatureServer extends Server {
  protected override _wrapHandler(method: string, handler: RequestHandler): RequestHandler {
    return method === "tools/call" ? handler : super._wrapHandler(method, handler)
  }
}
