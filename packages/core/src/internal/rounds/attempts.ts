import { pathOf } from "./Place.ts"
import type { Counts, Place } from "./Place.ts"

/**
 * The counters that grew between the first failure of a once-step and its success, with their values at the success:
 * for its place and the enclosing places, innermost first. Later runs skip the failed attempts, and set their counters
 * to these values to arrive at the same positions.
 */
export type Past = ReadonlyArray<Counts>

interface Failure {
  readonly name: string
  readonly places: ReadonlyArray<Place>
  readonly path: string
  readonly counts: ReadonlyArray<Counts>
}

/**
 * The failed once-steps of a run. `places` are always the place of the once-step and the enclosing places, innermost
 * first.
 */
export class Failures {
  private failures: ReadonlyArray<Failure> = []

  add(name: string, places: ReadonlyArray<Place>): void {
    const isKnown = this.failures.some((failure) => failure.name === name && isAttempt(failure, places))
    if (isKnown) return
    const counts = places.map((place) => place.countedFor(name))
    this.failures = [...this.failures, { name, places, path: places[0]!.path, counts }]
  }

  /** Returns the past of a once-step that has just succeeded, if it failed before, and forgets the failure. */
  takePast(name: string, places: ReadonlyArray<Place>): Past | undefined {
    const failure = this.failures.find((each) => each.name === name && isAttempt(each, places))
    if (failure === undefined) return undefined
    this.failures = this.failures.filter((each) => each !== failure)
    const length = Math.min(places.length, failure.places.length)
    const grownAt = (index: number) => grown(places[index]!.countedFor(name), failure.counts[index]!)
    // The places around the innermost one that all attempts share only waited, unless their counters grew.
    let depth = 1 + places.findIndex((place, index) => place === failure.places[index])
    for (let index = depth; index < length; index++) if (Object.keys(grownAt(index)).length > 0) depth = index + 1
    for (const place of places.slice(0, depth)) place.drawAnew()
    return Array.from({ length: depth }, (_, index) => grownAt(index))
  }
}

/** Returns whether the once-step that was recorded at `at`, after failed attempts, is the one in these places. */
export const comesTo = (
  places: ReadonlyArray<Place>,
  at: string,
  past: Past
): boolean => {
  const path = pathOf(at)
  const own = places[0]!.path
  // The number of fibers that only wait around it depends on timing, so those places are not compared.
  const outermost = places[Math.min(past.length, places.length) - 1]!.path
  return path.startsWith(outermost) && unnumbered(path) === unnumbered(own) && !isBefore(path, own)
}

/** Advances the places to the position of a record, so the run continues from there. */
export const catchUp = (places: ReadonlyArray<Place>, at: string, past: Past): void => {
  let path = pathOf(at)
  for (const [index, counts] of past.entries()) {
    places[index]?.catchUp(path, counts)
    path = path.replace(/[.~][^.~]*$/, "")
  }
}

/**
 * Returns whether a once-step in these places repeats a failed one: in the same place, or in one of the same kind
 * inside it.
 */
const isAttempt = (failure: Failure, places: ReadonlyArray<Place>): boolean =>
  places.some((place, index) => place === failure.places[index]) &&
  unnumbered(failure.path) === unnumbered(places[0]!.path)

const grown = (now: Counts, before: Counts): Counts =>
  Object.fromEntries(Object.entries(now).filter(([what, number]) => number > (before[what] ?? 0)))

const numbers = /(?<=[.~])\d+/g

const unnumbered = (path: string): string => path.replaceAll(numbers, "")

/** Compares two paths that differ only in their numbers. */
const isBefore = (one: string, other: string): boolean => {
  const others = other.match(numbers) ?? []
  for (const [index, number] of (one.match(numbers) ?? []).entries()) {
    if (number !== others[index]) return Number(number) < Number(others[index])
  }
  return false
}
