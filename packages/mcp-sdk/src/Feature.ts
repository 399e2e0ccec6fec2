/**
 * What a server offers: tools, prompts and resources whose handlers are effects and may sample.
 *
 * @since 0.1.0
 */
import * as ToolDispatch from "@effect-sampling/core/ToolDispatch"
import * as HandlerFailure from "@effect-sampling/core/wire/HandlerFailure"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import { logToStderr } from "@effect-sampling/mcp-kit/internal/logToStderr"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { UriTemplate } from "@modelcontextprotocol/sdk/shared/uriTemplate.js"
import { ErrorCode } from "@modelcontextprotocol/sdk/types.js"
import type { CallToolResult, GetPromptResult, ReadResourceResult } from "@modelcontextprotocol/sdk/types.js"
import type * as Tool from "effect/ai/Tool"
import type * as Toolkit from "effect/ai/Toolkit"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { addPrompt, addResource, addTools, serverOf } from "./internal/registry.ts"
import { makeRunCall } from "./internal/runCall.ts"
import type { Extra } from "./internal/SdkConnection.ts"

/**
 * Tools, prompts or a resource, prepared once and ready to be installed on any number of SDK servers: one for each
 * session.
 *
 * @category models
 * @since 0.1.0
 */
export interface Feature {
  /**
   * Adds the handlers to a server that is not connected yet.
   */
  readonly install: (server: Server) => void
}

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
 *
 * Source: MCP 2025-11-25, tools, "Error Handling".
 *
 * @see {@link register} for a server that exists already
 * @category features
 * @since 0.1.0
 */
export const toolkit = <Tools extends Record<string, Tool.Any>>(
  self: Toolkit.Toolkit<Tools>
): Effect.Effect<Feature, never, Tool.HandlersFor<Tools> | Tool.HandlerServices<Tools[keyof Tools]>> =>
  Effect.gen(function*() {
    const dispatch = yield* ToolDispatch.make(self)
    const entries = yield* Effect.forEach(
      Object.values(self.tools),
      (tool) =>
        Effect.map(makeRunCall<Tool.HandlerServices<Tools[keyof Tools]>>(dispatch.captured(tool.name)), (run) => {
          const definition = ToolResult.definition(tool)
          const { onFailure, onSuccess } = ToolResult.make(tool, definition)
          // One for all calls: it is kept for as long as a call runs.
          const toResult = (exit: Exit.Exit<ToolDispatch.ToolOutcome, unknown>, server: Server, extra: Extra) =>
            Exit.isSuccess(exit)
              ? onSuccess(exit.value)
              : Cause.hasInterruptsOnly(exit.cause)
              ? ToolResult.interrupted
              : run(onFailure(exit.cause), server, extra, valueOrInterrupted)
          return {
            definition,
            call: (server: Server, parameters: unknown, extra: Extra): Promise<CallToolResult> =>
              run(dispatch.call(tool.name, parameters, callOptions(extra)), server, extra, toResult)
          }
        })
    )
    return { install: (server) => addTools(server, entries) }
  })

const valueOrInterrupted = (exit: Exit.Exit<CallToolResult>): CallToolResult =>
  Exit.isSuccess(exit) ? exit.value : ToolResult.interrupted

const callOptions = (extra: Extra): ToolDispatch.CallOptions | undefined => {
  const progressToken = extra._meta?.progressToken
  if (progressToken === undefined) return undefined
  let progress = 0
  return {
    onPreliminary: (result) =>
      Effect.promise(() =>
        extra.sendNotification({
          method: "notifications/progress",
          params: {
            progressToken,
            progress: ++progress,
            message: typeof result === "string" ? result : JSON.stringify(result)
          }
        })
      ).pipe(Effect.ignoreCause)
  }
}

