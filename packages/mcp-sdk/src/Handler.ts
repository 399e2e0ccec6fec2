/**
 * Wraps effects as handlers of an existing SDK server, to adopt sampling tool by tool.
 *
 * What they log goes to stderr, as the server may speak MCP on stdout. Where `Logger.LogToStderr` is provided, it decides.
 *
 * @since 0.1.0
 */
import * as HandlerFailure from "@effect-sampling/core/wire/HandlerFailure"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import { logToStderr } from "@effect-sampling/mcp-kit/internal/logToStderr"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import type { CallToolResult, GetPromptResult, ReadResourceResult } from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { prepareServer, serverOf } from "./internal/registry.ts"
import { makeRunCall } from "./internal/runCall.ts"
import type { Extra } from "./internal/SdkConnection.ts"

/**
 * The callback of the SDK's `registerTool` from an effectful function of the same arguments.
 *
 * **Details**
 *
 * A string is a text result. A typed error becomes an `isError` result with its message, a defect a generic one with its
 * cause logged. The effect is interrupted when the client cancels or disconnects. Wrap before the server connects.
 *
 * **Example** (Adding a sampling tool to an existing server)
 *
 * ```ts
 * import { ClientSampler, Sampler } from "@effect-sampling/core"
 * import { Handler } from "@effect-sampling/mcp-sdk"
 * import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
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
export const tool = <Arguments extends ReadonlyArray<unknown>, E, R>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<string | CallToolResult, E, R>
): Effect.Effect<(...parameters: [...Arguments, extra: Extra]) => Promise<CallToolResult>, never, R> =>
  wrap(
    server,
    (...parameters: Arguments) =>
      Effect.catchCause(Effect.suspend(() => f(...parameters)), (cause) =>
        Effect.map(HandlerFailure.text(cause, "A tool"), ToolResult.ofError)),
    (exit) => {
      const result = Exit.isSuccess(exit) ? exit.value : ToolResult.interrupted
      return typeof result === "string" ? { content: [{ type: "text", text: result }] } : result
    }
  )

/**
 * The callback of the SDK's `registerPrompt` from an effectful function. A typed error becomes a JSON-RPC error with its
 * message.
 *
 * @category handlers
 * @since 0.1.0
 */
export const prompt: {
  // `registerPrompt` types the callback of a prompt without arguments as if it had some.
  <E, R>(
    server: Server | McpServer,
    f: () => Effect.Effect<GetPromptResult, E, R>
  ): Effect.Effect<(...parameters: ReadonlyArray<unknown>) => Promise<GetPromptResult>, never, R>
  <Arguments extends ReadonlyArray<unknown>, E, R>(
    server: Server | McpServer,
    f: (...parameters: Arguments) => Effect.Effect<GetPromptResult, E, R>
  ): Effect.Effect<(...parameters: [...Arguments, extra: Extra]) => Promise<GetPromptResult>, never, R>
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the second overload has it
} = <Arguments extends ReadonlyArray<unknown>, E, R>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<GetPromptResult, E, R>
): Effect.Effect<AnyCallback<GetPromptResult>, never, R> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it finds the extra at the end, whatever comes before it
  wrap(server, (...parameters: Arguments) =>
    HandlerFailure.orProtocolError(() => f(...parameters), "A prompt"), HandlerFailure.valueOrThrow) as Effect.Effect<
      AnyCallback<GetPromptResult>,
      never,
      R
    >

type AnyCallback<A> = (...parameters: ReadonlyArray<unknown>) => Promise<A>

/**
 * The callback of the SDK's `registerResource` from an effectful function. A typed error becomes a JSON-RPC error with its
 * message.
 *
 * @category handlers
 * @since 0.1.0
 */
export const resource = <Arguments extends ReadonlyArray<unknown>, E, R>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<ReadResourceResult, E, R>
): Effect.Effect<(...parameters: [...Arguments, extra: Extra]) => Promise<ReadResourceResult>, never, R> =>
  wrap(
    server,
    (...parameters: Arguments) => HandlerFailure.orProtocolError(() => f(...parameters), "A resource"),
    HandlerFailure.valueOrThrow
  )

const wrap = <Arguments extends ReadonlyArray<unknown>, A, E, R, B>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<A, E, R>,
  toResult: (exit: Exit.Exit<A, E>) => B
): Effect.Effect<(...parameters: [...Arguments, extra: Extra]) => Promise<B>, never, R> =>
  logToStderr(Effect.map(makeRunCall<R>(), (run) => {
    const target = serverOf(server)
    prepareServer(target)
    return (...all) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK passes its extra last, after the arguments
      const [parameters, extra] = [all.slice(0, -1) as ReadonlyArray<unknown> as Arguments, all.at(-1) as Extra]
      return run(f(...parameters), target, extra, toResult)
    }
  }))
