import type { InvalidResponse } from "@effect-sampling/core/SamplingError"
import { ProviderError } from "@effect-sampling/core/SamplingError"
import { withAdvice } from "@effect-sampling/core/wire/Advice"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import type OpenAI from "openai"
import type { ChatRequest } from "./ChatRequest.ts"
import { fromErrorBody, fromThrown } from "./failure.ts"
import type { Failure } from "./failure.ts"
import { parseJson } from "./json.ts"
import { timedOut, toReason, toSamplingError } from "./providerError.ts"
import type { SettingNames } from "./providerError.ts"
import { generatedText, inWords, refusalOf } from "./responseFormat.ts"
import { withoutRefusedMedia } from "./resultMedia.ts"
import { idempotencyHeader, isOpenAi, makeVendorClient } from "./vendorClient.ts"
import type { Endpoint } from "./vendorClient.ts"
import { withoutRefusedFields } from "./vendorFields.ts"

type MaxTokensParameter = "max_completion_tokens" | "max_tokens"

interface ChatClientOptions extends Endpoint {
  readonly provider: string
  readonly settings: SettingNames
  readonly timeout: Duration.Duration
  readonly maxRetries: number
  readonly maxTokensParameter: MaxTokensParameter | undefined
}

/** Sends requests for chat completions and returns the body of the answer, not yet decoded. */
export interface ChatClient {
  readonly complete: (
    request: ChatRequest,
    maxTokens: number
  ) => Effect.Effect<unknown, ProviderError | InvalidResponse>
  /** Asks whether the server is there and accepts the key, with a request that every server refuses. */
  readonly check: (model: string) => Effect.Effect<void, ProviderError | InvalidResponse>
  /** Why the settings cannot be used, if they cannot. */
  readonly problem?: ProviderError | undefined
}

export const makeChatClient = (options: ChatClientOptions): Effect.Effect<ChatClient> =>
  Effect.gen(function*(): Effect.fn.Return<ChatClient> {
    const parameter = yield* Ref.make<MaxTokensParameter>(
      options.maxTokensParameter ?? (isOpenAi(options.baseUrl) ? "max_completion_tokens" : "max_tokens")
    )
    const withoutFormat = yield* Ref.make<ReadonlySet<string>>(new Set())
    const vendor = makeVendorClient(options)
    if (Result.isFailure(vendor)) {
      const problem = misconfigured(options, vendor.failure)
      return { complete: () => Effect.fail(problem), check: () => Effect.fail(problem), problem }
    }
    const client = vendor.success
    const attempt = withoutRefused(withFormatOrWords(
      withoutFormat,
      options.maxTokensParameter === undefined
        ? withEitherParameter(client, parameter)
        : (request, maxTokens) =>
          Effect.flatMap(Ref.get(parameter), (name) => send(client, { ...request, [name]: maxTokens }))
    ))
    return {
      complete: (request, maxTokens) =>
        Effect.flatMap(
          Effect.sync(() => crypto.randomUUID()),
          (key) => Effect.provideService(withRetries(options, request.model, attempt(request, maxTokens)), CallKey, key)
        ),
      check: (model) => bounded({ ...options, timeout: Duration.seconds(5) }, model, askNothing(client))
    }
  })

const misconfigured = ({ provider, settings }: ChatClientOptions, problem: string): ProviderError =>
  withAdvice(
    new ProviderError({
      provider,
      reason: "badRequest",
      message: `No request was sent to the provider "${provider}", because its configuration is invalid: ${problem}.`
    }),
    `Check ${settings.baseUrl} and ${settings.apiKey}.`
  )

/** Names the call whose requests are being sent, and stays the same when one of them is sent again. */
const CallKey = Context.Reference<string>("@effect-sampling/openai/internal/chatClient/CallKey", {
  defaultValue: () => ""
})

/** Sends one HTTP request. Interruption aborts it. */
const send = (
  client: OpenAI,
  body: OpenAI.Chat.ChatCompletionCreateParamsNonStreaming
): Effect.Effect<unknown, Failure> =>
  Effect.flatMap(
    CallKey,
    (key) =>
      exchange((signal) => client.chat.completions.create(body, { signal, headers: { [idempotencyHeader]: key } }))
  ).pipe(
    Effect.catch((failure) => {
      const reply = body.response_format === undefined ? undefined : generatedText(failure)
      return reply === undefined ? Effect.fail(failure) : Effect.succeed(reply)
    })
  )

/** Runs a request of the vendor's client, and returns the body of the answer unless it is an error. */
const exchange = (request: (signal: AbortSignal) => PromiseLike<unknown>): Effect.Effect<unknown, Failure> =>
  Effect.tryPromise({ try: request, catch: fromThrown }).pipe(
    // The client returns the body as text if the server does not label it as JSON.
    Effect.map((answer) => typeof answer === "string" ? parseJson(answer) : answer),
    Effect.flatMap((answer) => {
      if (answer === undefined) return Effect.fail<Failure>({ kind: "notJson" })
      const failure = fromErrorBody(answer)
      return failure === undefined ? Effect.succeed(answer) : Effect.fail(failure)
    })
  )

