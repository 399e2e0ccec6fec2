import type * as Tool from "effect/ai/Tool"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Content from "../Content.ts"
import type * as ModelPreferences from "../ModelPreferences.ts"
import type { SamplingError } from "../SamplingError.ts"
import type { SamplingMessage } from "../SamplingMessage.ts"
import type * as SamplingPrompt from "../SamplingPrompt.ts"
import type { IncludeContext, SamplingRequest } from "../SamplingRequest.ts"
import type { SamplingResponse, Source, Usage } from "../SamplingResponse.ts"
import type * as ToolLoop from "../ToolLoop.ts"

/**
 * Options of `sample`. All are optional.
 *
 * @category models
 * @since 0.1.0
 */
export interface SampleOptions {
  /**
   * Guides the model. Default: none. Joined after the system messages of an `effect/ai` `Prompt`.
   */
  readonly systemPrompt?: string | undefined
  /**
   * Randomness; commonly 0 to 1, some models take up to 2. Default: the model's own.
   */
  readonly temperature?: number | undefined
  /**
   * The most tokens to generate, a positive integer. Default: 512. A reply cut by it has `truncated: true`.
   */
  readonly maxTokens?: number | undefined
  /**
   * One hint, hints in order, or the whole object with priorities. Default: none.
   */
  readonly modelPreferences?: ModelPreferences.Input | undefined
  /**
   * Asks the client to add context of MCP servers: a hint, which clients may ignore. Deprecated in MCP 2025-11-25; since
   * then it is left out for clients that did not declare `sampling.context`, which is most of them. Default: none.
   */
  readonly includeContext?: IncludeContext | undefined
  /**
   * Texts that end the generation. Default: none.
   */
  readonly stopSequences?: ReadonlyArray<string> | undefined
  /**
   * Passed on to the model's provider as it is. Default: none.
   */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /**
   * A name for this ask, 1 to 100 characters without `#`: its key on the wire where the client is asked in rounds. Then
   * its answer is found again by the name, whatever the prompt. Default: derived from the content.
   */
  readonly key?: string | undefined
}

/**
 * One completion.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sample {
  /**
   * All text blocks, joined without a separator; empty when the reply has none.
   */
  readonly text: string
  /**
   * All content blocks, in order.
   */
  readonly content: ReadonlyArray<Content.Content>
  /**
   * The name of the model that answered.
   */
  readonly model: string
  /**
   * Why generation stopped: `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, another string, or undefined where the
   * source did not tell.
   */
  readonly stopReason: string | undefined
  /**
   * Whether the reply was cut by `maxTokens`.
   */
  readonly truncated: boolean
  /**
   * Who answered.
   */
  readonly source: Source
  /**
   * Why the sources tried before this one did not answer, in order. Empty when the first one answered. A `firstOf` among
   * them that failed as a whole counts as one source, with its last error.
   */
  readonly passedOver: ReadonlyArray<SamplingError>
  /**
   * Tokens used, of all turns together, where the source tells.
   */
  readonly usage: Usage | undefined
  /**
   * The messages sent and received, with every tool call answered: pass it on, with a new message, to continue the
   * conversation. A reply without content is left out. System prompt and options are not part of it: pass them again.
   */
  readonly history: ReadonlyArray<SamplingMessage>
  /**
   * How many completions it took: 1 without tools and repairs.
   */
  readonly turns: number
}

/**
 * One turn of a conversation with tools, from `step`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step extends Sample {
  /**
   * The tool calls of the reply, whatever its stop reason says.
   */
  readonly calls: ReadonlyArray<Content.ToolUseContent>
  /**
   * Their results, in call order; empty when they were not run. Then `history` ends with the calls, and answering them is
   * up to you.
   */
  readonly results: ReadonlyArray<Content.ToolResultContent>
}

/**
 * A completion that fits a schema, from `sampleObject`.
 *
 * @category models
 * @since 0.1.0
 */
export interface SampledObject<A> extends Sample {
  readonly value: A
}

/**
 * Options of `sampleObject`, next to those of `sample`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectOptions {
  /**
   * What the object is called when the model is asked for it. Default: `answer`.
   */
  readonly objectName?: string | undefined
  /**
   * How often an answer that does not fit the schema is sent back, with what is wrong, over the whole call. Default: 2;
   * then it fails with `StructuredOutputError`.
   */
  readonly maxRepairs?: number | undefined
}

