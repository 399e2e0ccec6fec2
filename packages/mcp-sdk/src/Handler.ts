/**
 * Wraps effects as handlers of an existing SDK server, so that a server can adopt sampling one tool at a time.
 *
 * The handlers log to stderr, because the server may speak MCP on stdout. Provide `Logger.LogToStderr` to change that.
 *
 * @since 0.1.0
 */
import * as HandlerKit from "@effect-sampling/mcp-kit/Handler"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type {
  McpServer,
  RegisteredPrompt,
  RegisteredResource,
  RegisteredResourceTemplate,
  RegisteredTool,
  ResourceMetadata,
  ResourceTemplate
} from "@modelcontextprotocol/sdk/server/mcp.js"
import type { ZodRawShapeCompat } from "@modelcontextprotocol/sdk/server/zod-compat.js"
import type { CallToolResult, GetPromptResult, ReadResourceResult } from "@modelcontextprotocol/sdk/types.js"
import type * as Effect from "effect/Effect"
import type {
  InputOf,
  InputSchema,
  OutputOf,
  PromptConfig,
  ResourceInput,
  ToolConfig
} from "./internal/registrations.ts"
import { sdk } from "./internal/sdk.ts"
import type { Extra, Sdk1 } from "./internal/sdk.ts"

const handlers = HandlerKit.make(sdk)
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK passes the input that each signature below names, and returns the registration
const registrations = handlers as unknown as Record<"registerTool" | "registerPrompt" | "registerResource", never>

/**
 * What the function of a tool may return: a string, a content block, content blocks such as those of a completion, a
 * result of the SDK, or nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolReturn = HandlerKit.ToolReturn<Sdk1>

/**
 * Builds the callback of the SDK's `registerTool` from an effectful function with the same arguments.
 *
 * **Details**
 *
 * Call it before the server connects. The function returns a string, a content block, an array of them such as the
 * `content` of a completion (whose tool calls become text), a result, or nothing. A typed error becomes an `isError`
 * result with the message of the error. A defect becomes a generic `isError` result, and its cause is logged. The effect
 * is interrupted when the client cancels the call or disconnects.
 *
 * **Example** (A callback for an existing server)
 *
 * ```ts
 * import { ClientSampler, Sampler } from "@effect-sampling/core"
 * import { Handler } from "@effect-sampling/mcp-sdk"
 * import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
 * import { Effect, ManagedRuntime } from "effect"
 *
 * const server = new McpServer({ name: "existing", version: "1.0.0" })
 * const runtime = ManagedRuntime.make(ClientSampler.layer)
 *
 * const joke = await runtime.runPromise(
 *   Handler.tool(server, () => Effect.map(Sampler.sample("Tell a joke"), (reply) => reply.text))
 * )
 * server.registerTool("joke", { description: "Tells a joke" }, joke)
 * ```
 *
 * @see {@link registerTool} for arguments that are inferred
 * @category handlers
 * @since 0.1.0
 */
export const tool: <Arguments extends ReadonlyArray<unknown>, E, R>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<ToolReturn, E, R>
) => Effect.Effect<(...parameters: [...Arguments, extra: Extra]) => Promise<CallToolResult>, never, R> = handlers.tool

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
  ): Effect.Effect<(...parameters: ReadonlyArray<unknown>) => Promise<GetPromptResult>, never, R>
  <Arguments extends ReadonlyArray<unknown>, E, R>(
    server: Server | McpServer,
    f: (...parameters: Arguments) => Effect.Effect<GetPromptResult, E, R>
  ): Effect.Effect<(...parameters: [...Arguments, extra: Extra]) => Promise<GetPromptResult>, never, R>
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
) => Effect.Effect<(...parameters: [...Arguments, extra: Extra]) => Promise<ReadResourceResult>, never, R> =
  handlers.resource

/**
 * Registers a tool on the SDK's server, whose handler is an effectful function of the tool's arguments.
 *
 * **Details**
 *
 * The configuration is that of the SDK's `registerTool`, and the SDK validates the arguments. Call it before the server
 * connects. Results and errors are those of {@link tool}; a tool with an `outputSchema` may also return a value of it.
 * The services of the effect stay in use for as long as the server runs, so provide them with a `ManagedRuntime`, and
 * dispose of it when the server ends. `Effect.provide` would close them at once.
 *
 * **Example** (Adding a sampling tool to an existing server)
 *
 * ```ts
 * import { ClientSampler, Sampler } from "@effect-sampling/core"
 * import { Handler } from "@effect-sampling/mcp-sdk"
 * import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
 * import { Effect, ManagedRuntime } from "effect"
 * import { z } from "zod"
 *
 * const server = new McpServer({ name: "existing", version: "1.0.0" })
 * const runtime = ManagedRuntime.make(ClientSampler.layer)
 *
 * await runtime.runPromise(
 *   Handler.registerTool(
 *     server,
 *     "explain",
 *     { inputSchema: { topic: z.string() } },
 *     ({ topic }) => Effect.map(Sampler.sample(`Explain ${topic}`), (reply) => reply.text)
 *   )
 * )
 * ```
 *
 * @category registrations
 * @since 0.1.0
 */
export const registerTool: <
  E,
  R,
  Output extends InputSchema | undefined = undefined,
  Input extends InputSchema | undefined = undefined
>(
  server: McpServer,
  name: string,
  config: ToolConfig<Input, Output>,
  handler:
    & ((input: InputOf<Input>, extra: Extra) => Effect.Effect<ToolReturn | OutputOf<Output>, E, R>)
    & HandlerKit.Returning<Output, Effect.Effect<CallToolResult | HandlerKit.OutputValue<OutputOf<Output>>, E, R>>
) => Effect.Effect<RegisteredTool, never, R> = registrations.registerTool

/**
 * Registers a prompt on the SDK's server, whose handler is an effectful function of the prompt's arguments. A string
 * from the handler becomes one user message. Everything else is as for {@link registerTool}, with the errors of
 * {@link prompt}.
 *
 * @category registrations
 * @since 0.1.0
 */
export const registerPrompt: <
  E,
  R,
  Input extends ZodRawShapeCompat | undefined = undefined
>(
  server: McpServer,
  name: string,
  config: PromptConfig<Input>,
  handler: (input: InputOf<Input>, extra: Extra) => Effect.Effect<string | GetPromptResult, E, R>
) => Effect.Effect<RegisteredPrompt, never, R> = registrations.registerPrompt

/**
 * Registers a resource on the SDK's server, whose handler is an effectful function of its URI and of the values of the
 * template's variables in it. A string from the handler is the text of the resource. Everything else is as for
 * {@link registerTool}, with the errors of {@link resource}.
 *
 * @category registrations
 * @since 0.1.0
 */
export const registerResource: <E, R, UriOrTemplate extends string | ResourceTemplate>(
  server: McpServer,
  name: string,
  uriOrTemplate: UriOrTemplate,
  config: ResourceMetadata,
  handler: (input: ResourceInput, extra: Extra) => Effect.Effect<string | ReadResourceResult, E, R>
) => Effect.Effect<UriOrTemplate extends string ? RegisteredResource : RegisteredResourceTemplate, never, R> =
  registrations.registerResource
