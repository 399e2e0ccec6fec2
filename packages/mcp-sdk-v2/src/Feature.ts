/**
 * What a server offers: tools, prompts and resources whose handlers are effects and may sample.
 *
 * @since 0.1.0
 */
import type { PromptArguments, PromptOptions } from "@effect-sampling/core/wire/PromptDefinition"
import * as FeatureKit from "@effect-sampling/mcp-kit/Feature"
import type { ResourceOptions, ResourceRequest } from "@effect-sampling/mcp-kit/Feature"
import type { GetPromptResult, McpServer, ReadResourceResult, Server } from "@modelcontextprotocol/server"
import type * as Tool from "effect/ai/Tool"
import type * as Toolkit from "effect/ai/Toolkit"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { sdk } from "./internal/sdk.ts"

const features = FeatureKit.make(sdk)

export type {
  /**
   * @category models
   * @since 0.1.0
   */
  PromptArguments
} from "@effect-sampling/core/wire/PromptDefinition"

/**
 * Tools, prompts or a resource, prepared once and ready to be installed on any number of SDK servers: one for each session,
 * and since MCP 2026-07-28 one for each HTTP request.
 *
 * @category models
 * @since 0.1.0
 */
export type Feature = FeatureKit.Feature<Server>

/**
 * The tools of an `effect/ai` `Toolkit`.
 *
 * **Details**
 *
 * - Arguments are decoded by the tool's `parameters`; wrong ones become an `isError` result that says what is wrong.
 * - A success is sent as `structuredContent` and text when its schema is an object, as text otherwise, and as content
 *   blocks where the tool has `toModelOutput`.
 * - A typed error becomes an `isError` result with its message. A defect becomes a generic message; its cause is logged.
 * - Preliminary results are sent as progress, when the client asked for it.
 * - Since MCP 2026-07-28 the call is answered in rounds: `RoundRunner.run`. A capability that the client did not declare, and for
 *   which the handler fails, is JSON-RPC error -32021 then.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, tools, "Error Handling".
 *
 * @see {@link register} for a server that exists already
 * @category features
 * @since 0.1.0
 */
export const toolkit: <Tools extends Record<string, Tool.Any>>(
  self: Toolkit.Toolkit<Tools>
) => Effect.Effect<Feature, never, Tool.HandlersFor<Tools> | Tool.HandlerServices<Tools[keyof Tools]>> =
  features.toolkit

/**
 * A prompt whose handler may sample. A string is one user message.
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
 * A resource whose handler may sample. A string is its text. `uri` is an address or an RFC 6570 template, whose variables
 * the handler gets.
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
 * Installs a feature on a server that exists already and is not connected yet.
 *
 * **Details**
 *
 * An `McpServer` that has tools of its own (`registerTool`) cannot take a toolkit as well, because the SDK has one handler
 * for all tools: the effect dies and says so. Wrap single functions with `Handler.tool` there.
 *
 * Its handlers log to stderr, as the server may speak MCP on stdout. Where `Logger.LogToStderr` is provided, it decides.
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
