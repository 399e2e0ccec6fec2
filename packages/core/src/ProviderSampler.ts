/**
 * The constructors that every provider uses: they build a source whose model the server configured.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Content, ToolUseContent } from "./Content.ts"
import { decodeForeign } from "./internal/absentNulls.ts"
import { withAdvice } from "./internal/advice.ts"
import { formatIssue } from "./internal/issues.ts"
import { needsTools } from "./internal/loop/toolPairing.ts"
import { formatInstruction as instruction } from "./internal/objects/formatInstruction.ts"
import { addVendorFields, mapContent, onlyFieldsOf, vendorFieldsOf } from "./internal/ownMeta.ts"
import { recordedCompletion } from "./internal/rounds/recordedCompletion.ts"
import { toStopReason } from "./internal/stopReasons.ts"
import { toToolUses } from "./internal/toolArguments.ts"
import * as Sampler from "./Sampler.ts"
import { InvalidResponse, SamplingUnsupported } from "./SamplingError.ts"
import type { SamplingError } from "./SamplingError.ts"
import type { ResponseFormat, SamplingRequest } from "./SamplingRequest.ts"
import { CreateMessageResult, Usage } from "./SamplingResponse.ts"
import type { SamplingResponse } from "./SamplingResponse.ts"

/**
 * The reply of a provider. A string stands for one text block with the stop reason `endTurn`.
 *
 * @category models
 * @since 0.1.0
 */
export type Reply = string | {
  readonly content: string | Content | ReadonlyArray<Content>
  /**
   * The model that answered. Default: the provider's name.
   */
  readonly model?: string | undefined
  /**
   * Why generation stopped, in MCP's words or in those of the vendor, which {@link stopReason} converts. Default: not
   * reported.
   */
  readonly stopReason?: string | undefined
  readonly usage?: Usage | undefined
}

/**
 * Options of a provider.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The provider's name, for example `openai`. Use the name in the OpenTelemetry GenAI conventions if there is one.
   */
  readonly name: string
  /**
   * Whether requests may carry tools, tool calls and tool results. Default: false.
   */
  readonly tools?: boolean | undefined
  /**
   * Whether `createMessage` follows the `responseFormat` of a request. Default: false; the model is then asked for
   * objects in other ways.
   */
  readonly jsonSchema?: boolean | undefined
  /**
   * Answers a request that has already been validated. The reply is validated as well.
   */
  readonly createMessage: (request: SamplingRequest) => Effect.Effect<Reply, SamplingError>
}

/**
 * A provider Layer that answers with a function.
 *
 * **Example** (Sampling from your own model)
 *
 * ```ts
 * import { ProviderSampler, Sampler } from "@effect-sampling/core"
 * import { Effect } from "effect"
 *
 * const layer = ProviderSampler.layer({
 *   name: "echo",
 *   createMessage: (request) => Effect.succeed(`${request.messages.length} message(s)`)
 * })
 *
 * const reply = await Effect.runPromise(Sampler.sample(["a", "b"]).pipe(Effect.provide(layer)))
 * reply.text // => "2 message(s)"
 * reply.source // => { kind: "provider", name: "echo" }
 * ```
 *
 * @see {@link layerEffect} if an effect has to build the options
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Sampler.Sampler | Sampler.Provider> =>
  Layer.succeedContext(toContext(options))

/**
 * A provider Layer whose options an effect builds, for example one that reads `Config` or opens a connection.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerEffect = <E, R>(
  options: Effect.Effect<Options, E, R>
): Layer.Layer<Sampler.Sampler | Sampler.Provider, E, Exclude<R, Scope.Scope>> =>
  Layer.effectContext(Effect.map(options, toContext))

/**
 * Returns the instruction that asks a model, in words, for an answer that fits a JSON Schema.
 *
 * **When to use**
 *
 * Append it to the system prompt where the server or the model refuses the `responseFormat` of a request. A provider
 * without {@link Options.jsonSchema} does not need it: its requests carry the instruction in place of the format.
 *
 * **Example** (Asking for an object in words)
 *
 * ```ts
 * import { ProviderSampler } from "@effect-sampling/core"
 *
 * const instruction = ProviderSampler.formatInstruction({ type: "object", required: ["name"] })
 * instruction.startsWith("Answer with one JSON value and nothing else") // => true
 * instruction.endsWith(`{"type":"object","required":["name"]}`) // => true
 * ```
 *
 * @category texts
 * @since 0.1.0
 */
export const formatInstruction = (schema: ResponseFormat["schema"]): string => instruction(schema)

/**
 * Returns the stop reason that a vendor's word stands for: `endTurn`, `stopSequence`, `maxTokens` or `toolUse` as in
 * MCP, or else `contentFilter`, `refusal`, `error` or `pause`. A word that is not known is returned unchanged.
 *
 * **Details**
 *
 * Every source converts its stop reasons in this way, so a provider needs it only if it depends on the reason itself. A
 * reply with the reason `error` fails with a `ProviderError` of reason `unavailable`. An empty reply with the reason
 * `contentFilter` or `refusal` fails with a `ProviderError` of reason `contentFilter`.
 *
 * **Example** (Converting a vendor's word)
 *
 * ```ts
 * import { ProviderSampler } from "@effect-sampling/core"
 *
 * ProviderSampler.stopReason("MAX_TOKENS") // => "maxTokens"
 * ProviderSampler.stopReason("house rule") // => "house rule"
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const stopReason = (word: string): string => toStopReason(word) ?? word

/**
 * A tool call as a model wrote it, in a provider's reply.
 *
 * @category models
 * @since 0.1.0
 */
