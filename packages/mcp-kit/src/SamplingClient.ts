/**
 * Lets a client of any SDK answer sampling requests.
 *
 * @since 0.1.0
 */
import * as Sampler from "@effect-sampling/core/Sampler"
import type { SamplingRequest } from "@effect-sampling/core/SamplingRequest"
import type { CreateMessageResult } from "@effect-sampling/core/SamplingResponse"
import * as Effect from "effect/Effect"
import { dropNullsOf } from "./internal/dropNulls.ts"
import type { Peer } from "./internal/dropNulls.ts"
import * as SamplingAnswer from "./internal/samplingAnswer.ts"
import type { Options } from "./internal/samplingAnswer.ts"

export type {
  /**
   * The options of a client that answers sampling requests.
   *
   * @category models
   * @since 0.1.0
   */
  Options
} from "./internal/samplingAnswer.ts"

/**
 * Registers the sampling capability of a client, and the function that answers `sampling/createMessage` requests.
 *
 * @category models
 * @since 0.1.0
 */
export type Register = (
  sampling: { readonly tools?: Record<string, never>; readonly context?: Record<string, never> },
  answer: (params: object, signal: AbortSignal) => Promise<CreateMessageResult>
) => void

/**
 * Lets a client answer the server's sampling requests with the `Sampler` in the context. The client must not be
 * connected yet.
 *
 * @category serving
 * @since 0.1.0
 */
export const serve = <R>(
  client: Peer,
  register: Register,
  options: Options<R>
): Effect.Effect<void, never, Sampler.Sampler | R> =>
  Effect.gen(function*() {
    dropNullsOf(client)
    const sampler = yield* Sampler.Sampler
    const run = Effect.runPromiseWith(yield* Effect.context<R>())
    register(
      yield* SamplingAnswer.capability(sampler, options),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the sampler validates the request against its Schema
      (params, signal) => run(SamplingAnswer.make(sampler, options, params as SamplingRequest), { signal })
    )
  })
