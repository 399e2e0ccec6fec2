import type { NewServer } from "@effect-sampling/mcp-kit/Sdk"
import type {
  JSONRPCRequest,
  Result as SdkResult,
  ServerCapabilities,
  ServerContext
} from "@modelcontextprotocol/server"
import { Server } from "@modelcontextprotocol/server"
import type { Sdk2 } from "./sdk.ts"

/** `listChanged`: whether the server says that its lists may change. */
export interface Extras {
  readonly logging: boolean
  readonly listChanged: boolean
}

/** Since MCP 2026-07-28 there is a server for each HTTP request. */
export const newServerWith = (extras: Extras): NewServer<Sdk2> => ({ capabilities, instructions, name, version }) =>
  new FeatureServer({ name, version }, {
    // Handlers answer with asks only to clients that take them.
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
