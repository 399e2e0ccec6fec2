import * as Context from "effect/Context"
import type { RunningStep } from "./RunningStep.ts"

/** How often what happened in a place, and in those that it is a part of, by then. */
export type Past = ReadonlyArray<Readonly<Record<string, number>>>

/**
 * Where in a handler something happens, so that it is found again in the next run: in which fiber, by who started it in
 * which of its operations, and in which step. Neither speed nor luck changes it.
 */
export class Place {
  readonly step: RunningStep | undefined
  private name: string
  /** The place that goes no further until this one is left. */
  private readonly whole: Place | undefined
  private readonly counts = new Map<string, number>()
  /** By who started them. These may start while it waits. */
  private readonly foreign = new Map<string, number>()
  private operation: number | undefined
  private siblings = 0

  constructor(path: string, step: RunningStep | undefined, whole: Place | undefined) {
    this.name = path
    this.step = step
    this.whole = whole
  }

  get path(): string {
    return this.name
  }

  /** A child that starts when its turn comes: after the forks before it, but nobody knows what else starts until then. */
  nextFork(): Place {
    return new Place(`${this.path}.f${this.count("f")}`, this.step, undefined)
  }

  /**
   * A child that starts at once, and that is waited for. Those that one operation started share its number. How many these
   * are is luck: a race starts no more of them when the first one has ended at once.
   */
  nextStart(operation: number): Place {
    if (operation !== this.operation) {
      this.count(".")
      this.siblings = 0
      this.operation = operation
    }
    const sibling = this.siblings++
    const path = `${this.path}.${this.counts.get(".")}${sibling === 0 ? "" : `_${sibling}`}`
    return new Place(path, this.step, this)
  }

  /** A child that another fiber started: after those that the same one started before it. */
  nextForeign(starter: Place): Place {
    const by = starter.path.replaceAll(/[.~:]/g, "-")
    const number = (this.foreign.get(by) ?? 0) + 1
    this.foreign.set(by, number)
    return new Place(`${this.path}.${by}_${number}`, starter.step ?? this.step, undefined)
  }

  nextAsk(): string {
    return `${this.path}:${this.count(":")}`
  }

  /** The position of a step. It stays the same until the step succeeds: another attempt is the same step. */
  nextStep(name: string): string {
    return `${this.path}:${this.counts.get(`=${name}`) ?? 0}`
  }

  /** What goes on inside of a step is left out once the step is done, so it must not count outside. */
  insideStep(step: RunningStep): Place {
    return new Place(`${this.path}~${this.counts.get("~") ?? 0}`, step, this)
  }

  stepDone(name: string): void {
    this.count("~")
    this.count(`=${name}`)
  }

  get past(): Past {
    return this.wholes.map(({ counts }) => Object.fromEntries(counts))
  }

  /** Whether what was recorded there was done here, by this attempt or one after it. */
  comesTo(at: string, past: Past): boolean {
    const path = pathOf(at)
    const { wholes } = this
    return past.length === wholes.length && unnumbered(path) === unnumbered(this.path) &&
      path.startsWith(wholes.at(-1)!.path) && !isBefore(path, this.path)
  }

  /**
   * Goes on from where a step was recorded: attempts before it that failed are not made again, so what they counted is
   * counted here.
   */
  catchUp(at: string, past: Past): void {
    let path = pathOf(at)
    for (const [index, place] of this.wholes.entries()) {
      place.name = path
      for (const [what, number] of Object.entries(past[index] ?? {})) {
        place.counts.set(what, Math.max(number, place.counts.get(what) ?? 0))
      }
      path = path.replace(/[.~][^.~]*$/, "")
    }
  }

  /** It, and what it is a part of. */
  private get wholes(): ReadonlyArray<Place> {
    return this.whole === undefined ? [this] : [this, ...this.whole.wholes]
  }

  private count(what: string): number {
    const number = (this.counts.get(what) ?? 0) + 1
    this.counts.set(what, number)
    return number
  }
}

/** The place of the current fiber. Children start with that of their parent, and get their own before they do anything. */
export const CurrentPlace = Context.Reference<Place>("@effect-sampling/core/internal/rounds/CurrentPlace", {
  defaultValue: () => new Place("", undefined, undefined)
})

/** The path of the place that a position is in. */
export const pathOf = (at: string): string => at.slice(0, at.lastIndexOf(":"))

/** Whether a position is in a place, or in the fibers and steps that started in it. */
export const isInside = (at: string | undefined, { path }: Place): boolean =>
  at !== undefined && at.startsWith(path) && /^[.~:]/.test(at.slice(path.length))

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
