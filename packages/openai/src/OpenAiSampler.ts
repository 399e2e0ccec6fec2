/**
 * The provider for OpenAI, and for every server that speaks its Chat Completions API: Ollama, vLLM, LM Studio,
 * llama.cpp, OpenRouter, Azure OpenAI and others.
 *
 * @since 0.1.0
 */
import * as ModelPreferences from "@effect-sampling/core/ModelPreferences"
import * as ProviderSampler from "@effect-sampling/core/ProviderSampler"
import type { Provider, Sampler } from "@effect-sampling/core/Sampler"
import { ProviderError } from "@effect-sampling/core/SamplingError"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import type { SamplingRequest } from "@effect-sampling/core/SamplingRequest"
import * as Advice from "@effect-sampling/core/wire/Advice"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { ChatClient } from "./internal/chatClient.ts"
import { makeChatClient } from "./internal/chatClient.ts"
import { fromChatReply } from "./internal/fromChatReply.ts"
import type { SettingNames } from "./internal/providerError.ts"
import { badSetting, missingSetting, nameSetting, readSetting } from "./internal/settings.ts"
import type { BadSetting } from "./internal/settings.ts"
import { toChatRequest } from "./internal/toChatRequest.ts"
import { makeToolNames } from "./internal/toolNames.ts"
import { endpointOf, isOpenAi } from "./internal/vendorClient.ts"

/**
 * The default model: a small model that accepts `temperature`, stop sequences and images, and that spends no part of
 * `maxTokens` on reasoning.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultModel = "gpt-4.1-mini"

/**
 * The address of the server, the credentials for it, and the settings of its requests. Every field is optional.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The API key, sent as a bearer token. Without a key, requests carry no `Authorization` header: local servers need
   * none, and requests to OpenAI fail with a `ProviderError` of reason `auth`.
   */
  readonly apiKey?: Redacted.Redacted | undefined
  /**
   * The URL of the API, usually ending in `/v1`. Default: `https://api.openai.com/v1`.
   */
  readonly baseUrl?: string | URL | undefined
  /**
   * The model that answers unless the preferences of the request select another one of {@link Options.models}. Default:
   * {@link defaultModel}.
   */
  readonly model?: string | undefined
  /**
   * The models that the hints and priorities of a request may select in addition to `model`. Default: none.
   */
  readonly models?: ReadonlyArray<ModelPreferences.Model | string> | undefined
  /**
   * The value of the header `OpenAI-Organization`. Default: none.
   */
  readonly organization?: string | undefined
  /**
   * The time limit of one attempt. Default: 2 minutes. Node's own `fetch` gives up after 5 minutes without an answer;
   * a larger value here does not change that.
   */
  readonly timeout?: Duration.Input | undefined
  /**
   * How many times a request is sent again after a rate limit, a server error (5xx) or a failed connection. A request
   * is not sent again after a timeout, or when the server asks for a wait of more than a minute. Default: 2.
   *
   * A connection that breaks after the server has read the request leaves open whether a model answered, so a provider
   * may bill such a request twice. Every request carries an `Idempotency-Key`, which stays the same when it is sent
   * again: a gateway that knows this header does not ask the model again. OpenAI documents no such header. Choose 0 to
   * send nothing twice.
   */
  readonly maxRetries?: number | undefined
  /**
   * The largest accepted answer in bytes, after it was decompressed. A larger answer is not read to its end, and the
   * request fails with a `ProviderError` of reason `badRequest`. Default: 33554432 (32 MiB).
   */
  readonly maxReplyBytes?: number | undefined
  /**
   * The name under which the token limit is sent. Default: `max_completion_tokens` for OpenAI and `max_tokens` for
   * other servers. If the server does not know the default name, this request and all later ones use the other name.
   */
  readonly maxTokensParameter?: "max_completion_tokens" | "max_tokens" | undefined
  /**
   * Whether OpenAI stores the completion. Default: not sent, so the setting of the account applies. The `metadata` of a
   * request is sent only when `store` is `true`, because OpenAI refuses it otherwise.
   */
  readonly store?: boolean | undefined
  /**
   * The name of the provider in `source` and in errors. Default: `openai`.
   */
  readonly name?: string | undefined
}

