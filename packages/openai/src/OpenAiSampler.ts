/**
 * The provider for OpenAI, and for every server that speaks its Chat Completions API: Ollama, vLLM, LM Studio,
 * llama.cpp, OpenRouter, Azure OpenAI and others.
 *
 * @since 0.1.0
 */
import * as ModelPreferences from "@effect-sampling/core/ModelPreferences"
import * as ProviderSampler from "@effect-sampling/core/ProviderSampler"
import type { Provider, Sampler } from "@effect-sampling/core/Sampler"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import type { SamplingRequest } from "@effect-sampling/core/SamplingRequest"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { ChatClient } from "./internal/chatClient.ts"
import { makeChatClient } from "./internal/chatClient.ts"
import { fromChatReply } from "./internal/fromChatReply.ts"
import { toChatRequest } from "./internal/toChatRequest.ts"
import { makeToolNames } from "./internal/toolNames.ts"
import { isOpenAi } from "./internal/vendorClient.ts"

/**
 * The model that answers when none is named: a small one that takes `temperature`, stop sequences and images, and
 * spends none of `maxTokens` on reasoning.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultModel = "gpt-4.1-mini"

/**
 * How to reach the server, and what to ask of it. All are optional.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Sent as a bearer token. Without it no `Authorization` header is sent, as local servers like it; OpenAI answers that
   * with a `ProviderError` of reason `auth`.
   */
  readonly apiKey?: Redacted.Redacted | undefined
  /**
   * Where the API is, usually ending in `/v1`. Default: `https://api.openai.com/v1`.
   */
  readonly baseUrl?: string | URL | undefined
  /**
   * The model that answers unless the request's preferences choose another of {@link Options.models}. Default:
   * {@link defaultModel}.
   */
  readonly model?: string | undefined
  /**
   * The models that a request's hints and priorities may choose, next to `model`. Default: none.
   */
  readonly models?: ReadonlyArray<ModelPreferences.Model | string> | undefined
  /**
   * Sent as `OpenAI-Organization`. Default: none.
   */
  readonly organization?: string | undefined
  /**
   * How long one attempt may take. Default: 2 minutes. Node's `fetch` gives up after 5 minutes without an answer,
   * whatever is set here.
   */
  readonly timeout?: Duration.Input | undefined
  /**
   * How often a request is sent again after it was rate-limited, the server failed (5xx) or the connection did. Not
   * after a timeout, and not when the server asks to wait for more than a minute. Default: 2.
   */
  readonly maxRetries?: number | undefined
  /**
   * Under which name the limit of tokens is sent. Default: `max_completion_tokens` to OpenAI and `max_tokens` to other
   * servers; where the server does not know it, the other one, from then on.
   */
  readonly maxTokensParameter?: "max_completion_tokens" | "max_tokens" | undefined
  /**
   * Whether OpenAI keeps the completion. Default: not sent, so the account's setting holds. The request's `metadata` is
   * sent only with `true`, because OpenAI refuses it otherwise.
   */
  readonly store?: boolean | undefined
  /**
   * The provider's name in `source` and in errors. Default: `openai`.
   */
  readonly name?: string | undefined
}

/**
 * A `Sampler` whose completions come from OpenAI or a compatible server.
 *
 * **Details**
 *
 * - Content: text, images (png, jpeg, gif, webp) and audio (wav, mp3) of the user, tool calls and their results. Images
 *   and audio in a tool result follow it as a user message, since OpenAI takes only text there. Anything else fails with
 *   `SamplingUnsupported`, and nothing is sent.
 * - Tool names that OpenAI does not take (with dots, or over 64 characters) are replaced on the way, and restored in the
 *   reply; so are ids of tool calls over 40 characters.
 * - At most 4 stop sequences; more are an `InvalidRequest`.
 * - `metadata`: see {@link Options.store}. Values that are not strings are sent as JSON; more than 16 pairs, keys over
 *   64 or values over 512 characters are an `InvalidRequest`.
 * - `responseFormat`, which `sampleObject` sets: sent as `response_format` of type `json_schema`, not strict. Where the
 *   server refuses it, the system prompt asks for it in words, from then on for that model.
 * - Not sent, because the API has no place for it: `includeContext` (a provider has no context of MCP servers),
 *   `annotations`, `_meta`, and `outputSchema` of tools.
 * - `stopReason`: `endTurn`, `maxTokens`, `toolUse`, `stopSequence` (where the server tells), `contentFilter`,
 *   `refusal` (the refusal is the text), or the server's own word.
 * - Failures are a `ProviderError` with its `reason`, or an `InvalidResponse` where what came is no chat completion.
 *   Their messages hold neither keys nor anything that the provider wrote.
 * - Interrupting the fiber aborts the HTTP request.
 *
 * **Gotchas**
 *
 * Reasoning models (`gpt-5` and later) refuse `temperature` and stop sequences, and spend `maxTokens` on reasoning
 * first: a small limit gives an empty text with `stopReason` `maxTokens`.
 *
 * Source: OpenAI API reference, "Create chat completion".
 *
 * **Example** (Falling back to OpenAI)
 *
 * ```ts
 * import { ClientSampler, Sampler } from "@effect-sampling/core"
 * import { OpenAiSampler } from "@effect-sampling/openai"
 * import { Redacted } from "effect"
 *
 * const openai = OpenAiSampler.layer({ apiKey: Redacted.make("sk-…"), model: "gpt-4.1-mini" })
 *
 * const layer = Sampler.fallback(ClientSampler.layer, openai)
 * ```
 *
 * **Example** (Using a local server)
 *
 * ```ts
 * import { OpenAiSampler } from "@effect-sampling/openai"
 *
 * const ollama = OpenAiSampler.layer({ name: "ollama", baseUrl: "http://localhost:11434/v1", model: "llama3.2" })
 * ```
 *
 * @see {@link layerConfig} to read the options from the environment
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Sampler | Provider> =>
  ProviderSampler.layerEffect(make(options))

/**
 * The same as {@link Options}, each read by a `Config`.
 *
 * @category models
 * @since 0.1.0
 */
