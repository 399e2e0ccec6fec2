/**
 * The constructors that wrap effects as handlers of an existing server, on an SDK.
 *
 * @since 0.1.0
 */
import type { Requirement } from "@effect-sampling/core/Client"
import type { Content } from "@effect-sampling/core/Content"
import * as HandlerFailure from "@effect-sampling/core/wire/HandlerFailure"
import type * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { wellFormed } from "@effect-sampling/core/wire/Text"
import * as ToolRequirements from "@effect-sampling/core/wire/ToolRequirements"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import { interruptedOrBrokenOff, makeRunner, orProtocolError } from "./internal/calls/runCall.ts"
import type { Runner } from "./internal/calls/runCall.ts"
import { logToStderr } from "./internal/logToStderr.ts"
import { registryOf, serverOf } from "./internal/registry.ts"
import { contentsOf, promptOf } from "./internal/textResults.ts"
import { toolResultOf } from "./internal/toolResultOf.ts"
import type { AnyServer, Sdk, SdkTypes } from "./Sdk.ts"

/**
 * A callback that the SDK calls with its arguments, followed by the SDK's context of the request.
 *
 * @category models
 * @since 0.1.0
 */
export type Callback<T extends SdkTypes, Arguments extends ReadonlyArray<unknown>, A> = (
  ...parameters: [...Arguments, request: T["Request"]]
) => Promise<A | T["InputRequired"]>

/**
 * Wraps an effectful function as the callback of one method.
 *
 * @category models
 * @since 0.1.0
 */
export type Wrap<T extends SdkTypes, Result, Wrapped = Result> = <Arguments extends ReadonlyArray<unknown>, E, R>(
  server: AnyServer<T>,
  f: (...parameters: Arguments) => Effect.Effect<Result, E, R>
) => Effect.Effect<Callback<T, Arguments, Wrapped>, never, R>

/**
 * Wraps an effectful function as the callback of a prompt. The first overload is for prompts without arguments, whose
 * callback the SDKs type as if it had arguments.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromptWrap<T extends SdkTypes> {
  <E, R>(
    server: AnyServer<T>,
    f: () => Effect.Effect<T["PromptResult"], E, R>
  ): Effect.Effect<(...parameters: ReadonlyArray<unknown>) => Promise<T["PromptResult"] | T["InputRequired"]>, never, R>
  <Arguments extends ReadonlyArray<unknown>, E, R>(
    server: AnyServer<T>,
    f: (...parameters: Arguments) => Effect.Effect<T["PromptResult"], E, R>
  ): Effect.Effect<Callback<T, Arguments, T["PromptResult"]>, never, R>
}

/**
 * The members of an SDK's high-level server with which the kit registers handlers. They are methods, because TypeScript
 * compares the parameters of methods bivariantly: the SDK's own types of configurations and callbacks are narrower.
 *
 * @category models
 * @since 0.1.0
 */
export interface McpServer<T extends SdkTypes> {
  readonly server: T["Server"]
  registerTool(name: string, config: object, callback: unknown): unknown
  registerPrompt(name: string, config: object, callback: unknown): unknown
  registerResource(name: string, uriOrTemplate: unknown, config: object, callback: unknown): unknown
}

/**
 * A function whose effect answers a request: from the decoded input, and the SDK's context of the request.
 *
 * @category models
 * @since 0.1.0
 */
export type RequestHandler<T extends SdkTypes, Result, E, R> = (
  input: unknown,
  request: T["Request"]
) => Effect.Effect<Result, E, R>

/**
 * What a tool may return: a string, a content block, content blocks such as those of a completion, a result, or nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolReturn<T extends SdkTypes> =
  | string
  | void
  | Content
  | T["ToolBlock"]
  | ReadonlyArray<Content | T["ToolBlock"]>
  | T["ToolResult"]

/**
 * The type of functions that return `Result`, for tools with an output schema; unknown for tools without one.
 *
 * **Details**
 *
 * A parameter takes it in an intersection with a wider function type. TypeScript infers literals in what a function
 * returns from the wider type, and checks the result against both. A conditional return type would lose the literals.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Returning<Output, Result> = Output extends undefined ? unknown : (...parameters: never) => Result

/**
 * A value of an output schema. Where all fields of the schema are optional, TypeScript would accept strings, numbers and
 * promises for it as well, because it does not compare the parts of an intersection closely.
 *
 * @category utility types
 * @since 0.1.0
 */
export type OutputValue<A> = [A] extends [Primitive] ? A : A & object & { readonly then?: never }

type Primitive = string | number | boolean | null | undefined

/**
 * Registers a handler on an SDK's high-level server, and returns what the SDK returns. `registration` is what the SDK's
 * method takes before the callback.
 *
 * @category models
 * @since 0.1.0
 */
export type Register<T extends SdkTypes, Registration extends ReadonlyArray<unknown>, Result> = <E, R>(
  server: McpServer<T>,
  ...parameters: [...registration: Registration, handler: RequestHandler<T, Result, E, R>]
) => Effect.Effect<unknown, never, R>

/**
 * What the kit reads of the configuration of a tool, beside what the SDK takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolConfig {
  /**
   * What is checked before the handler runs. Default: nothing.
   */
  readonly requires?: ReadonlyArray<Requirement>
}

