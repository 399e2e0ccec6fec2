import type * as Tool from "effect/ai/Tool"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Content from "../Content.ts"
import type * as ModelPreferences from "../ModelPreferences.ts"
import type { SamplingError, SamplingUnsupported } from "../SamplingError.ts"
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
   * Instructions for the model. They are appended to the system messages of an `effect/ai` `Prompt`. Default: none.
   */
  readonly systemPrompt?: string | undefined
  /**
   * The randomness of the answer: commonly 0 to 1, but some models accept up to 2. Default: the model's own.
   */
  readonly temperature?: number | undefined
  /**
   * The largest number of tokens to generate, a positive integer. Default: 512. A reply that reaches it has `truncated:
   * true`.
   */
  readonly maxTokens?: number | undefined
  /**
   * One hint, hints in order, or the whole object with priorities. Default: none.
   */
  readonly modelPreferences?: ModelPreferences.Input | undefined
  /**
   * Asks the client to add the context of MCP servers. It is a hint, which clients may ignore. MCP 2025-11-25
   * deprecated it; on that revision and newer it is left out for clients that did not declare `sampling.context`, which
   * are most clients. Default: none.
   */
  readonly includeContext?: IncludeContext | undefined
  /**
   * Texts that end the generation. Default: none.
   */
  readonly stopSequences?: ReadonlyArray<string> | undefined
  /**
   * Metadata that is passed to the model's provider unchanged. Default: none.
   */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /**
   * A name for this ask, 1 to 100 characters without `#`. Where the client is asked in rounds, it is the ask's key on
   * the wire, and a later run finds the answer by this name even if the prompt has changed. Fibers that run at the same
   * time must not use one key for different asks: the call ends with `ReplayMismatch`. Default: derived from the content.
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
   * The text of all text blocks, joined without a separator. It is empty if the reply has no text block. Reasoning that
   * a model wrote into its reply (`<think>…</think>`) is no part of it, nor of `content` and `history`.
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
   * Why generation stopped: `endTurn`, `stopSequence`, `maxTokens` or `toolUse`, whatever words the source uses for
   * them; `contentFilter`, `refusal` or `pause`; another string; or undefined if the source did not report it.
   */
  readonly stopReason: string | undefined
  /**
   * Whether the reply was cut off at `maxTokens`.
   */
  readonly truncated: boolean
  /**
   * The source that answered.
   */
  readonly source: Source
  /**
   * The errors of the sources that were tried before this one, in order. It is empty if the first source answered. A
   * nested `firstOf` that failed as a whole counts as one source, with its last error.
   */
  readonly passedOver: ReadonlyArray<SamplingError>
  /**
   * The number of tokens used in all turns together, if the source reports it.
   */
  readonly usage: Usage | undefined
  /**
   * The messages sent and received, with every tool call answered. To continue the conversation, pass them together
   * with a new message. A reply without content is left out, and so is a text block without text. The system prompt and
   * the options are not part of it, so pass them again.
   */
  readonly history: ReadonlyArray<SamplingMessage>
  /**
   * The number of completions that it took: 1 without tools and repairs.
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
   * The tool calls of the reply, regardless of its stop reason. `ToolLoop.invalidArguments` tells the calls whose
   * arguments are not a JSON object.
   */
  readonly calls: ReadonlyArray<Content.ToolUseContent>
  /**
   * The results of the calls, in call order. It is empty if they were not run; in that case `history` ends with the
   * calls, and you have to answer them.
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
 * Options of `sampleObject`, in addition to those of `sample`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectOptions {
  /**
   * The name of the object when the model is asked for it. Default: `answer`.
   */
  readonly objectName?: string | undefined
  /**
   * How many answers that do not fit the schema are sent back, each with its problem, over the whole call. The next one
   * fails with `StructuredOutputError`. Default: 2.
   */
  readonly maxRepairs?: number | undefined
}

/**
 * Options of `step`.
 *
 * @category models
 * @since 0.1.0
 */
export type StepOptions<
  Tools extends Record<string, Tool.Any>,
  ToolkitError = never,
  ToolkitServices = Tool.HandlersFor<Tools>
> =
  & SampleOptions
  & ToolLoop.StepOptions<Tools, ToolkitError, ToolkitServices>
  & {
    /**
     * Whether `step` runs the calls. Default: true.
     */
    readonly execute?: boolean | undefined
  }

/**
 * Options of `sampleObject` with tools. In every turn the model must either call tools or return its answer.
 *
 * @category models
 * @since 0.1.0
 */
export type ObjectToolOptions<
  Tools extends Record<string, Tool.Any>,
  ToolkitError = never,
  ToolkitServices = Tool.HandlersFor<Tools>
