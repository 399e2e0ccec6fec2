import { pathOf } from "./Place.ts"
import type { Counts, Place } from "./Place.ts"

/**
 * How often what has happened by the success of a step, in its place and in those around it, of what happened again since it
 * failed first. Later runs do not make the attempts that failed.
 */
export type Past = ReadonlyArray<Counts>

interface Failure {
  readonly name: string
  readonly places: ReadonlyArray<Place>
  readonly path: string
  readonly counts: ReadonlyArray<Counts>
}

/** The steps of a run that failed. `places` are always that of the step and those around it, from within to without. */
export class Failures {
  private failures: ReadonlyArray<Failure> = []

  add(name: string, places: ReadonlyArray<Place>): void {
    const isKnown = this.failures.some((failure) => failure.name === name && isAttempt(failure, places))
    if (isKnown) return
    const counts = places.map((place) => place.countedFor(name))
    this.failures = [...this.failures, { name, places, path: places[0]!.path, counts }]
  }

  /** After the step has succeeded: its past, if it failed before. */
  takePast(name: string, places: ReadonlyArray<Place>): Past | undefined {
    const failure = this.failures.find((each) => each.name === name && isAttempt(each, places))
    if (failure === undefined) return undefined
    this.failures = this.failures.filter((each) => each !== failure)
    const length = Math.min(places.length, failure.places.length)
    const grownAt = (index: number) => grown(places[index]!.countedFor(name), failure.counts[index]!)
    // What is around the attempts only waited.
    let depth = 1 + places.findIndex((place, index) => place === failure.places[index])
    for (let index = depth; index < length; index++) if (Object.keys(grownAt(index)).length > 0) depth = index + 1
    for (const place of places.slice(0, depth)) place.drawAnew()
    return Array.from({ length: depth }, (_, index) => grownAt(index))
  }
}

/** Whether a step that was recorded there is the one here, after attempts that failed. */
export const comesTo = (
  places: ReadonlyArray<Place>,
  at: string,
  past: Past
): boolean => {
  const path = pathOf(at)
  const own = places[0]!.path
  // How many wait around it is luck, as far as they only wait.
  const outermost = places[Math.min(past.length, places.length) - 1]!.path
  return path.startsWith(outermost) && unnumbered(path) === unnumbered(own) && !isBefore(path, own)
}

/** Goes on from there. */
export const catchUp = (places: ReadonlyArray<Place>, at: string, past: Past): void => {
  let path = pathOf(at)
  for (const [index, counts] of past.entries()) {
    places[index]?.catchUp(path, counts)
    path = path.replace(/[.~][^.~]*$/, "")
  }
}

/** The same place, or another one of the same kind in the same place. */
const isAttempt = (failure: Failure, places: ReadonlyArray<Place>): boolean =>
  places.some((place, index) => place === failure.places[index]) &&
  unnumbered(failure.path) === unnumbered(places[0]!.path)

const grown = (now: Counts, before: Counts): Counts =>
  Object.fromEntries(Object.entries(now).filter(([what, number]) => number > (before[what] ?? 0)))

const numbers = /(?<=[.~])\d+/g

const unnumbered = (path: string): string => path.replaceAll(numbers, "")

/** Of paths that are the same but for their numbers. */
const isBefore = (one: string, other: string): boolean => {
  const others = other.match(numbers) ?? []
  for (const [index, number] of (one.match(numbers) ?? []).entries()) {
    if (number !== others[index]) return Number(number) < Number(others[index])
  }
  return false
}
