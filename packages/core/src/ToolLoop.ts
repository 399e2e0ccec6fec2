/**
 * How a model calls tools in the middle of a sample: the options, and what a turn is.
 *
 * @since 0.1.0
 */
import type * as Tool from "effect/ai/Tool"
import type * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ToolResultContent, ToolUseContent } from "./Content.ts"
import type { SamplingMessage } from "./SamplingMessage.ts"
import type { SamplingResponse } from "./SamplingResponse.ts"

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
export interface StepOptions<Tools extends Record<string, Tool.Any>> {
  /**
   * The tools that the model may call. Their handlers come from Layers (`Toolkit.toLayer`).
   */
  readonly toolkit: Toolkit.Toolkit<Tools>
  /**
   * Applies to the first turn; later turns are `auto`, or `none` where it is `none`. Default: `auto`. For a given tool,
   * only that one is offered in the first turn, since MCP cannot name one.
   */
  readonly toolChoice?: ToolChoice<Tools> | undefined
  /**
   * How many calls of one reply run at the same time. Default: 1, in call order. One call of a tool annotated with
   * {@link Sequential} makes it 1 for its reply. Results are always in call order.
   */
  readonly concurrency?: number | "unbounded" | undefined
}

/**
 * Tools for a whole loop.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Tools extends Record<string, Tool.Any>, E = never, R = never> extends StepOptions<Tools> {
  /**
   * The most completions to ask for, a positive integer. Default: 16. In the last turn the model is told to answer
   * without tools; when it still calls one, the loop ends with `TurnLimitExceeded`.
   *
   * Source: MCP 2025-11-25, sampling, "Tool Use in Sampling": both parties should limit iterations, and a server may send
   * `toolChoice: none` in the last one.
   */
  readonly maxTurns?: number | undefined
  /**
   * Runs after each turn in which tools ran. `stop` ends the loop with that turn's reply. Default: go on.
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
   * Counted from 1.
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
 * The failures that tools with `failureMode: "error"` (the default) declare: they end the loop. Those of tools with
 * `failureMode: "return"` go to the model instead.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Failure<Tools extends Record<string, Tool.Any>> = FailureOf<Tools[keyof Tools]>

type FailureOf<T> = T extends Tool.Tool<infer _Name, infer Config, infer _Requirements>
  ? Config["failureMode"] extends "error" ? Config["failure"]["Type"] : never
  : never

/**
 * Annotates a tool whose calls must not run next to others of the same reply.
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