export interface WrittenCall {
  readonly id?: unknown
  readonly name?: unknown
  /**
   * The arguments: an object, or its JSON text.
   */
  readonly arguments?: unknown
}

/**
 * Builds the content blocks of the tool calls of one reply, whatever their model wrote.
 *
 * **Details**
 *
 * No arguments, null and an empty list are an empty object, and an object that was encoded twice is decoded. Other
 * arguments that are not an object make a call that the tool loop answers with an error, which says what is wrong, so
 * that the model can call again. So does a call without a name. A missing or repeated id is replaced.
 *
 * **Example** (Reading calls)
 *
 * ```ts
 * import { ProviderSampler } from "@effect-sampling/core"
 *
 * const [call] = ProviderSampler.toolUses([{ id: 7, name: "weather", arguments: `{"city":"Paris"}` }])
 * call // => { type: "tool_use", id: "7", name: "weather", input: { city: "Paris" } }
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const toolUses = (calls: ReadonlyArray<WrittenCall>): ReadonlyArray<ToolUseContent> => toToolUses(calls)

/**
 * Adds fields of a reply that only its provider understands to a block, so that they travel with it. {@link vendorFields}
 * reads them when the block comes back in a later request.
 *
 * **When to use**
 *
 * Some vendors want a part of their reply back within a tool loop, for example `reasoning_content` (DeepSeek) or a
 * `thought_signature` (Gemini). The fields stay with the block in the loop, in `history` and between rounds. They are
 * removed before a request goes to a client or to a provider of another name, so the fields must be JSON.
 *
 * **Example** (Getting a signature back)
 *
 * ```ts
 * import { ProviderSampler } from "@effect-sampling/core"
 *
 * const [call] = ProviderSampler.toolUses([{ id: "1", name: "weather", arguments: { city: "Paris" } }])
 * const signed = ProviderSampler.withVendorFields(call!, "acme", { signature: "c2ln" })
 * ProviderSampler.vendorFields(signed, "acme") // => { signature: "c2ln" }
 * ProviderSampler.vendorFields(signed, "other") // => undefined
 * ```
 *
 * @category vendor fields
 * @since 0.1.0
 */
export const withVendorFields = <A extends Content>(
  block: A,
  provider: string,
  fields: Readonly<Record<string, unknown>>
): A => addVendorFields(block, provider, fields)

/**
 * Returns the fields that a provider added to a block with {@link withVendorFields}, or undefined if there are none.
 *
 * @category vendor fields
 * @since 0.1.0
 */
export const vendorFields = (block: Content, provider: string): Readonly<Record<string, unknown>> | undefined =>
  vendorFieldsOf(block, provider)

const toContext = (options: Options): Context.Context<Sampler.Sampler | Sampler.Provider> =>
  Context.make(Sampler.Sampler, make(options)).pipe(Context.add(Sampler.Provider, { name: options.name }))

const make = (options: Options): Sampler.Sampler["Service"] =>
  Sampler.make({
    capabilities: Effect.succeed({
      sampling: true,
      tools: options.tools ?? false,
      jsonSchema: options.jsonSchema ?? false
    }),
    check: (requirement) =>
      options.tools !== true && requirement === "sampling.tools" ? Effect.fail(noTools(options.name)) : Effect.void,
    createMessage: (given) => {
      if (options.tools !== true && needsTools(given)) return Effect.fail(noTools(options.name))
      const messages = mapContent(given.messages, onlyFieldsOf(options.name))
      const request = messages === given.messages ? given : { ...given, messages }
      return recordedCompletion(
        options.name,
        request,
        Effect.flatMap(options.createMessage(request), (reply) => checkReply(options.name, reply))
      )
    }
  })

const noTools = (name: string): SamplingUnsupported =>
  withAdvice(
    new SamplingUnsupported({
      missing: "sampling.tools",
      message: `The provider "${name}" does not support tools.`
    }),
    "Sample without tools, or use another provider."
  )

const CheckedReply = Schema.Struct({ ...CreateMessageResult.fields, usage: Schema.optionalKey(Usage) })

const decode = decodeForeign(CheckedReply, { errors: "all" })

const checkReply = (name: string, reply: Reply): Effect.Effect<SamplingResponse, InvalidResponse> => {
  const decoded = decode(toResult(name, reply))
  return Result.isSuccess(decoded)
    ? Effect.succeed({ ...decoded.success, source: { kind: "provider", name }, passedOver: [] })
    : Effect.fail(
      new InvalidResponse({
        message: `The provider "${name}" did not return a valid reply: ${formatIssue(decoded.failure.issue)}`
      })
    )
}

const toResult = (name: string, reply: Reply): unknown => {
  if (typeof reply !== "object" || reply === null) {
    return { role: "assistant", content: textBlock(reply), model: name, stopReason: "endTurn" }
  }
  return {
    role: "assistant",
    content: typeof reply.content === "string" ? textBlock(reply.content) : reply.content,
    model: reply.model ?? name,
    ...(reply.stopReason !== undefined && { stopReason: reply.stopReason }),
    ...(reply.usage !== undefined && { usage: reply.usage })
  }
}

const textBlock = (text: string) => ({ type: "text", text })
