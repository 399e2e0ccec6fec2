/**
 * The constructors that wrap effects as handlers of an existing server, on an SDK.
 *
 * @since 0.1.0
 */
import * as HandlerFailure from "@effect-sampling/core/wire/HandlerFailure"
import type * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import { interruptedOrNotKept, makeRunner, orProtocolError } from "./internal/calls/runCall.ts"
import type { Runner } from "./internal/calls/runCall.ts"
import { logToStderr } from "./internal/logToStderr.ts"
import { registryOf, serverOf } from "./internal/registry.ts"
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
 * The constructors of handlers on one SDK. The adapter of the SDK documents them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handlers<T extends SdkTypes> {
  readonly tool: Wrap<T, string | T["ToolResult"], T["ToolResult"]>
  readonly prompt: PromptWrap<T>
  readonly resource: Wrap<T, T["ResourceResult"]>
}

/**
 * Builds the constructors of handlers on an SDK.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <T extends SdkTypes>(sdk: Sdk<T>): Handlers<T> => ({
  tool: wrapAs(sdk, "tools/call", toolResult<T>),
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the callback takes the request from the last parameter, so it fits both overloads
  prompt: wrapAs(
    sdk,
    "prompts/get",
    (report) => orProtocolError("A prompt", report, identity<T["PromptResult"]>)
  ) as PromptWrap<T>,
  resource: wrapAs(
    sdk,
    "resources/read",
    (report) => orProtocolError("A resource", report, identity<T["ResourceResult"]>)
  )
})

const toolResult =
  <T extends SdkTypes>(report: Runner<T, never>["report"]) =>
  (exit: Exit.Exit<string | T["ToolResult"], unknown>): T["ToolResult"] | Promise<T["ToolResult"]> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `ToolResult` has the shape of MCP's `CallToolResult`, which every SDK accepts
    const own = (result: ToolResult.ToolResult) => result as T["ToolResult"]
    if (Exit.isSuccess(exit)) {
      return typeof exit.value === "string" ? own({ content: [{ type: "text", text: exit.value }] }) : exit.value
    }
    const ended = interruptedOrNotKept(exit.cause)
    return ended === undefined
      ? report(Effect.map(HandlerFailure.text(exit.cause, "A tool"), (text) => own(ToolResult.ofError(text))))
      : own(ended)
  }

const wrapAs = <T extends SdkTypes, Result, Wrapped>(
  sdk: Sdk<T>,
  method: RoundRunner.Call["method"],
  makeToResult: (
    report: Runner<T, never>["report"]
  ) => (exit: Exit.Exit<Result, unknown>) => Wrapped | Promise<Wrapped>
): Wrap<T, Result, Wrapped> =>
<Arguments extends ReadonlyArray<unknown>, E, R>(
  server: AnyServer<T>,
  f: (...parameters: Arguments) => Effect.Effect<Result, E, R>
) =>
  logToStderr(Effect.map(makeRunner<T, R>(sdk), ({ report, run }): Callback<T, Arguments, Wrapped> => {
    const target = serverOf<T>(server)
    // Only for its effect: the first lookup of a server's registry prepares the server.
    registryOf(sdk, target)
    const toResult = makeToResult(report)
    return (...all) => {
      const request = all.at(-1)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK passes the arguments first, then its context
      const parameters = all.slice(0, -1) as ReadonlyArray<unknown> as Arguments
      return run(Effect.suspend(() => f(...parameters)), method, target, request, toResult)
    }
  }))