/**
 * A `Sampler` whose completions come from OpenAI or a compatible server.
 *
 * **Details**
 *
 * - Content: text, images (png, jpeg, gif, webp) and audio (wav, mp3) in user messages, tool calls and tool results.
 *   OpenAI accepts only text in a tool result, so images and audio of a result follow all results in a user message, after
 *   a short message of the assistant that strict servers want there. If the server takes none, it gets words in their
 *   place. A request with any other content fails with `SamplingUnsupported` before it is sent.
 * - Tools: OpenAI refuses tool names with dots or with more than 64 characters, and tool call ids with more than 40
 *   characters. Both are replaced in the request; the reply carries the original tool names again.
 * - Stop sequences: at most 4. A request with more fails with `InvalidRequest`.
 * - `metadata`: see {@link Options.store}. Values other than strings are sent as JSON. More than 16 pairs, a key of
 *   more than 64 characters or a value of more than 512 characters fail with `InvalidRequest`.
 * - `responseFormat`, which `sampleObject` sets: sent as a `response_format` of type `json_schema` that is not strict.
 *   If the server refuses the request, it is sent once more with the format described in words in the system prompt. If
 *   the server refuses the format for a model, or beside tools, all later requests of that kind have it in words. Text of
 *   the model that the server refuses because it is not the JSON that was asked for (Groq) is the reply.
 * - Members of a reply's message and its calls that only its server knows (`reasoning_content` of DeepSeek,
 *   `extra_content` of Gemini): they travel with the calls, and only the same server gets them back.
 * - Not sent, because the API has no field for them: `includeContext` (a provider has no context of MCP servers),
 *   `annotations`, `_meta`, and the `outputSchema` of tools.
 * - `stopReason`: `endTurn`, `maxTokens`, `toolUse`, `stopSequence` (if the server reports it), `contentFilter`,
 *   `refusal` (the text is the refusal), or the server's own value for any other reason. A reply that the server broke
 *   off with an error fails with the reason `unavailable`, and one that a filter left empty with `contentFilter`.
 * - Errors: a `ProviderError` with its `reason`, or an `InvalidResponse` if the answer is not a chat completion. Their
 *   messages contain neither keys nor text that the provider wrote.
 * - Redirects: followed only to the same origin. The prompt reaches no other server.
 * - Interruption: interrupting the fiber aborts the HTTP request.
 *
 * **Gotchas**
 *
 * Reasoning models (`gpt-5` and later) refuse `temperature` and stop sequences. They also spend `maxTokens` on
 * reasoning first, so a small limit returns an empty text with the `stopReason` `maxTokens`.
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
  ProviderSampler.layerEffect(Effect.map(makeClient(options, optionNames), (client) => toProvider(options, client)))

/**
 * The fields of {@link Options}, each as a `Config` that reads its value, and what is checked when the Layer is built.
 *
 * @category models
 * @since 0.1.0
 */
export type ConfigOptions =
  & { readonly [Key in keyof Options]?: Config.Config<Options[Key]> | undefined }
  & {
    /**
     * What must be right for the Layer to be built. What is not checked fails the first request.
     *
     * - `settings`, the default: every required variable is set, and the settings are usable.
     * - `server`: also, the server can be reached at `baseUrl` and accepts the key. This sends one request that holds no
     *   prompt and asks no model, and takes 5 seconds at most.
     * - `nothing`: the Layer is always built. Choose this for a provider behind a client that may sample: the server
     *   starts without the key, and only a request that reaches the provider fails, with a `ProviderError` of reason
     *   `auth` or `badRequest`.
     */
    readonly checkAtStart?: "settings" | "server" | "nothing" | undefined
  }

