/**
 * A `LanguageModel` of `effect/ai` that sends its requests to the `Sampler`. Inside an MCP tool, programs of
 * `effect/ai` then run on the model of the connected client.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as LanguageModel from "effect/ai/LanguageModel"
import type * as Response from "effect/ai/Response"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Content from "./Content.ts"
import { adviceOf, withAdvice } from "./internal/advice.ts"
import { fromProviderOptions } from "./internal/effect-ai/fromProviderOptions.ts"
import { toParts, toStreamParts } from "./internal/effect-ai/responseParts.ts"
import { makeAiError, samplingErrorOf, toReason } from "./internal/effect-ai/toAiError.ts"
import type { Method } from "./internal/effect-ai/toAiError.ts"
import { fromJsonCalls, toJsonPrompt } from "./internal/effect-ai/toolForms.ts"
import { jsonSchemaOf } from "./internal/objects/jsonSchema.ts"
import type { SampleOptions } from "./internal/sampleTypes.ts"
import * as Sampler from "./Sampler.ts"
import type { SamplingError } from "./SamplingError.ts"
import type { SamplingResponse } from "./SamplingResponse.ts"

declare module "effect/ai/Response" {
  /**
   * The facts about an MCP answer for which `effect/ai` has no field.
   *
   * @category models
   * @since 0.1.0
   */
  export interface FinishPartMetadata extends Response.ProviderMetadata {
    /**
     * Present in answers of a `SamplerLanguageModel`: the source that answered, the stop reason in the source's own
     * words, and the error tags of the sources that were tried before.
     */
    readonly sampling?: {
      readonly source: { readonly kind: "client" | "provider" | "host"; readonly name: string }
      readonly stopReason?: string
      readonly passedOver: ReadonlyArray<string>
    }
  }
}

/**
 * The limit of generated tokens when {@link Options} does not set `maxTokens`: 4096. MCP requires a limit in every
 * request, and `effect/ai` has no option for one.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultMaxTokens = 4096

/**
 * The options of MCP sampling that `effect/ai` does not have: `maxTokens`, `temperature`, `modelPreferences` and so on.
 * They apply to every request of the effect that they are provided to. Default: no options, with {@link
 * defaultMaxTokens}.
 *
 * **Example** (Limiting the tokens of a program)
 *
 * ```ts
 * import { SamplerLanguageModel, TestSampler } from "@effect-sampling/core"
 * import { Effect, Layer } from "effect"
 * import { LanguageModel } from "effect/ai"
 *
 * const sampler = TestSampler.scripted(["Paris.", "Rome."])
 * const program = Effect.gen(function*() {
 *   yield* LanguageModel.generateText({ prompt: "The capital of France?" })
 *   yield* LanguageModel.generateText({ prompt: "And of Italy?" }).pipe(
 *     Effect.provideService(SamplerLanguageModel.Options, { maxTokens: 50, temperature: 0 })
 *   )
 *   const requests = yield* TestSampler.requests
 *   return requests.map(({ maxTokens, temperature }) => ({ maxTokens, temperature }))
 * }).pipe(Effect.provide(Layer.provideMerge(SamplerLanguageModel.layer, sampler)))
 *
 * const sent = await Effect.runPromise(program)
 * sent // => [{ maxTokens: 4096, temperature: undefined }, { maxTokens: 50, temperature: 0 }]
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Options: Context.Reference<SampleOptions> = Context.Reference<SampleOptions>(
  "@effect-sampling/core/SamplerLanguageModel/Options",
  { defaultValue: () => ({}) }
)

/**
 * Builds a `LanguageModel` that asks the `Sampler`.
 *
 * @see {@link layer} for the Layer
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<LanguageModel.LanguageModel, never, Sampler.Sampler> = Effect.flatMap(
  Sampler.Sampler,
  (sampler) =>
    LanguageModel.make({
      codecTransformer,
      generateText: (options) =>
        Effect.map(ask(sampler, "generateText", options), ({ json, response }) => toParts(response, json)),
      streamText: (options) =>
        Stream.fromIterableEffect(
          Effect.map(ask(sampler, "streamText", options), ({ response }) => toStreamParts(response))
        )
    })
)

/**
 * A `LanguageModel` that asks the `Sampler`. `generateText`, `generateObject`, `streamText`, `Chat` and toolkits run on
 * it unchanged.
 *
 * **Details**
 *
 * - Prompts: leading system messages become the system prompt. Content that MCP sampling cannot carry (reasoning, files
 *   other than images and audio, URLs, a system message between others) fails with an `InvalidRequestError` that names
 *   its position. Only the provider options under `sampling` are read.
 * - Tools: their JSON Schemas are sent. A tool that a provider defines fails with a `ToolConfigurationError`. MCP has
 *   no way to name the tool to call, so with `{ tool }` and `{ oneOf }` only those tools are offered.
 * - `generateObject`: the JSON Schema goes to the source's own JSON mode if it has one, and into the system prompt
 *   otherwise. The JSON is extracted from the text of the answer, without the prose and code fences around it. An
 *   answer that does not fit the schema fails; `Sampler.sampleObject` can have it repaired.
 * - `streamText`: the complete answer arrives as one chunk, because MCP sampling does not stream.
 * - {@link Options} sets the options that `effect/ai` does not have.
 * - The `finish` part holds the usage, if the source reports it, and names the source under `metadata.sampling`. The
 *   `annotations` and `_meta` of answer blocks are dropped.
 * - Every error is an `AiError`: see {@link samplingError}. Interrupting the effect interrupts the request.
 *
 * **Example** (Running a program of effect/ai)
 *
 * ```ts
 * import { SamplerLanguageModel, TestSampler } from "@effect-sampling/core"
 * import { Effect, Layer } from "effect"
 * import { Chat } from "effect/ai"
 *
 * const program = Effect.gen(function*() {
 *   const chat = yield* Chat.empty
 *   yield* chat.generateText({ prompt: "The capital of France?" })
 *   const response = yield* chat.generateText({ prompt: "And of Italy?" })
 *   return response.text
 * })
 *
 * const model = Layer.provide(SamplerLanguageModel.layer, TestSampler.scripted(["Paris.", "Rome."]))
 * const text = await Effect.runPromise(program.pipe(Effect.provide(model)))
 * text // => "Rome."
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<LanguageModel.LanguageModel, never, Sampler.Sampler> = Layer.effect(
  LanguageModel.LanguageModel,
  make
)

/**
 * Returns the `SamplingError` behind an `AiError` of this `LanguageModel`, even after the `AiError` was encoded and
 * decoded.
 *
 * **Details**
 *
 * | `SamplingError` | reason of the `AiError` | retryable |
 * |---|---|---|
 * | `InvalidRequest`, `SamplingUnsupported` | `InvalidRequestError` | no |
 * | `SamplingRejected`, `ConnectionLost`, `TurnLimitExceeded`, `RoundsExceeded` | `UnknownError` | no
 * |
 * | `InvalidResponse` | `InvalidResponseError` | no |
 * | `StructuredOutputError` | `StructuredOutputError` | yes |
 * | `SamplingTimeout` | `InternalProviderError` | yes |
 * | `ClientError` | `InvalidRequestError` for code -32602, else `InternalProviderError` | no, yes |
 * | `ProviderError` | depends on its `reason`; `retryAfter` is kept | as in the `ProviderError` |
 *
 * **Example** (Distinguishing a user's refusal from other errors)
 *
 * ```ts
 * import { SamplerLanguageModel, SamplingError, TestSampler } from "@effect-sampling/core"
 * import { Effect, Layer, Option } from "effect"
 * import { LanguageModel } from "effect/ai"
 *
 * const model = Layer.provide(
 *   SamplerLanguageModel.layer,
 *   TestSampler.failing(new SamplingError.SamplingRejected({ message: "The user said no." }))
 * )
 * const error = await Effect.runPromise(
 *   LanguageModel.generateText({ prompt: "Hi" }).pipe(Effect.provide(model), Effect.flip)
 * )
 * error.message // => "SamplerLanguageModel.generateText: The user said no."
 * const tag = Option.map(SamplerLanguageModel.samplingError(error), (original) => original._tag)
 * Option.getOrNull(tag) // => "SamplingRejected"
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const samplingError: (error: AiError.AiError) => Option.Option<SamplingError> = samplingErrorOf

/** The JSON Schema describes the JSON form of a value, so the codec decodes that form. */
const codecTransformer: LanguageModel.CodecTransformer = (schema) => ({
  codec: Schema.toCodecJson(schema),
  jsonSchema: jsonSchemaOf(schema)
})