/**
 * The arguments of a prompt: a `Schema.Struct` whose encoded fields are strings, as MCP carries them.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromptArguments extends Schema.Constraint {
  readonly fields: Schema.Struct.Fields
  readonly Encoded: { readonly [name: string]: string | undefined }
  readonly DecodingServices: never
}

/**
 * A prompt whose handler may sample. A string is one user message.
 *
 * **Example** (A prompt with an argument)
 *
 * ```ts
 * import { Feature } from "@effect-sampling/mcp-sdk"
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
export const prompt = <E, R, Arguments extends PromptArguments = Schema.Struct<{}>>(
  options: {
    readonly name: string
    readonly title?: string | undefined
    readonly description?: string | undefined
    readonly arguments?: Arguments | undefined
  },
  handler: (parameters: Arguments["Type"]) => Effect.Effect<string | GetPromptResult, E, R>
): Effect.Effect<Feature, never, R> =>
  Effect.map(makeRunCall<R>(), (run) => {
    const schema: PromptArguments = options.arguments ?? Schema.Struct({})
    const decode = Schema.decodeUnknownResult(schema, { errors: "all" })
    const definition = {
      name: options.name,
      ...(options.title !== undefined && { title: options.title }),
      ...(options.description !== undefined && { description: options.description }),
      arguments: Object.entries(schema.fields).map(([name, field]) => promptArgument(name, field))
    }
    const get = (server: Server, parameters: unknown, extra: Extra): Promise<GetPromptResult> => {
      const decoded = decode(parameters)
      if (Result.isFailure(decoded)) {
        throw HandlerFailure.protocolError(
          ErrorCode.InvalidParams,
          `Invalid arguments for the prompt "${options.name}": ${decoded.failure.message}`
        )
      }
      const effect = HandlerFailure.orProtocolError(() => handler(decoded.success), `The prompt "${options.name}"`)
      return run(effect, server, extra, (exit): GetPromptResult => {
        const result = HandlerFailure.valueOrThrow(exit)
        return typeof result === "string"
          ? { messages: [{ role: "user", content: { type: "text", text: result } }] }
          : result
      })
    }
    return { install: (server) => addPrompt(server, { definition, get }) }
  })

const promptArgument = (name: string, schema: Schema.Constraint) => {
  const description = SchemaAST.resolveDescription(schema.ast)
  return { name, required: !SchemaAST.isOptional(schema.ast), ...(description !== undefined && { description }) }
}

/**
 * A resource whose handler may sample. A string is its text. `uri` is an address or an RFC 6570 template, whose variables
 * the handler gets.
 *
 * **Example** (A resource template)
 *
 * ```ts
 * import { Feature } from "@effect-sampling/mcp-sdk"
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
export const resource = <E, R>(
  options: {
    readonly name: string
    readonly uri: string
    readonly title?: string | undefined
    readonly description?: string | undefined
    readonly mimeType?: string | undefined
  },
  handler: (request: {
    readonly uri: string
    readonly variables: Readonly<Record<string, string | ReadonlyArray<string>>>
  }) => Effect.Effect<string | ReadResourceResult, E, R>
): Effect.Effect<Feature, never, R> =>
  Effect.map(makeRunCall<R>(), (run) => {
    const described = {
      name: options.name,
      ...(options.title !== undefined && { title: options.title }),
      ...(options.description !== undefined && { description: options.description }),
      ...(options.mimeType !== undefined && { mimeType: options.mimeType })
    }
    const template = UriTemplate.isTemplate(options.uri) ? new UriTemplate(options.uri) : undefined
    return {
      install: (server) =>
        addResource(server, {
          definition: template === undefined
            ? { ...described, uri: options.uri }
            : { ...described, uriTemplate: options.uri },
          match: (uri) =>
            template === undefined ? (uri === options.uri ? {} : undefined) : template.match(uri) ?? undefined,
          read: (target, uri, variables, extra) =>
            run(
              HandlerFailure.orProtocolError(() => handler({ uri, variables }), `The resource "${options.name}"`),
              target,
              extra,
              (exit): ReadResourceResult => {
                const result = HandlerFailure.valueOrThrow(exit)
                const mimeType = options.mimeType !== undefined && { mimeType: options.mimeType }
                return typeof result === "string" ? { contents: [{ uri, text: result, ...mimeType }] } : result
              }
            )
        })
    }
  })

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
 * import { Feature } from "@effect-sampling/mcp-sdk"
 * import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
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
export const register = <E, R>(
  server: Server | McpServer,
  feature: Effect.Effect<Feature, E, R>
): Effect.Effect<void, E, R> => logToStderr(Effect.map(feature, ({ install }) => install(serverOf(server))))