/**
 * Options of `step`.
 *
 * @category models
 * @since 0.1.0
 */
export type StepOptions<Tools extends Record<string, Tool.Any>> = SampleOptions & ToolLoop.StepOptions<Tools> & {
  /**
   * Whether the calls are run. Default: true.
   */
  readonly execute?: boolean | undefined
}

/**
 * Options of `sampleObject` with tools. The model must call tools, or give its answer, in every turn.
 *
 * @category models
 * @since 0.1.0
 */
export type ObjectToolOptions<Tools extends Record<string, Tool.Any>> = Omit<
  ToolLoop.Options<Tools>,
  "onTurn" | "toolChoice"
>

/**
 * The services that tools need: their handlers, and what these and their schemas require.
 *
 * @category utility types
 * @since 0.1.0
 */
export type ToolServices<Tools extends Record<string, Tool.Any>> =
  | Tool.HandlersFor<Tools>
  | Tool.HandlerServices<Tools[keyof Tools]>

/**
 * @category models
 * @since 0.1.0
 */
export interface SamplerCapabilities {
  /**
   * Whether it can answer at all.
   */
  readonly sampling: boolean
  /**
   * Whether requests may carry `tools`.
   */
  readonly tools: boolean
  /**
   * Whether it follows the `responseFormat` of a request.
   */
  readonly jsonSchema: boolean
}

/**
 * What a source is: everything else that a `Sampler` offers follows from it.
 */
export interface Primitive {
  /**
   * The one primitive, shaped like MCP `sampling/createMessage`. The request is checked before anything is sent.
   */
  readonly createMessage: (request: SamplingRequest) => Effect.Effect<SamplingResponse, SamplingError>
  /**
   * What can be asked of the source here and now: for the client's model it depends on the connected client.
   */
  readonly capabilities: Effect.Effect<SamplerCapabilities>
}

/**
 * The ways to sample that every `Sampler` offers on top of `createMessage`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Methods {
  /**
   * Asks for one completion; with a `toolkit`, lets the model call tools until it answers.
   *
   * **Details**
   *
   * Calls are run whatever the stop reason says. An unknown tool, wrong arguments, a denied approval, a defect (masked)
   * and the declared failure of a tool with `failureMode: "return"` go to the model as error results. The declared failure
   * of a tool with `failureMode: "error"`, the default of `Tool.make`, fails the sample.
   */
  readonly sample: {
    (prompt: SamplingPrompt.Input, options?: SampleOptions & { readonly toolkit?: never }): Effect.Effect<
      Sample,
      SamplingError
    >
    <Tools extends Record<string, Tool.Any>, E = never, R = never>(
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ToolLoop.Options<Tools, E, R>
    ): Effect.Effect<Sample, SamplingError | ToolLoop.Failure<Tools> | E, ToolServices<Tools> | R>
  }
  /**
   * Asks for one completion that may call tools, and runs the calls, once: the building block of a loop of your own.
   *
   * With `execute: false` the calls are not run, and answering them is up to you. Default: true.
   */
  readonly step: <Tools extends Record<string, Tool.Any>>(
    prompt: SamplingPrompt.Input,
    options: StepOptions<Tools>
  ) => Effect.Effect<Step, SamplingError | ToolLoop.Failure<Tools>, ToolServices<Tools>>
  /**
   * Asks for a value of a Schema, with or without tools on the way.
   *
   * **Details**
   *
   * It works on every source: through the provider's own JSON mode, else through a tool that the model must call in the
   * end, else through an instruction with the JSON Schema. An answer that does not fit is sent back with what is wrong.
   */
  readonly sampleObject: {
    <S extends Schema.Constraint>(
      schema: S,
      prompt: SamplingPrompt.Input,
      options?: SampleOptions & ObjectOptions & { readonly toolkit?: never }
    ): Effect.Effect<SampledObject<S["Type"]>, SamplingError, S["DecodingServices"]>
    <S extends Schema.Constraint, Tools extends Record<string, Tool.Any>>(
      schema: S,
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ObjectOptions & ObjectToolOptions<Tools>
    ): Effect.Effect<
      SampledObject<S["Type"]>,
      SamplingError | ToolLoop.Failure<Tools>,
      ToolServices<Tools> | S["DecodingServices"]
    >
  }
}
