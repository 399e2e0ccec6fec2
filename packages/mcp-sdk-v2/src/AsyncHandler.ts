/**
 * Handlers that are async functions, for servers whose authors do not write Effect. A tool samples with
 * `await sample(…)`, for clients of every revision of MCP.
 *
 * @since 0.1.0
 */
import type { Sampler } from "@effect-sampling/core/Sampler"
import * as AsyncHandlerKit from "@effect-sampling/mcp-kit/AsyncHandler"
import * as HandlerKit from "@effect-sampling/mcp-kit/Handler"
import type {
  CallToolResult,
  GetPromptResult,
  McpServer,
  ReadResourceResult,
  RegisteredPrompt,
  RegisteredResource,
  RegisteredResourceTemplate,
  RegisteredTool,
  ResourceMetadata,
  ResourceTemplate,
  ServerContext
} from "@modelcontextprotocol/server"
import type * as Layer from "effect/Layer"
import type {
  InputOf,
  InputSchema,
  OutputOf,
  PromptConfig,
  ResourceInput,
  ToolConfig
} from "./internal/registrations.ts"
import { sdk } from "./internal/sdk.ts"
import type { Sdk2 } from "./internal/sdk.ts"

const makeRegistrations = AsyncHandlerKit.make(HandlerKit.make(sdk))

export type {
  /**
   * A schema that an async handler may use: a Schema of Effect without services, or one of another library.
   *
   * @category models
   * @since 0.1.0
   */
  AnySchema,
  /**
   * The type that a schema decodes to.
   *
   * @category utility types
   * @since 0.1.0
   */
  Output,
  /**
   * What an async handler receives beside its input: the functions with which it samples and asks, and a signal.
   *
   * @category models
   * @since 0.1.0
   */
  SamplingContext,
  /**
   * A schema of a library that implements Standard Schema and Standard JSON Schema, for example zod since 4.2.
   *
   * @category models
   * @since 0.1.0
   */
  StandardSchema
} from "@effect-sampling/mcp-kit/AsyncHandler"

/**
 * The functions that register async handlers on a server. They may be destructured.
 *
 * @category models
 * @since 0.1.0
 */
export interface AsyncHandlers extends AsyncDisposable {
  /**
   * Registers a tool, as the SDK's `registerTool` does. The handler receives the validated arguments, the functions that
   * sample and ask, and the SDK's context of the request. It returns a string, a content block, an array of them such as
   * the `content` of a completion (whose tool calls become text), a result, or nothing. A tool with an `outputSchema`
   * returns a value of it, or a result. The message of an error that it throws becomes an `isError` result.
   */
  readonly registerTool: <
    Output extends InputSchema | undefined = undefined,
    Input extends InputSchema | undefined = undefined
  >(
    server: McpServer,
    name: string,
    config: ToolConfig<Input, Output>,
    handler:
      & Handler<InputOf<Input>, ToolReturn | OutputOf<Output>>
      & HandlerKit.Returning<
        Output,
        AsyncHandlerKit.Awaitable<CallToolResult | HandlerKit.OutputValue<OutputOf<Output>>>
      >
  ) => RegisteredTool
  /**
   * Registers a prompt, as the SDK's `registerPrompt` does. A string becomes one user message. The message of an error
   * that the handler throws becomes that of a JSON-RPC error.
   */
  readonly registerPrompt: <Input extends InputSchema | undefined = undefined>(
    server: McpServer,
    name: string,
    config: PromptConfig<Input>,
    handler: Handler<InputOf<Input>, string | GetPromptResult>
  ) => RegisteredPrompt
  /**
   * Registers a resource, as the SDK's `registerResource` does. The first argument of the handler is an object with the
   * `uri` and the values of the template's `variables` in it. A string becomes the text of the resource. The message of
   * an error that the handler throws becomes that of a JSON-RPC error.
   */
  readonly registerResource: <UriOrTemplate extends string | ResourceTemplate>(
    server: McpServer,
    name: string,
    uriOrTemplate: UriOrTemplate,
    config: ResourceMetadata,
    handler: Handler<ResourceInput, string | ReadResourceResult>
  ) => UriOrTemplate extends string ? RegisteredResource : RegisteredResourceTemplate
  /**
   * Closes what the Layer of the sampler opened. Call it when the server ends.
   */
  readonly dispose: () => Promise<void>
}

/**
 * What the function of a tool may return: a string, a content block, content blocks such as those of a completion, a
 * result of the SDK, or nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolReturn = HandlerKit.ToolReturn<Sdk2>

/**
 * An async function that answers a request.
 *
 * @category models
 * @since 0.1.0
 */
export type Handler<Input, Result> = AsyncHandlerKit.Handler<Input, Result, ServerContext>

/**
 * Builds the functions that register async handlers. The Layer decides which model answers, for example
 * `ClientSampler.layer` or `Sampler.fallback(ClientSampler.layer, provider)`. Settings, such as
 * `Layer.succeed(ClientConnection.AskTimeout, "2 minutes")`, are merged into it. It is built once, and stays open until
 * `dispose`. The promise rejects with the error of a Layer that cannot be built.
 *
 * **Details**
 *
 * - From MCP 2026-07-28 on the function runs again from its first line in every round of a call, with the answers of
 *   earlier rounds. A promise whose answer comes in a later round never settles in this one, so neither `catch` nor
 *   `finally` runs. Wrap what must not happen twice in `once`.
 * - Errors of sampling reject with the typed errors of core: `error._tag` names what happened, and `error.message` says
 *   what to do.
 * - `signal` is aborted, and open promises reject with an `AbortError`, when the client cancels the call or leaves.
 * - Handlers log to stderr, because the server may speak MCP on stdout.
 *
 * **Example** (A tool that samples)
 *
 * ```ts
 * import { ClientSampler } from "@effect-sampling/core"
 * import { AsyncHandler } from "@effect-sampling/mcp-sdk-v2"
 * import { McpServer } from "@modelcontextprotocol/server"
 * import { z } from "zod"
 *
 * const server = new McpServer({ name: "summariser", version: "1.0.0" })
 * const { registerTool } = await AsyncHandler.make(ClientSampler.layer)
 *
 * registerTool(server, "summarise", { inputSchema: z.object({ text: z.string() }) }, async ({ text }, { sample }) => {
 *   const reply = await sample(`Summarise:\n\n${text}`, { maxTokens: 300 })
 *   return reply.text
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <E>(sampler: Layer.Layer<Sampler, E>): Promise<AsyncHandlers> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK passes the input of each registration, and returns the registration
  makeRegistrations(sampler) as Promise<AsyncHandlers>