export type ConfigOptions = {
  readonly [Key in keyof Options]?: Config.Config<Options[Key]> | undefined
}

/**
 * {@link layer} with options from `Config`.
 *
 * **Details**
 *
 * | option | default |
 * |---|---|
 * | `apiKey` | `OPENAI_API_KEY`; required unless `baseUrl` is another server's |
 * | `baseUrl` | `OPENAI_BASE_URL`, or OpenAI |
 * | `model` | `OPENAI_MODEL`, or {@link defaultModel} |
 * | `organization` | `OPENAI_ORG_ID`, or none |
 *
 * An empty variable counts as absent. Nothing else is read from the environment, neither here nor by the vendor's client.
 *
 * **Example** (Choosing a server by environment)
 *
 * ```ts
 * import { OpenAiSampler } from "@effect-sampling/openai"
 * import { Config, ConfigProvider, Effect, Layer } from "effect"
 *
 * const layer = OpenAiSampler.layerConfig({ timeout: Config.Duration("OPENAI_TIMEOUT") })
 *
 * const environment = ConfigProvider.layer(
 *   ConfigProvider.fromUnknown({ OPENAI_BASE_URL: "http://localhost:8000/v1", OPENAI_TIMEOUT: "30 seconds" })
 * )
 * const built = await Effect.runPromiseExit(Effect.scoped(Layer.build(Layer.provide(layer, environment))))
 * built._tag // => "Success"
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (options: ConfigOptions = {}): Layer.Layer<Sampler | Provider, Config.ConfigError> =>
  ProviderSampler.layerEffect(Effect.flatMap(fromConfig(options), make))

const fromConfig = Effect.fnUntraced(function*(options: ConfigOptions) {
  const baseUrl = yield* options.baseUrl ?? optional("OPENAI_BASE_URL")
  const apiKey = yield* options.apiKey ??
    (isOpenAi(baseUrl) ? requiredKey : Config.map(optional("OPENAI_API_KEY"), redact))
  return {
    apiKey,
    baseUrl,
    model: yield* options.model ?? optional("OPENAI_MODEL"),
    models: yield* options.models ?? none,
    organization: yield* options.organization ?? optional("OPENAI_ORG_ID"),
    timeout: yield* options.timeout ?? none,
    maxRetries: yield* options.maxRetries ?? none,
    maxTokensParameter: yield* options.maxTokensParameter ?? none,
    store: yield* options.store ?? none,
    name: yield* options.name ?? none
  }
})

const none = Config.succeed(undefined)

const redact = (key: string | undefined): Redacted.Redacted | undefined =>
  key === undefined ? undefined : Redacted.make(key)

const requiredKey = Config.map(Config.NonEmptyString("OPENAI_API_KEY"), redact)

const optional = (name: string): Config.Config<string | undefined> =>
  Config.map(
    Config.option(Config.String(name)),
    (value) => Option.isSome(value) && value.value.trim() !== "" ? value.value.trim() : undefined
  )

const make = (options: Options): Effect.Effect<ProviderSampler.Options> => {
  const name = options.name ?? "openai"
  const model = options.model ?? defaultModel
  return Effect.map(
    makeChatClient({
      provider: name,
      apiKey: options.apiKey,
      baseUrl: options.baseUrl,
      organization: options.organization,
      timeout: Duration.fromInputUnsafe(options.timeout ?? "2 minutes"),
      maxRetries: options.maxRetries ?? 2,
      maxTokensParameter: options.maxTokensParameter
    }),
    (client) => ({
      name,
      tools: true,
      jsonSchema: true,
      createMessage: answer(client, {
        name,
        model,
        models: [
          { name: model },
          ...(options.models ?? []).map((entry) => typeof entry === "string" ? { name: entry } : entry)
        ],
        store: options.store
      })
    })
  )
}

interface Answering {
  readonly name: string
  readonly model: string
  readonly models: ReadonlyArray<ModelPreferences.Model>
  readonly store: boolean | undefined
}

const answer = (client: ChatClient, { model: fallback, models, name: provider, store }: Answering) =>
  Effect.fnUntraced(function*(
    request: SamplingRequest
  ): Effect.fn.Return<ProviderSampler.Reply, SamplingError> {
    const model = ModelPreferences.select(request.modelPreferences, models, fallback)
    const names = makeToolNames(request)
    const body = yield* Effect.fromResult(toChatRequest({ provider, model, store }, request, names))
    yield* Effect.annotateCurrentSpan("gen_ai.request.model", model)
    const answer = yield* client.complete(body, request.maxTokens)
    return yield* Effect.fromResult(fromChatReply({ provider, model, request, names }, answer))
  })
