/**
 * The model preferences of a server, and the selection of a model by them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const Priority = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/**
 * One hint: `name` is matched as a substring of model names.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ModelHint = Schema.Struct({ name: Schema.optionalKey(Schema.String) })

/**
 * @category models
 * @since 0.1.0
 */
export type ModelHint = typeof ModelHint.Type

/**
 * Hints in order of preference, and how much cost, speed and intelligence matter, each from 0 (not at all) to 1 (most).
 * They are advisory: the source that answers may choose another model.
 *
 * Source: MCP `ModelPreferences`, all revisions.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ModelPreferences = Schema.Struct({
  hints: Schema.optionalKey(Schema.Array(ModelHint)),
  costPriority: Schema.optionalKey(Priority),
  speedPriority: Schema.optionalKey(Priority),
  intelligencePriority: Schema.optionalKey(Priority)
})

/**
 * @category models
 * @since 0.1.0
 */
export type ModelPreferences = typeof ModelPreferences.Type

/**
 * Model preferences in the forms that `Sampler.sample` accepts: one hint, hints in order, or the whole object.
 *
 * @category models
 * @since 0.1.0
 */
export type Input = string | ReadonlyArray<string> | ModelPreferences

/**
 * Converts an {@link Input} to the wire object.
 *
 * **Example** (Giving hints in order)
 *
 * ```ts
 * import { ModelPreferences } from "@effect-sampling/core"
 *
 * ModelPreferences.make(["claude-sonnet", "gpt"]) // => { hints: [{ name: "claude-sonnet" }, { name: "gpt" }] }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (input: Input): ModelPreferences =>
  typeof input === "string"
    ? { hints: [{ name: input }] }
    : isHints(input)
    ? { hints: input.map((name) => ({ name })) }
    : input

// Array.isArray does not narrow readonly arrays.
const isHints = (input: Input): input is ReadonlyArray<string> => Array.isArray(input)

/**
 * A model that a provider offers. The three grades range from 0 to 1, and higher is better: a `cost` of 1 is the
 * cheapest. A missing grade counts as 0.5.
 *
 * @category models
 * @since 0.1.0
 */
export interface Model {
  readonly name: string
  readonly cost?: number | undefined
  readonly speed?: number | undefined
  readonly intelligence?: number | undefined
}

/**
 * Returns the name of the model that fits the preferences best, among those that a provider offers.
 *
 * **Details**
 *
 * - Hints come first, in order: the first hint that is a substring of an offered model's name decides (MCP: "hints are
 *   evaluated in order, with the first match taken"). Case does not matter. If several models match that hint, an exact
 *   name wins, then the priorities decide, then the order of `models`.
 * - If no hint matches, the priorities decide among the models that have grades, by the sum of priority times grade. If
 *   no model has grades, or no priority is above 0, the result is `fallback`.
 *
 * **Example** (Following hints and priorities)
 *
 * ```ts
 * import { ModelPreferences } from "@effect-sampling/core"
 *
 * const models = [
 *   { name: "gpt-large", intelligence: 1, cost: 0.1 },
 *   { name: "gpt-small", intelligence: 0.4, cost: 1 }
 * ]
 * ModelPreferences.select({ hints: [{ name: "small" }] }, models, "gpt-large") // => "gpt-small"
 * ModelPreferences.select({ costPriority: 1 }, models, "gpt-large") // => "gpt-small"
 * ModelPreferences.select({ hints: [{ name: "claude" }] }, models, "gpt-large") // => "gpt-large"
 * ```
 *
 * @category selecting
 * @since 0.1.0
 */
export const select = (
  preferences: ModelPreferences | undefined,
  models: ReadonlyArray<Model>,
  fallback: string
): string => {
  if (preferences === undefined) return fallback
  for (const hint of preferences.hints ?? []) {
    const name = hint.name?.toLowerCase()
    if (name === undefined || name === "") continue
    const matching = models.filter((model) => model.name.toLowerCase().includes(name))
    if (matching.length > 0) {
      return (matching.find((model) => model.name.toLowerCase() === name) ?? best(preferences, matching)).name
    }
  }
  const graded = hasPriorities(preferences) ? models.filter(hasGrades) : []
  return graded.length > 0 ? best(preferences, graded).name : fallback
}

const hasPriorities = (preferences: ModelPreferences): boolean =>
  [preferences.costPriority, preferences.speedPriority, preferences.intelligencePriority]
    .some((priority) => priority !== undefined && priority > 0)

const hasGrades = (model: Model): boolean => (model.cost ?? model.speed ?? model.intelligence) !== undefined

const score = (preferences: ModelPreferences, model: Model): number =>
  (preferences.costPriority ?? 0) * (model.cost ?? 0.5) +
  (preferences.speedPriority ?? 0) * (model.speed ?? 0.5) +
  (preferences.intelligencePriority ?? 0) * (model.intelligence ?? 0.5)

const best = (preferences: ModelPreferences, models: ReadonlyArray<Model>): Model =>
  models.reduce((winner, model) => score(preferences, model) > score(preferences, winner) ? model : winner)
