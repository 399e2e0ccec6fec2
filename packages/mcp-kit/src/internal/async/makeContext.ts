import * as Client from "@effect-sampling/core/Client"
import * as Rounds from "@effect-sampling/core/Rounds"
import * as Sampler from "@effect-sampling/core/Sampler"
import type { ObjectOptions, SampleOptions } from "@effect-sampling/core/Sampler"
import type * as SamplingPrompt from "@effect-sampling/core/SamplingPrompt"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { AnySchema, SamplingContext } from "../../AsyncHandler.ts"
import { fromAsync } from "./AsyncScope.ts"
import type { AsyncScope } from "./AsyncScope.ts"
import { toJsonValue } from "./toJsonValue.ts"
import type { NotJson } from "./toJsonValue.ts"
import { toSchema } from "./toSchema.ts"

/** Builds what an async handler samples and asks with. Its members need no `this`, so they can be destructured. */
export const makeContext = (scope: AsyncScope): SamplingContext => ({
  sample: (prompt: SamplingPrompt.Input, options?: SampleOptions) => scope.run(() => Sampler.sample(prompt, options)),
  sampleObject: <S extends AnySchema>(
    schema: S,
    prompt: SamplingPrompt.Input,
    options?: SampleOptions & ObjectOptions
  ) => scope.run(() => Effect.suspend(() => Sampler.sampleObject(toSchema(schema), prompt, options))),
  elicit: (schema, message, options) =>
    scope.run(() => Effect.suspend(() => Client.elicit(toSchema(schema), message, options))),
  roots: (options) => scope.run(() => Client.roots(options)),
  once: (name, f) => scope.run((caller) => once(name, f, caller)),
  get signal() {
    return scope.signal
  }
})

/** JSON has no undefined, which is what a function without a result returns. */
const Returned = Schema.Struct({ value: Schema.optionalKey(Schema.Json) })

/** What is kept of an error that a function throws: an error of asking as a whole, of any other what tells it apart. */
const Thrown = Schema.Union([
  Client.ClientAskError,
  Schema.Struct({ name: Schema.String, message: Schema.String, code: Schema.optionalKey(Schema.Json) })
])

const once = <A>(name: string, f: () => A | PromiseLike<A>, caller: AsyncScope) =>
  Rounds.once(
    name,
    Effect.flatMap(Effect.mapError(fromAsync(f, caller), toThrown), (value) =>
      value === undefined
        ? Effect.succeed({})
        : Result.match(toJsonValue(value), {
          onSuccess: (json) => Effect.succeed({ value: json }),
          onFailure: (problem) => Effect.fail(toThrown(notJson(name, problem)))
        })),
    { success: Returned, failure: Thrown }
  ).pipe(
    // The error of the first round is the same kind of object as that of a later one, so `catch` sees no difference.
    // @effect-diagnostics-next-line globalErrorInEffectFailure:off -- the author of an async function catches an `Error`
    Effect.mapError((thrown) => isAskError(thrown) ? thrown : Object.assign(new Error(thrown.message), thrown)),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the JSON value equals the one that the function returned, but for members that are undefined
    Effect.map(({ value }) => value as A)
  )

const isAskError = Schema.is(Client.ClientAskError)

const toThrown = (error: unknown): typeof Thrown.Type => {
  if (isAskError(error)) return error
  if (!(error instanceof Error)) return { name: "Error", message: String(error) }
  const code = Predicate.hasProperty(error, "code") ? toJsonValue(error.code) : undefined
  return {
    name: error.name,
    message: error.message,
    ...(code !== undefined && Result.isSuccess(code) && { code: code.success })
  }
}

const notJson = (name: string, { cure, kind, place }: NotJson): TypeError =>
  new TypeError(
    `The result of once("${name}") contains ${kind} at ${place}, which JSON cannot hold. ${cure}. Later rounds get the ` +
      "result back from JSON, so it is made of objects, arrays, strings, finite numbers, booleans and null."
  )
