/**
 * A provider that turns any `LanguageModel` of `effect/ai` into a `Sampler`.
 *
 * @since 0.1.0
 */
import * as LanguageModel from "effect/ai/LanguageModel"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { fromAiError } from "./internal/effect-ai/fromAiError.ts"
import { fromParts } from "./internal/effect-ai/responseParts.ts"
import { toPrompt } from "./internal/effect-ai/toPrompt.ts"
import { invalidRequest } from "./internal/request/validateRequest.ts"
import * as ProviderSampler from "./ProviderSampler.ts"
import type { Provider, Sampler } from "./Sampler.ts"
import type { InvalidRequest, SamplingError } from "./SamplingError.ts"
import { InvalidResponse } from "./SamplingError.ts"
import type { SamplingRequest, ToolDefinition } from "./SamplingRequest.ts"

/**
 * Options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The provider's name in `source` and in errors. Use the name in the OpenTelemetry GenAI conventions if there is one.
   */
  readonly name: string
  /**
   * Whether requests may carry tools, tool calls and tool results. Default: true.
   */
  readonly tools?: boolean | undefined
  /**
   * Applies the parts of a request for which `effect/ai` has no option, through the configuration of the model's own
   * package. Default: nothing is applied.
   */
  readonly configure?:
    | ((request: SamplingRequest) => <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>)
    | undefined
}

/**
 * A `Sampler` whose completions come from the `LanguageModel` of `effect/ai` in the context.
 *
 * **Details**
 *
 * - Sent: the system prompt, the messages, the JSON Schemas of the tools, and whether a tool must be called. Tool calls
 *   are not run here; they are part of the answer. Fields that prompts do not have (`_meta`, `annotations`) become
 *   provider options under `sampling`, which other packages do not read.
 * - Not sent, because `effect/ai` has no options for them: `maxTokens`, `temperature`, `stopSequences`,
 *   `modelPreferences` and `metadata`. {@link Options.configure} receives the request and may apply them. Also not
 *   sent: `includeContext`, and the `annotations`, `outputSchema`, `icons`, `execution` and `_meta` of a tool. The
 *   `title` of a tool is sent if it has no description.
 * - The answer holds text, images, audio and tool calls. Reasoning, sources, and the calls and results of the
 *   provider's own tools are left out. A file of another type fails with `InvalidResponse`.
 * - The errors are `ProviderError` with its `reason`, `SamplingUnsupported` for content that the model does not accept,
 *   and `InvalidResponse`. Their messages hold no text that the provider wrote.
 *
 * **Gotchas**
 *
 * MCP requires that `maxTokens` is respected. Without `configure`, the model's own limit applies instead.
 *
 * **Example** (Sampling from a LanguageModel)
 *
 * ```ts
 * import { LanguageModelSampler, Sampler } from "@effect-sampling/core"
 * import { Context, Effect, Layer, Stream } from "effect"
 * import { LanguageModel } from "effect/ai"
 *
 * // Stands for the configuration of a provider's package, such as `OpenAiLanguageModel.withConfigOverride`.
 * const MaxTokens = Context.Reference("MaxTokens", { defaultValue: () => 1000 })
 *
 * const model = Layer.effect(
 *   LanguageModel.LanguageModel,
 *   LanguageModel.make({
 *     generateText: () => Effect.map(MaxTokens, (limit) => [{ type: "text", text: `at most ${limit} tokens` }]),
 *     streamText: () => Stream.empty
 *   })
 * )
 *
 * const layer = LanguageModelSampler.layer({
 *   name: "acme",
 *   configure: (request) => Effect.provideService(MaxTokens, request.maxTokens)
 * }).pipe(Layer.provide(model))
 *
 * const reply = await Effect.runPromise(Sampler.sample("Hi", { maxTokens: 20 }).pipe(Effect.provide(layer)))
 * reply.text // => "at most 20 tokens"
 * reply.source // => { kind: "provider", name: "acme" }
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Sampler | Provider, never, LanguageModel.LanguageModel> =>
  ProviderSampler.layerEffect(
    Effect.map(LanguageModel.LanguageModel, (model) => ({
      name: options.name,
      tools: options.tools ?? true,
      createMessage: (request) => answer(options, model, request)
    }))
  )

const answer = Effect.fnUntraced(function*(
  { configure, name }: Options,
  model: LanguageModel.LanguageModel,
  request: SamplingRequest
): Effect.fn.Return<ProviderSampler.Reply, SamplingError> {
  const toolkit = yield* Effect.fromResult(toToolkit(request))
  const asked = model.generateText({
    prompt: toPrompt(name, request),
    toolkit,
    toolChoice: request.toolChoice?.mode ?? "auto",
    disableToolCallResolution: true,
    // The caller answers a call of a tool that was not offered, so it must not fail here.
    toolCallValidation: "deferred"
  })
  const response = yield* Effect.mapError(
    configure === undefined ? asked : configure(request)(asked),
    (error) => fromAiError(name, error)
  )
  const parts = fromParts(name, response.content)
  return yield* Effect.fromResult(Result.mapError(parts, (problem) => unreadable(name, problem)))
})

const toToolkit = (
  { toolChoice, tools = [] }: SamplingRequest
): Result.Result<Toolkit.Toolkit<Readonly<Record<string, OfferedTool>>>, InvalidRequest> => {
  if (toolChoice?.mode === "required" && tools.length === 0) {
    return Result.fail(invalidRequest(`toolChoice is "required", but there are no tools to choose from`))
  }
  const names = new Set(tools.map(({ name }) => name))
  return names.size < tools.length
    ? Result.fail(invalidRequest("tools: Two tools have the same name"))
    : Result.succeed(Toolkit.make(...tools.map(toTool)))
}

type OfferedTool = ReturnType<typeof toTool>

const toTool = ({ description, inputSchema, name, title }: ToolDefinition) =>
  Tool.dynamic(name, { description: description ?? title, parameters: { ...inputSchema } })

const unreadable = (name: string, problem: string): InvalidResponse =>
  new InvalidResponse({ message: `The provider "${name}" did not return a usable reply: ${problem}.` })