/**
 * Builds {@link layer} with options that are read from `Config`.
 *
 * **Details**
 *
 * | option | default |
 * |---|---|
 * | `apiKey` | `OPENAI_API_KEY`; required unless `baseUrl` points to another server than OpenAI's |
 * | `baseUrl` | `OPENAI_BASE_URL`, or the URL of OpenAI |
 * | `model` | `OPENAI_MODEL`, or {@link defaultModel} |
 * | `organization` | `OPENAI_ORG_ID`, or none |
 *
 * An empty variable counts as absent. A missing key, and settings that cannot be used, fail the Layer with a
 * `ConfigError` that names the variable; {@link ConfigOptions} can change that. Neither this Layer nor the vendor's client reads anything else from the
 * environment.
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
export const layerConfig = (options: ConfigOptions = {}): Layer.Layer<Sampler | Provider, Config.ConfigError> => {
  const provider = Effect.flatMap(
    fromConfig(options),
    ([values, settings]) => makeChecked(values, settings, options.checkAtStart)
  )
  return ProviderSampler.layerEffect(
    options.checkAtStart === "nothing"
      ? Effect.catch(provider, (problem) => misconfigured(options, problem))
      : Effect.mapError(provider, ({ error }) => error)
  )
}

const fromConfig = Effect.fnUntraced(function*(
  options: ConfigOptions
): Effect.fn.Return<readonly [Options, SettingNames], BadSetting> {
  const read = <A>(option: string, config: Config.Config<A> | undefined) => readSetting(option, config ?? none)
  const baseUrl = yield* readSetting("baseUrl", options.baseUrl ?? optional("OPENAI_BASE_URL"))
  const apiKey = yield* readSetting("apiKey", options.apiKey ?? Config.map(optional("OPENAI_API_KEY"), redact))
  const model = yield* readSetting("model", options.model ?? optional("OPENAI_MODEL"))
  if (isOpenAi(baseUrl.value) && isBlank(apiKey.value)) return yield* missingSetting("apiKey", apiKey.variables)
  const values: Options = {
    apiKey: apiKey.value,
    baseUrl: baseUrl.value,
    model: model.value,
    models: (yield* read("models", options.models)).value,
    organization: (yield* read("organization", options.organization ?? optional("OPENAI_ORG_ID"))).value,
    timeout: (yield* read("timeout", options.timeout)).value,
    maxRetries: (yield* read("maxRetries", options.maxRetries)).value,
    maxReplyBytes: (yield* read("maxReplyBytes", options.maxReplyBytes)).value,
    maxTokensParameter: (yield* read("maxTokensParameter", options.maxTokensParameter)).value,
    store: (yield* read("store", options.store)).value,
    name: (yield* read("name", options.name)).value
  }
  return [values, {
    apiKey: nameSetting("apiKey", apiKey.variables),
    baseUrl: nameSetting("baseUrl", baseUrl.variables),
    model: nameSetting("model", model.variables)
  }]
})

const none = Config.succeed(undefined)

const redact = (key: string | undefined): Redacted.Redacted | undefined =>
  key === undefined ? undefined : Redacted.make(key)

const isBlank = (key: Redacted.Redacted | undefined): boolean => key === undefined || Redacted.value(key).trim() === ""

const optional = (name: string): Config.Config<string | undefined> =>
  Config.map(
    Config.option(Config.String(name)),
    (value) => Option.isSome(value) && value.value.trim() !== "" ? value.value.trim() : undefined
  )

/** A provider whose settings are wrong, and which says so when it is asked. */
const misconfigured = (options: ConfigOptions, problem: BadSetting): Effect.Effect<ProviderSampler.Options> =>
  readSetting("name", options.name ?? none).pipe(
    Effect.map(({ value }) => value),
    Effect.orElseSucceed(() => undefined),
    Effect.map((name = defaultName) => ({
      name,
      tools: true,
      jsonSchema: true,
      createMessage: () =>
        Effect.fail(
          Advice.withAdvice(
            new ProviderError({
              provider: name,
              reason: problem.option === "apiKey" ? "auth" : "badRequest",
              message:
                `No request was sent to the provider "${name}", because its ${problem.option} is missing or wrong.`
            }),
            `${problem.error.cause.message}.`
          )
        )
    }))
  )

const defaultName = "openai"

const optionNames: SettingNames = {
  apiKey: nameSetting("apiKey"),
  baseUrl: nameSetting("baseUrl"),
  model: nameSetting("model")
}

const makeClient = (options: Options, settings: SettingNames): Effect.Effect<ChatClient> =>
  makeChatClient({
    provider: options.name ?? defaultName,
    settings,
    apiKey: options.apiKey,
    baseUrl: options.baseUrl,
    organization: options.organization,
    timeout: Duration.fromInputUnsafe(options.timeout ?? "2 minutes"),
    maxRetries: options.maxRetries ?? 2,
    maxReplyBytes: options.maxReplyBytes ?? 32 * 1024 * 1024,
    maxTokensParameter: options.maxTokensParameter
  })

/** Builds the provider after the settings, and the server if wanted, were checked. */
const makeChecked = Effect.fnUntraced(function*(
  options: Options,
  settings: SettingNames,
  check: ConfigOptions["checkAtStart"]
): Effect.fn.Return<ProviderSampler.Options, BadSetting> {
  const client = yield* makeClient(options, settings)
  const fail = (error: SamplingError) => badSetting("baseUrl", `${error.message} ${Advice.of(error) ?? ""}`.trim())
  if (check !== "nothing" && client.problem !== undefined) return yield* fail(client.problem)
  if (check === "server") yield* Effect.catch(client.check(options.model ?? defaultModel), fail)
  return toProvider(options, client)
})

const toProvider = (options: Options, client: ChatClient): ProviderSampler.Options => {
  const name = options.name ?? defaultName
  const model = options.model ?? defaultModel
  return {
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
      store: options.store,
      endpoint: endpointOf(options.baseUrl)
    })
  }
}

interface Answering {
  readonly name: string
  readonly model: string
  readonly models: ReadonlyArray<ModelPreferences.Model>
  readonly store: boolean | undefined
  readonly endpoint: string
}

const answer = (client: ChatClient, { endpoint, model: fallback, models, name: provider, store }: Answering) =>
  Effect.fnUntraced(function*(
    request: SamplingRequest
  ): Effect.fn.Return<ProviderSampler.Reply, SamplingError> {
    const model = ModelPreferences.select(request.modelPreferences, models, fallback)
    const names = makeToolNames(request)
    const body = yield* Effect.fromResult(toChatRequest({ provider, endpoint, model, store }, request, names))
    yield* Effect.annotateCurrentSpan("gen_ai.request.model", model)
    const answer = yield* client.complete(body, request.maxTokens)
    return yield* Effect.fromResult(fromChatReply({ provider, endpoint, model, request, names }, answer))
  })
