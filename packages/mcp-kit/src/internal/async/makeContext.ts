import * as Client from "@effect-sampling/core/Client"
import * as Rounds from "@effect-sampling/core/Rounds"
import * as Sampler from "@effect-sampling/core/Sampler"
import type { SampleOptions } from "@effect-sampling/core/Sampler"
import type * as SamplingPrompt from "@effect-sampling/core/SamplingPrompt"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { SamplingContext } from "../../AsyncHandler.ts"
import { fromAsync } from "./AsyncScope.ts"
import type { AsyncScope } from "./AsyncScope.ts"
import { toJsonValue } from "./toJsonValue.ts"
import { toSchema } from "./toSchema.ts"

/** Builds what an async handler samples and asks with. Its members need no `this`, so they can be destructured. */
export const makeContext = (scope: AsyncScope): SamplingContext => ({
  sample: (prompt: SamplingPrompt.Input, options?: SampleOptions) => scope.run(() => Sampler.sample(prompt, options)),
  sampleObject: (schema, prompt, options) =>
    scope.run(() => Effect.suspend(() => Sampler.sampleObject(toSchema(schema), prompt, options))),
  elicit: (schema, message, options) =>
    scope.run(() => Effect.suspend(() => Client.elicit(toSchema(schema), message, options))),
  roots: (options) => scope.run(() => Client.roots(options)),
  once: (name, f) => scope.run((caller) => once(name, f, caller)),
  get signal() {
    return scope.signal
  }
})

/** JSON has no undefined, which is what a function without a result returns. */
const Outcome = Schema.Struct({ value: Schema.optionalKey(Schema.Json) })

const once = <A>(name: string, f: () => A | PromiseLike<A>, caller: AsyncScope) =>
  Effect.map(
    Rounds.once(
      name,
      Effect.flatMap(fromAsync(f, caller), (value) =>
        value === undefined
          ? Effect.succeed({})
          : Result.match(toJsonValue(value), {
            onSuccess: (json) => Effect.succeed({ value: json }),
            onFailure: (place) => Effect.fail(notJson(name, place))
          })),
      { schema: Outcome }
    ),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the JSON value equals the one that the function returned, but for members that are undefined
    ({ value }) => value as A
  )

const notJson = (name: string, place: string): TypeError =>
  new TypeError(
    `The result of once("${name}") is not JSON at ${place}, so it cannot be kept for later rounds. Return plain data: ` +
      "objects, arrays, strings, finite numbers, booleans and null."
  )
