/**
 * Samplers for tests. With them an application tests its tools without a model and without an MCP connection.
 *
 * Each Layer records the requests that it receives; read them with {@link requests}. The Layers are provider Layers, so
 * they can also replace a provider in `Sampler.fallback` and `Sampler.always`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ProviderSampler from "./ProviderSampler.ts"
import type { Provider, Sampler } from "./Sampler.ts"
import type { SamplingError } from "./SamplingError.ts"
import { isSamplingError } from "./SamplingError.ts"
import type { SamplingRequest } from "./SamplingRequest.ts"

/**
 * The requests that a test sampler recorded.
 *
 * @category services
 * @since 0.1.0
 */
export class TestSampler extends Context.Service<TestSampler, {
  readonly requests: Effect.Effect<ReadonlyArray<SamplingRequest>>
}>()("@effect-sampling/core/TestSampler") {}

/**
 * Returns the requests so far, in order, as they would have been sent.
 *
 * @category accessors
 * @since 0.1.0
 */
export const requests: Effect.Effect<ReadonlyArray<SamplingRequest>, never, TestSampler> = Effect.flatMap(
  TestSampler,
  (sampler) => sampler.requests
)

/**
 * Answers the requests with the given replies and errors, in order, one for each request. A request after the last
 * reply is a defect, because the test did not expect it.
 *
 * **Example** (Testing an effect that samples)
 *
 * ```ts
 * import { Sampler, SamplingError, TestSampler } from "@effect-sampling/core"
 * import { Effect } from "effect"
 *
 * const sentiment = (text: string) =>
 *   Sampler.sample(`Positive, negative or neutral?\n\n${text}`).pipe(
 *     Effect.map((reply) => reply.text.trim().toLowerCase()),
 *     Effect.catchTag("SamplingRejected", () => Effect.succeed("unknown"))
 *   )
 *
 * const test = Effect.gen(function*() {
 *   const first = yield* sentiment("I love it")
 *   const second = yield* sentiment("I hate it")
 *   const requests = yield* TestSampler.requests
 *   return [first, second, requests.length]
 * }).pipe(
 *   Effect.provide(TestSampler.scripted([" Positive\n", new SamplingError.SamplingRejected({ message: "no" })]))
 * )
 *
 * const results = await Effect.runPromise(test)
 * results // => ["positive", "unknown", 2]
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const scripted = (
  replies: ReadonlyArray<ProviderSampler.Reply | SamplingError>
): Layer.Layer<Sampler | Provider | TestSampler> =>
  fromFunction((_, index) => {
    const reply = replies[index]
    return reply === undefined
      ? Effect.die(
        new Error(`TestSampler.scripted has ${replies.length} replies, but it received request number ${index + 1}`)
      )
      : isSamplingError(reply)
      ? Effect.fail(reply)
      : Effect.succeed(reply)
  })

/**
 * Answers each request with a function of the request and its number, counted from 0.
 *
 * @category layers
 * @since 0.1.0
 */
export const fromFunction = (
  answer: (request: SamplingRequest, index: number) => Effect.Effect<ProviderSampler.Reply, SamplingError>
): Layer.Layer<Sampler | Provider | TestSampler> =>
  Layer.unwrap(Effect.sync(() => {
    const recorded: Array<SamplingRequest> = []
    return Layer.merge(
      Layer.succeed(TestSampler, { requests: Effect.sync(() => recorded.slice()) }),
      ProviderSampler.layer({
        name: "test",
        tools: true,
        createMessage: (request) => Effect.suspend(() => answer(request, recorded.push(request) - 1))
      })
    )
  }))

/**
 * Fails every request with the given error.
 *
 * @category layers
 * @since 0.1.0
 */
export const failing = (error: SamplingError): Layer.Layer<Sampler | Provider | TestSampler> =>
  fromFunction(() => Effect.fail(error))