/** Sends a request without a model and messages. A server that refuses it for this reason is there. */
const askNothing = (client: OpenAI): Effect.Effect<void, Failure> =>
  Effect.catch(
    Effect.asVoid(exchange((signal) => client.post("/chat/completions", { body: {}, signal }))),
    (failure) => {
      const reason = toReason(failure)
      const isThere = failure.kind === "status" && reason !== "auth" &&
        (reason !== "notFound" || /model/i.test(failure.text ?? ""))
      return isThere ? Effect.void : Effect.fail(failure)
    }
  )

type Attempt = (request: ChatRequest, maxTokens: number) => Effect.Effect<unknown, Failure>

/**
 * Sends the request again without what the server refuses and can do without: the fields that it wrote into an earlier
 * reply, or the images and audio of tool results.
 */
const withoutRefused = (attempt: Attempt): Attempt => (request, maxTokens) =>
  Effect.catch(attempt(request, maxTokens), (failure) => {
    const without = withoutRefusedFields(request, failure) ?? withoutRefusedMedia(request, failure)
    return without === undefined ? Effect.fail(failure) : attempt(without, maxTokens)
  })

/**
 * Sends the request again with the format in words if the server refuses it. That happens once in a call: a retry has
 * the format in words from the start. Remembers the models for which the server refuses every format, and those for
 * which it refuses every format beside tools.
 */
const withFormatOrWords =
  (withoutFormat: Ref.Ref<ReadonlySet<string>>, attempt: Attempt): Attempt => (request, maxTokens) => {
    if (request.response_format === undefined) return attempt(request, maxTokens)
    const besideTools = `${request.model} beside tools`
    const hasTools = request.tools !== undefined
    const words = attempt(inWords(request), maxTokens)
    let isRefused = false
    const ask = Effect.catch(attempt(request, maxTokens), (failure) => {
      const refusal = refusalOf(failure)
      if (refusal === undefined) return Effect.fail(failure)
      isRefused = true
      return refusal === "this"
        ? words
        : Effect.tap(
          words,
          () => Ref.update(withoutFormat, (models) => new Set([...models, hasTools ? besideTools : request.model]))
        )
    })
    return Effect.flatMap(
      Ref.get(withoutFormat),
      (models) => isRefused || models.has(request.model) || (hasTools && models.has(besideTools)) ? words : ask
    )
  }

/**
 * Sends the limit again under its other name if the server does not know the first, and remembers the name that worked.
 */
const withEitherParameter = (client: OpenAI, parameter: Ref.Ref<MaxTokensParameter>): Attempt => (request, maxTokens) =>
  Effect.flatMap(Ref.get(parameter), (name) =>
    Effect.catchIf(
      send(client, { ...request, [name]: maxTokens }),
      (failure) => isUnknownParameter(failure, name),
      () => {
        const other = name === "max_tokens" ? "max_completion_tokens" : "max_tokens"
        return Effect.tap(send(client, { ...request, [other]: maxTokens }), () => Ref.set(parameter, other))
      }
    ))

/**
 * OpenAI sends the code `unsupported_parameter`; vLLM, Mistral and others only name the parameter in the error text.
 */
const isUnknownParameter = (failure: Failure, name: MaxTokensParameter): boolean =>
  (failure.status === 400 || failure.status === 422) &&
  (failure.param === name || new RegExp(`\\b${name}\\b`).test(failure.text ?? "")) &&
  (failure.code === "unsupported_parameter" || failure.code === "unknown_parameter" ||
    /unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|extra/i.test(
      failure.text ?? ""
    ))

/** Limits the time of an attempt, and converts its failure. */
const bounded = <A>(
  { provider, settings, timeout }: ChatClientOptions,
  model: string,
  attempt: Effect.Effect<A, Failure>
): Effect.Effect<A, ProviderError | InvalidResponse> =>
  attempt.pipe(
    Effect.catch((failure) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.fail(toSamplingError({ provider, model, settings }, failure, now)))
    ),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.fail(timedOut(provider, Duration.toMillis(timeout)))
    })
  )

/** Repeats an attempt that may soon succeed. */
const withRetries = (
  options: ChatClientOptions,
  model: string,
  attempt: Effect.Effect<unknown, Failure>
): Effect.Effect<unknown, ProviderError | InvalidResponse> => {
  const run = (retry: number): Effect.Effect<unknown, ProviderError | InvalidResponse> =>
    Effect.catchIf(
      bounded(options, model, attempt),
      (error) => retry < options.maxRetries && isWorthRetrying(error),
      (error) =>
        Random.next.pipe(
          Effect.flatMap((random) => Effect.sleep(delayMillis(error, retry, random))),
          Effect.andThen(run(retry + 1))
        )
    )
  return run(0)
}

const longestWaitMillis = 60_000

/** A timeout is not retried: the caller has waited long enough, and the first attempt may still cost money. */
const isWorthRetrying = (error: ProviderError | InvalidResponse): error is ProviderError =>
  error._tag === "ProviderError" && error.isRetryable && error.reason !== "timeout" &&
  (error.retryAfterMillis ?? 0) <= longestWaitMillis

/**
 * Returns the wait that the provider asked for. Without one, the wait is half a second, doubled each time up to 8 s,
 * minus a random part of up to a quarter.
 */
const delayMillis = (error: ProviderError | InvalidResponse, retry: number, random: number): number =>
  error._tag === "ProviderError" && error.retryAfterMillis !== undefined
    ? error.retryAfterMillis
    : Math.min(500 * 2 ** retry, 8000) * (1 - random / 4)