/**
 * The constructors of handlers on one SDK. The adapter of the SDK documents them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handlers<T extends SdkTypes> {
  readonly tool: Wrap<T, ToolReturn<T>, T["ToolResult"]>
  readonly prompt: PromptWrap<T>
  readonly resource: Wrap<T, T["ResourceResult"]>
  readonly registerTool: Register<T, [name: string, config: ToolConfig], unknown>
  readonly registerPrompt: Register<T, [name: string, config: object], string | T["PromptResult"]>
  readonly registerResource: Register<
    T,
    [name: string, uriOrTemplate: unknown, config: object],
    string | T["ResourceResult"]
  >
}

/**
 * Builds the constructors of handlers on an SDK.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <T extends SdkTypes>(sdk: Sdk<T>): Handlers<T> => {
  const tool = wrapWithRequest(sdk, "tools/call", toolResult<T>(false))
  const toolWithOutput = wrapWithRequest(sdk, "tools/call", toolResult<T>(true))
  const prompt = wrapWithRequest(sdk, "prompts/get", promptResult<T>)
  const resource = wrapWithRequest(sdk, "resources/read", resourceResult<T>)
  return {
    tool: spread(tool),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the callback takes the request from the last parameter, so it fits both overloads
    prompt: spread(prompt) as PromptWrap<T>,
    resource: spread(resource),
    registerTool: (server, name, { requires = [], ...config }, handler) => {
      const checkFirst = ToolRequirements.of(requires)
      return Effect.map(
        (Predicate.hasProperty(config, "outputSchema") && config.outputSchema !== undefined ? toolWithOutput : tool)(
          server,
          ([input = {}], request) => checkFirst(Effect.suspend(() => handler(input, request)))
        ),
        (callback) => server.registerTool(name, config, callback)
      )
    },
    registerPrompt: (server, name, config, handler) =>
      Effect.map(
        prompt(server, ([input = {}], request) => handler(input, request)),
        (callback) => server.registerPrompt(name, config, callback)
      ),
    registerResource: (server, name, uriOrTemplate, config, handler) =>
      Effect.map(
        resource(server, ([uri, variables = {}], request) =>
          Effect.map(handler({ uri, variables }, request), (result) =>
            toContents<T>(result, uri, config))),
        (callback) =>
          server.registerResource(name, uriOrTemplate, config, callback)
      )
  }
}

const toolResult =
  <T extends SdkTypes>(hasOutputSchema: boolean) =>
  (report: Runner<T, never>["report"]) =>
  (exit: Exit.Exit<unknown, unknown>): T["ToolResult"] | Promise<T["ToolResult"]> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each has the shape of MCP's `CallToolResult`, which every SDK accepts
    const own = (result: object) => result as T["ToolResult"]
    if (Exit.isSuccess(exit)) {
      const result = toolResultOf(wellFormed(exit.value), hasOutputSchema)
      if (Result.isSuccess(result)) return own(result.success)
      const { advice, problem } = result.failure
      return report(Effect.as(Effect.logWarning(`${problem} ${advice}`), own(ToolResult.ofError(problem))))
    }
    return report(Effect.map(
      interruptedOrBrokenOff(exit.cause) ??
        Effect.map(HandlerFailure.text(exit.cause, "A tool"), ToolResult.ofError),
      own
    ))
  }

const promptResult = <T extends SdkTypes>(report: Runner<T, never>["report"]) =>
  orProtocolError(
    "A prompt",
    report,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `promptOf` has the shape of MCP's `GetPromptResult`
    (result: string | T["PromptResult"]) => typeof result === "string" ? promptOf(result) as T["PromptResult"] : result
  )

const resourceResult = <T extends SdkTypes>(report: Runner<T, never>["report"]) =>
  orProtocolError("A resource", report, identity<T["ResourceResult"]>)

/** Adds the address of the resource to a text. Without it, one function for all calls could not build the result. */
const toContents = <T extends SdkTypes>(
  result: string | T["ResourceResult"],
  uri: unknown,
  config: object
): T["ResourceResult"] => {
  if (typeof result !== "string") return result
  const mimeType = "mimeType" in config && typeof config.mimeType === "string" ? config.mimeType : undefined
  return contentsOf(result, String(uri), mimeType)
}

/** Turns a constructor that passes the request into one of callbacks with the SDK's own arguments. */
const spread =
  <T extends SdkTypes, Result, Wrapped>(wrap: WrapWithRequest<T, Result, Wrapped>): Wrap<T, Result, Wrapped> =>
  (server, f) =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK calls the callback with the arguments of the function
    wrap(server, (parameters) => f(...parameters as never))

type ToResult<T extends SdkTypes, Result, Wrapped> = (
  report: Runner<T, never>["report"]
) => (exit: Exit.Exit<Result, unknown>) => Wrapped | Promise<Wrapped>

type WrapWithRequest<T extends SdkTypes, Result, Wrapped> = <E, R>(
  server: AnyServer<T>,
  f: (parameters: ReadonlyArray<unknown>, request: T["Request"]) => Effect.Effect<Result, E, R>
) => Effect.Effect<Callback<T, ReadonlyArray<unknown>, Wrapped>, never, R>

const wrapWithRequest = <T extends SdkTypes, Result, Wrapped>(
  sdk: Sdk<T>,
  method: RoundRunner.Call["method"],
  makeToResult: ToResult<T, Result, Wrapped>
): WrapWithRequest<T, Result, Wrapped> =>
<E, R>(
  server: AnyServer<T>,
  f: (parameters: ReadonlyArray<unknown>, request: T["Request"]) => Effect.Effect<Result, E, R>
) =>
  logToStderr(
    Effect.map(makeRunner<T, R>(sdk), ({ report, run }): Callback<T, ReadonlyArray<unknown>, Wrapped> => {
      const target = serverOf<T>(server)
      // Only for its effect: the first lookup of a server's registry prepares the server.
      registryOf(sdk, target)
      const toResult = makeToResult(report)
      return (...all) => {
        // The SDK passes the arguments first, then its context.
        const request = all.at(-1)
        const parameters = all.slice(0, -1)
        return run(Effect.suspend(() => f(parameters, request)), method, target, request, toResult)
      }
    })
  )
