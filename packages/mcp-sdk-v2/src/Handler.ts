/**
 * Wraps effects as handlers of an existing SDK server, so that a server can adopt sampling one tool at a time.
 *
 * The handlers log to stderr, because the server may speak MCP on stdout. Provide `Logger.LogToStderr` to change that.
 *
 * @since 0.1.0
 */
import * as HandlerKit from "@effect-sampling/mcp-kit/Handler"
import type {
  CallToolResult,
  GetPromptResult,
  InputRequiredResult,
  McpServer,
  ReadResourceResult,
  Server,
  ServerContext
} from "@modelcontextprotocol/server"
import type * as Effect from "effect/Effect"
import { sdk } from "./internal/sdk.ts"

const handlers = HandlerKit.make(sdk)

/**
 * Builds the callback of the SDK's `registerTool` from an effectful function with the same arguments.
 *
 * **Details**
 *
 * Call it before the server connects. A string from the function becomes a text result. A typed error becomes an
 * `isError` result with the message of the error. A defect becomes a generic `isError` result, and its cause is logged.
 * The effect is interrupted when the client cancels the call or disconnects.
 *
 * **Example** (Adding a sampling tool to an existing server)
 *
 * ```ts
 * import { ClientSampler, Sampler } from "@effect-sampling/core"
 * import { Handler } from "@effect-sampling/mcp-sdk-v2"
 * import { McpServer } from "@modelcontextprotocol/server"
 * import { Effect } from "effect"
 *
 * const server = new McpServer({ name: "existing", version: "1.0.0" })
 *
 * const joke = await Effect.runPromise(
 *   Handler.tool(server, () => Effect.map(Sampler.sample("Tell a joke"), (reply) => reply.text)).pipe(
 *     Effect.provide(ClientSampler.layer)
 *   )
 * )
 * server.registerTool("joke", { description: "Tells a joke" }, joke)
 * ```
 *
 * @category handlers
 * @since 0.1.0
 */
export const tool: <Arguments extends ReadonlyArray<unknown>, E, R>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<string | CallToolResult, E, R>
) => Effect.Effect<
  (...parameters: [...Arguments, ctx: ServerContext]) => Promise<CallToolResult | InputRequiredResult>,
  never,
  R
> = handlers.tool

/**
 * Builds the callback of the SDK's `registerPrompt` from an effectful function. A typed error becomes a JSON-RPC error
 * with the message of the error.
 *
 * @category handlers
 * @since 0.1.0
 */
export const prompt: {
  <E, R>(
    server: Server | McpServer,
    f: () => Effect.Effect<GetPromptResult, E, R>
  ): Effect.Effect<(...parameters: ReadonlyArray<unknown>) => Promise<GetPromptResult | InputRequiredResult>, never, R>
  <Arguments extends ReadonlyArray<unknown>, E, R>(
    server: Server | McpServer,
    f: (...parameters: Arguments) => Effect.Effect<GetPromptResult, E, R>
  ): Effect.Effect<
    (...parameters: [...Arguments, ctx: ServerContext]) => Promise<GetPromptResult | InputRequiredResult>,
    never,
    R
  >
} = handlers.prompt

/**
 * Builds the callback of the SDK's `registerResource` from an effectful function. A typed error becomes a JSON-RPC
 * error with the message of the error.
 *
 * @category handlers
 * @since 0.1.0
 */
export const resource: <Arguments extends ReadonlyArray<unknown>, E, R>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<ReadResourceResult, E, R>
) => Effect.Effect<
  (...parameters: [...Arguments, ctx: ServerContext]) => Promise<ReadResourceResult | InputRequiredResult>,
  never,
  R
> = handlers.resource
