/**
 * What tools require, and what their calls end with where it is missing: for adapters.
 *
 * @since 0.1.0
 */
import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Client from "../Client.ts"
import type { ClientUnsupported, Requirement } from "../Client.ts"
import { Sampler } from "../Sampler.ts"
import type { SamplingUnsupported } from "../SamplingError.ts"

/**
 * Adds a check to the calls of a handler, which runs before it.
 *
 * @category models
 * @since 0.1.0
 */
export type CheckFirst = <A, E, R>(
  call: Effect.Effect<A, E, R>
) => Effect.Effect<A, E | SamplingUnsupported | ClientUnsupported, R>

/**
 * Returns the check of what a tool requires. `captured` holds the services that its handler captured: its `Sampler`
 * comes before that of the caller.
 *
 * @category getters
 * @since 0.1.0
 */
export const ofTool = (tool: Tool.Any, captured: Context.Context<never>): CheckFirst => {
  const requirements = Context.get(tool.annotations, Client.Requires)
  if (requirements.length === 0) return identity
  const sampler = Context.getOrUndefined(captured, Sampler)
  const check = Client.check(requirements)
  const checkFirst = sampler === undefined ? check : Effect.provideService(check, Sampler, sampler)
  return (call) => Effect.andThen(checkFirst, call)
}

/**
 * Returns the check of requirements. Without any, calls are left as they are.
 *
 * @category getters
 * @since 0.1.0
 */
export const of = (requirements: ReadonlyArray<Requirement>): CheckFirst =>
  requirements.length === 0 ? identity : (call) => Effect.andThen(Client.check(requirements), call)

/**
 * Runs an effect with the settings that a tool's annotations override.
 *
 * @category running
 * @since 0.1.0
 */
export const withSettings = (tool: Tool.Any) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const { annotations } = tool
  return annotations.mapUnsafe.has(Client.MissingCapabilityAs.key)
    ? Effect.provideService(effect, Client.MissingCapabilityAs, Context.get(annotations, Client.MissingCapabilityAs))
    : effect
}
