import * as Context from "effect/Context"

/**
 * The names of the author's scopes (`Rounds.scope`) around the current fiber, outermost first, each with a slash behind
 * it. They stand before the names of once-steps, the keys of asks, and the seeds of random numbers.
 */
export const CurrentScope = Context.Reference<string>("@effect-sampling/core/internal/rounds/CurrentScope", {
  defaultValue: () => ""
})

/** Escapes the characters that separate names, because a name may hold text of a client. */
export const escapeName = (name: string): string => name.replace(/[%/#|]/g, (char) => `%${char.charCodeAt(0)}`)
