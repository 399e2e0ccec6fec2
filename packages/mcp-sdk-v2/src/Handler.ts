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
import type {
  CallToolResult,
  GetPromptResult,
  InputRequiredResult,
  McpServer,
  ReadResourceResult,
  Server,
  ServerContext
} from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { prepareServer, serverOf } from "./internal/registry.ts"
import { interruptedOrNotKept, makeRunCall, orProtocolError } from "./internal/runCall.ts"
import type { Method, Runner } from "./internal/runCall.ts"

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
export const tool = <Arguments extends ReadonlyArray<unknown>, E, R>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<string | CallToolResult, E, R>
): Effect.Effect<
  (...parameters: [...Arguments, ctx: ServerContext]) => Promise<CallToolResult | InputRequiredResult>,
  never,
  R
> =>
  wrap(server, f, "tools/call", (tell) => (exit) => {
    if (Exit.isFailure(exit)) {
      return interruptedOrNotKept(exit.cause) ??
        tell(Effect.map(HandlerFailure.text(exit.cause, "A tool"), ToolResult.ofError))
    }
    const result = exit.value
    return typeof result === "string" ? { content: [{ type: "text", text: result }] } : result
  })

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
  ): Effect.Effect<(...parameters: ReadonlyArray<unknown>) => Promise<GetPromptResult | InputRequiredResult>, never, R>
  <Arguments extends ReadonlyArray<unknown>, E, R>(
    server: Server | McpServer,
    f: (...parameters: Arguments) => Effect.Effect<GetPromptResult, E, R>
  ): Effect.Effect<
    (...parameters: [...Arguments, ctx: ServerContext]) => Promise<GetPromptResult | InputRequiredResult>,
    never,
    R
  >
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the second overload has it
} = <Arguments extends ReadonlyArray<unknown>, E, R>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<GetPromptResult, E, R>
): Effect.Effect<AnyCallback<GetPromptResult | InputRequiredResult>, never, R> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it finds the context at the end, whatever comes before it
  wrap(server, f, "prompts/get", (tell) => orProtocolError("A prompt", tell, identity)) as Effect.Effect<
    AnyCallback<GetPromptResult | InputRequiredResult>,
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
): Effect.Effect<
  (...parameters: [...Arguments, ctx: ServerContext]) => Promise<ReadResourceResult | InputRequiredResult>,
  never,
  R
> => wrap(server, f, "resources/read", (tell) => orProtocolError("A resource", tell, identity))

const identity = <A>(value: A): A => value

const wrap = <Arguments extends ReadonlyArray<unknown>, A, E, R, B>(
  server: Server | McpServer,
  f: (...parameters: Arguments) => Effect.Effect<A, E, R>,
  method: Method,
  makeToResult: (tell: Runner<R>["tell"]) => (exit: Exit.Exit<A, unknown>) => B | Promise<B>
): Effect.Effect<(...parameters: [...Arguments, ctx: ServerContext]) => Promise<B | InputRequiredResult>, never, R> =>
  logToStderr(Effect.map(makeRunCall<R>(), ({ run, tell }) => {
    const target = serverOf(server)
    prepareServer(target)
    const toResult = makeToResult(tell)
    return (...all) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK passes its context last, after the arguments
      const [parameters, ctx] = [all.slice(0, -1) as ReadonlyArray<unknown> as Arguments, all.at(-1) as ServerContext]
      return run(Effect.suspend(() => f(...parameters)), method, target, ctx, toResult)
    }
  }))
