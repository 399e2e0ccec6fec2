/**
 * The options and turns of the loop in which a model calls tools before it answers a sample.
 *
 * @since 0.1.0
 */
import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ToolResultContent, ToolUseContent } from "./Content.ts"
import { invalidArguments as readInvalidArguments } from "./internal/toolArguments.ts"
import type { SamplingMessage } from "./SamplingMessage.ts"
import type { SamplingResponse } from "./SamplingResponse.ts"
import type { ToolkitInput } from "./ToolDispatch.ts"

/**
 * Whether the model may (`auto`), must (`required`) or must not (`none`) call a tool, or must call a given one.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolChoice<Tools extends Record<string, Tool.Any>> =
  | "auto"
  | "required"
  | "none"
  | { readonly tool: keyof Tools & string }

/**
 * Tools for one turn.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepOptions<
  Tools extends Record<string, Tool.Any>,
  ToolkitError = never,
  ToolkitServices = Tool.HandlersFor<Tools>
> {
  /**
   * The tools that the model may call. The handlers of a `Toolkit` come from Layers (`Toolkit.toLayer`). A toolkit with
   * its handlers, and an effect that returns one, need no Layer.
   */
  readonly toolkit: ToolkitInput<Tools, ToolkitError, ToolkitServices>
  /**
   * The tool choice of the first turn. Later turns use `none` if it is `none`, and `auto` otherwise. Default: `auto`.
   * With `{ tool }`, only that tool is offered in the first turn, because MCP has no way to name a tool.
   */
  readonly toolChoice?: ToolChoice<Tools> | undefined
  /**
   * The number of calls of one reply that may run at the same time. Default: 1, in call order. If a reply calls a tool
   * annotated with {@link Sequential}, its calls run one at a time. Results are always in call order.
   */
  readonly concurrency?: number | "unbounded" | undefined
}

/**
 * Tools for a whole loop.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<
  Tools extends Record<string, Tool.Any>,
  E = never,
  R = never,
  ToolkitError = never,
  ToolkitServices = Tool.HandlersFor<Tools>
> extends StepOptions<Tools, ToolkitError, ToolkitServices> {
  /**
   * The largest number of completions to ask for, a positive integer. Default: 16. In the last turn the model is told
   * to answer without tools; if it still calls one, the loop fails with `TurnLimitExceeded`.
   *
   * Source: MCP 2025-11-25, sampling, "Tool Use in Sampling": both parties should limit iterations, and a server may send
   * `toolChoice: none` in the last one.
   */
  readonly maxTurns?: number | undefined
  /**
   * Runs after each turn in which tools ran. `stop` ends the loop with that turn's reply. Default: the loop continues.
   */
  readonly onTurn?: ((turn: Turn) => Effect.Effect<"continue" | "stop", E, R>) | undefined
}

/**
 * One turn: a reply, its calls, and their results in call order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Turn {
  /**
   * The number of the turn, counted from 1.
   */
  readonly index: number
  readonly response: SamplingResponse
  readonly calls: ReadonlyArray<ToolUseContent>
  readonly results: ReadonlyArray<ToolResultContent>
  /**
   * All messages so far, the results included.
   */
  readonly history: ReadonlyArray<SamplingMessage>
}

/**
 * The failures that tools with `failureMode: "error"` (the default) declare. They end the loop, whereas failures of
 * tools with `failureMode: "return"` go to the model.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Failure<Tools extends Record<string, Tool.Any>> = FailureOf<Tools[keyof Tools]>

type FailureOf<T> = T extends Tool.Tool<infer _Name, infer Config, infer _Requirements>
  ? Config["failureMode"] extends "error" ? Config["failure"]["Type"] : never
  : never

/**
 * Annotates a tool whose calls must not run concurrently with other calls of the same reply.
 *
 * **Example** (Annotating a tool)
 *
 * ```ts
 * import { ToolLoop } from "@effect-sampling/core"
 * import { Schema } from "effect"
 * import { Tool } from "effect/ai"
 *
 * const Deploy = Tool.make("deploy", { success: Schema.Void }).annotate(ToolLoop.Sequential, true)
 * Deploy.name // => "deploy"
 * ```
 *
 * @category annotations
 * @since 0.1.0
 */
export const Sequential = Context.Reference<boolean>("@effect-sampling/core/ToolLoop/Sequential", {
  defaultValue: () => false
})

/**
 * Returns the arguments of a call as its model wrote them, if they are not a JSON object. The `input` of such a call is
 * empty. Returns undefined for any other call.
 *
 * **When to use**
 *
 * In a loop of your own, answer such a call with an error result. `Sampler.sample` and `Sampler.step` do so.
 *
 * **Example** (Finding a malformed call)
 *
 * ```ts
 * import { ProviderSampler, ToolLoop } from "@effect-sampling/core"
 *
 * const [call] = ProviderSampler.toolUses([{ id: "1", name: "weather", arguments: "Paris, please" }])
 * ToolLoop.invalidArguments(call!) // => "Paris, please"
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const invalidArguments = (call: ToolUseContent): string | undefined => readInvalidArguments(call)