const ask = Effect.fnUntraced(
  function*(sampler: Sampler.Sampler["Service"], method: Method, options: LanguageModel.ProviderOptions) {
    const sampleOptions = yield* Options
    const prompt = yield* toJsonPrompt(options.prompt, options.tools)
    const asked = fromProviderOptions({ ...options, prompt }, {
      ...sampleOptions,
      maxTokens: sampleOptions.maxTokens ?? defaultMaxTokens
    })
    const { format, request } = yield* Effect.mapError(
      Effect.fromResult(asked),
      (reason) => makeAiError(method, reason)
    )
    const answer = yield* Effect.mapError(
      sampler.createMessage(request),
      (error) => withAdviceOf(error, makeAiError(method, toReason(error)))
    )
    const response = yield* fromJsonCalls(answer, options.tools)
    yield* checkCalls(method, options, response)
    const text = Content.text(response.content)
    return { response, json: format === undefined || text === "" ? undefined : yield* format.jsonText(text) }
  }
)

const withAdviceOf = (error: SamplingError, wrapped: AiError.AiError): AiError.AiError => {
  const advice = adviceOf(error)
  return advice === undefined ? wrapped : withAdvice(wrapped, advice)
}

/** Fails on a call of an unknown tool, as the contract of `ProviderOptions.toolCallValidation` requires. */
const checkCalls = (
  method: Method,
  { toolCallValidation, tools }: LanguageModel.ProviderOptions,
  response: SamplingResponse
): Effect.Effect<void, AiError.AiError> => {
  if (toolCallValidation === "deferred") return Effect.void
  const unknown = Content.blocks(response.content).find((block) =>
    block.type === "tool_use" && tools.every(({ name }) => name !== block.name)
  )
  return unknown?.type !== "tool_use"
    ? Effect.void
    : Effect.fail(makeAiError(
      method,
      new AiError.ToolNotFoundError({ toolName: unknown.name, availableTools: tools.map(({ name }) => name) })
    ))
}