> = Omit<ToolLoop.Options<Tools, never, never, ToolkitError, ToolkitServices>, "onTurn" | "toolChoice">

/**
 * The capabilities of a source.
 *
 * @category models
 * @since 0.1.0
 */
export interface SamplerCapabilities {
  /**
   * Whether the source can answer at all.
   */
  readonly sampling: boolean
  /**
   * Whether requests may carry tools, tool calls and tool results.
   */
  readonly tools: boolean
  /**
   * Whether the source follows the `responseFormat` of a request.
   */
  readonly jsonSchema: boolean
}

/**
 * What a handler may need of a source: completions, or completions in which the model may call tools.
 */
export type SamplingRequirement = "sampling" | "sampling.tools"

/**
 * The part of a `Sampler` that each source implements. Everything else that a `Sampler` offers is derived from it.
 */
export interface Primitive {
  /**
   * Answers one request, which has the shape of MCP `sampling/createMessage`. It validates the request before it sends
   * anything.
   *
   * A response whose stop reason says that the generation failed is an error, even if it holds half of a text. So is a
   * response that a content filter or a refusal left without any content. Reasoning blocks (`<think>…</think>`) are
   * removed from the texts of the response.
   */
  readonly createMessage: (request: SamplingRequest) => Effect.Effect<SamplingResponse, SamplingError>
  /**
   * Returns the capabilities of the source for the current fiber. Those of the client's model depend on the connected
   * client.
   */
  readonly capabilities: Effect.Effect<SamplerCapabilities>
  /**
   * Fails if a request that needs this would fail before anything is sent, with the error of that request. Of several
   * sources one suffices.
   */
  readonly check: (requirement: SamplingRequirement) => Effect.Effect<void, SamplingUnsupported>
}

/**
 * The ways to sample that every `Sampler` offers on top of `createMessage`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Methods {
  /**
   * Asks for one completion. With a `toolkit`, the model may call tools until it answers.
   *
   * **Details**
   *
   * Tool calls are run regardless of the stop reason. The model receives an error result for an unknown tool, for
   * invalid arguments, for a denied approval, for a defect (masked), and for the declared failure of a tool with
   * `failureMode: "return"`. The declared failure of a tool with `failureMode: "error"`, the default of `Tool.make`,
   * fails the sample.
   */
  readonly sample: {
    (prompt: SamplingPrompt.Input, options?: SampleOptions & { readonly toolkit?: never }): Effect.Effect<
      Sample,
      SamplingError
    >
    <Tools extends Record<string, Tool.Any>, E = never, R = never, ToolkitError = never, ToolkitServices = never>(
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ToolLoop.Options<Tools, E, R, ToolkitError, ToolkitServices>
    ): Effect.Effect<
      Sample,
      SamplingError | ToolLoop.Failure<Tools> | E | ToolkitError,
      Tool.HandlerServices<Tools[keyof Tools]> | R | ToolkitServices
    >
  }
  /**
   * Asks for one completion that may call tools, and runs its calls. It is one turn, the building block of a loop of
   * your own.
   *
   * With `execute: false` the calls are not run, and you have to answer them. Default: true.
   */
  readonly step: <Tools extends Record<string, Tool.Any>, ToolkitError = never, ToolkitServices = never>(
    prompt: SamplingPrompt.Input,
    options: StepOptions<Tools, ToolkitError, ToolkitServices>
  ) => Effect.Effect<
    Step,
    SamplingError | ToolLoop.Failure<Tools> | ToolkitError,
    Tool.HandlerServices<Tools[keyof Tools]> | ToolkitServices
  >
  /**
   * Asks for a value of a Schema, with or without tools on the way.
   *
   * **Details**
   *
   * It works on every source: through the provider's own JSON mode, else through a tool that the model must call in the
   * end, else through an instruction with the JSON Schema. An answer that does not fit is sent back together with its
   * problem.
   */
  readonly sampleObject: {
    <S extends Schema.Constraint>(
      schema: S,
      prompt: SamplingPrompt.Input,
      options?: SampleOptions & ObjectOptions & { readonly toolkit?: never }
    ): Effect.Effect<SampledObject<S["Type"]>, SamplingError, S["DecodingServices"]>
    <
      S extends Schema.Constraint,
      Tools extends Record<string, Tool.Any>,
      ToolkitError = never,
      ToolkitServices = never
    >(
      schema: S,
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ObjectOptions & ObjectToolOptions<Tools, ToolkitError, ToolkitServices>
    ): Effect.Effect<
      SampledObject<S["Type"]>,
      SamplingError | ToolLoop.Failure<Tools> | ToolkitError,
      Tool.HandlerServices<Tools[keyof Tools]> | ToolkitServices | S["DecodingServices"]
    >
  }
}
