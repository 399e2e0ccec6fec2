/**
 * The features of a server: tools, prompts and resources whose handlers are effects and may sample.
 *
 * @since 0.1.0
 */
import type { ToolkitInput } from "@effect-sampling/core/ToolDispatch"
import type { PromptArguments, PromptOptions } from "@effect-sampling/core/wire/PromptDefinition"
import type { ToolHandler } from "@effect-sampling/core/wire/SingleTool"
import * as FeatureKit from "@effect-sampling/mcp-kit/Feature"
import type { ResourceOptions, ResourceRequest } from "@effect-sampling/mcp-kit/Feature"
import type { GetPromptResult, McpServer, ReadResourceResult, Server } from "@modelcontextprotocol/server"
import type * as Tool from "effect/ai/Tool"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { sdk } from "./internal/sdk.ts"

const features = FeatureKit.make(sdk)

export type {
  /**
   * The arguments of a prompt: a `Schema.Struct` whose encoded fields are strings, as MCP carries them.
   *
   * @category models
   * @since 0.1.0
   */
  PromptArguments
} from "@effect-sampling/core/wire/PromptDefinition"

/**
 * A toolkit, a prompt or a resource, prepared once. It can be installed on any number of SDK servers, because each
 * session has a server of its own, and so does each HTTP request since MCP 2026-07-28.
 *
 * @category models
 * @since 0.1.0
 */
export interface Feature extends FeatureKit.Feature<Server> {}

/**
 * Builds one tool and its handler into a feature.
 *
 * **When to use**
 *
 * Use it for a tool that stands alone. Use {@link toolkit} for a group of tools whose handlers share a Layer.
 *
 * **Details**
 *
 * The handler may fail with what the tool declares as its `failure`, and with every error of sampling and of asking the
 * client, which need not be declared. Everything else is as for {@link toolkit}.
 *
 * **Example** (Building a tool that samples)
 *
 * ```ts
 * import { Sampler } from "@effect-sampling/core"
 * import { Feature } from "@effect-sampling/mcp-sdk-v2"
 * import { Effect, Schema } from "effect"
 * import { Tool } from "effect/ai"
 *
 * const summarise = Feature.tool(
 *   Tool.make("summarise", { parameters: Schema.Struct({ text: Schema.String }), success: Schema.String }),
 *   ({ text }) => Effect.map(Sampler.sample(`Summarise:\n\n${text}`), (reply) => reply.text)
 * )
 * Effect.isEffect(summarise) // => true
 * ```
 *
 * @category features
 * @since 0.1.0
 */
export const tool: <Served extends Tool.Any, R>(
  tool: Served,
  handler: ToolHandler<Served, R>
) => Effect.Effect<Feature, never, R | Tool.HandlerServices<Served>> = features.tool

/**
 * Builds a feature from the tools of an `effect/ai` `Toolkit`, whose handlers come from Layers, or of a toolkit with its
 * handlers (the value of `yield* toolkit`), or of an effect that returns one.
 *
 * **Details**
 *
 * - The tool's `parameters` decode its arguments. Invalid arguments become an `isError` result that names the problem.
 * - A success whose schema is an object is sent as `structuredContent` and as text, any other success as text. A tool
 *   with `toModelOutput` sends the content blocks that it returns.
 * - A typed error becomes an `isError` result with the message of the error. A defect becomes a generic message, and
 *   its cause is logged.
 * - Preliminary results are sent as progress if the client asked for progress.
 * - From MCP 2026-07-28 on, the handler runs in rounds. A handler that fails because the client did not declare a
 *   capability then ends with JSON-RPC error -32021.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, tools, "Error Handling".
 *
 * @see {@link register} for an existing server
 * @category features
 * @since 0.1.0
 */
export const toolkit: <Tools extends Record<string, Tool.Any>, E = never, R = never>(
  self: ToolkitInput<Tools, E, R>
) => Effect.Effect<Feature, E, R | Tool.HandlerServices<Tools[keyof Tools]>> = features.toolkit

/**
 * Builds a feature from a prompt whose handler may sample. A string from the handler becomes one user message.
 *
 * **Example** (A prompt with an argument)
 *
 * ```ts
 * import { Feature } from "@effect-sampling/mcp-sdk-v2"
 * import { Sampler } from "@effect-sampling/core"
 * import { Effect, Schema } from "effect"
 *
 * const Improve = Feature.prompt(
 *   { name: "improve", description: "Improves a prompt", arguments: Schema.Struct({ prompt: Schema.String }) },
 *   ({ prompt }) => Effect.map(Sampler.sample(`Make this prompt clearer:\n\n${prompt}`), (reply) => reply.text)
 * )
 * Effect.isEffect(Improve) // => true
 * ```
 *
 * @category features
 * @since 0.1.0
 */
export const prompt: <E, R, Arguments extends PromptArguments = Schema.Struct<{}>>(
  options: PromptOptions<Arguments>,
  handler: (parameters: Arguments["Type"]) => Effect.Effect<string | GetPromptResult, E, R>
) => Effect.Effect<Feature, never, R> = features.prompt

/**
 * Builds a feature from a resource whose handler may sample. A string from the handler is the text of the resource.
 * `uri` is a URI, or an RFC 6570 template with variables such as `{name}`, whose values the handler receives.
 *
 * **Example** (A resource template)
 *
 * ```ts
 * import { Feature } from "@effect-sampling/mcp-sdk-v2"
 * import { Sampler } from "@effect-sampling/core"
 * import { Effect } from "effect"
 *
 * const Definition = Feature.resource(
 *   { name: "definition", uri: "dictionary://{word}", mimeType: "text/plain" },
 *   ({ variables }) => Effect.map(Sampler.sample(`Define: ${variables["word"]}`), (reply) => reply.text)
 * )
 * Effect.isEffect(Definition) // => true
 * ```
 *
 * @category features
 * @since 0.1.0
 */
export const resource: <E, R>(
  options: ResourceOptions,
  handler: (request: ResourceRequest) => Effect.Effect<string | ReadResourceResult, E, R>
) => Effect.Effect<Feature, never, R> = features.resource

/**
 * Installs a feature on an existing server that is not connected yet.
 *
 * **Details**
 *
 * The handlers log to stderr, because the server may speak MCP on stdout. Provide `Logger.LogToStderr` to change that.
 *
 * **Gotchas**
 *
 * A server that already has tools from the SDK's `registerTool` cannot have a toolkit as well, because the SDK has one
 * handler for all tools. The effect then dies with the SDK's error about the existing handler. Use `Handler.tool` for
 * single functions there.
 *
 * **Example** (Registering a toolkit)
 *
 * ```ts
 * import { Feature } from "@effect-sampling/mcp-sdk-v2"
 * import { McpServer } from "@modelcontextprotocol/server"
 * import { Effect, Schema } from "effect"
 * import { Tool, Toolkit } from "effect/ai"
 *
 * const Tools = Toolkit.make(Tool.make("ping", { success: Schema.String }))
 * const server = new McpServer({ name: "example", version: "1.0.0" })
 *
 * await Effect.runPromise(
 *   Feature.register(server, Feature.toolkit(Tools)).pipe(
 *     Effect.provide(Tools.toLayer({ ping: () => Effect.succeed("pong") }))
 *   )
 * )
 * ```
 *
 * @category registering
 * @since 0.1.0
 */
export const register: <E, R>(
  server: Server | McpServer,
  feature: Effect.Effect<Feature, E, R>
) => Effect.Effect<void, E, R> = features.register
