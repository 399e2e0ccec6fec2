import * as Context from "effect/Context"
import type { RunningStep } from "./RunningStep.ts"

/** How often what happened in a place. */
export type Counts = Readonly<Record<string, number>>

/**
 * Where in a handler something happens, so that it is found again in the next run: in which fiber, by who started it in
 * which of its operations, and in which step. Neither speed nor luck changes it.
 */
export class Place {
  readonly step: RunningStep | undefined
  /** Where the step is, if this is the place inside of one. */
  readonly outer: Place | undefined
  /** A step ran here: if it failed in the last run, or fails in this one, what comes after it need not be the same. */
  isUncertain: boolean
  private name: string
  private readonly counts = new Map<string, number>()
  /** By who started them. These may start while it waits. */
  private readonly foreign = new Map<string, number>()
  private operation: number | undefined
  private siblings = 0

  constructor(path: string, options: Pick<Place, "isUncertain" | "outer" | "step"> = outermost) {
    this.name = path
    this.step = options.step
    this.outer = options.outer
    this.isUncertain = options.isUncertain
  }

  get path(): string {
    return this.name
  }

  /** A child that starts when its turn comes: after the forks before it, but nobody knows what else starts until then. */
  nextFork(): Place {
    return this.makeChild(`.f${this.count("f")}`, this.step)
  }

  /**
   * A child that starts at once. Those that one operation started share its number. How many these are is luck: a race starts
   * no more of them when the first one has ended at once.
   */
  nextStart(operation: number): Place {
    if (operation !== this.operation) {
      this.count(".")
      this.siblings = 0
      this.operation = operation
    }
    const sibling = this.siblings++
    return this.makeChild(`.${this.counts.get(".")}${sibling === 0 ? "" : `_${sibling}`}`, this.step)
  }

  /** A child that another fiber started: after those that the same one started before it. */
  nextForeign(starter: Place): Place {
    const by = starter.path.replaceAll(/[.~:]/g, "-")
    const number = (this.foreign.get(by) ?? 0) + 1
    this.foreign.set(by, number)
    return this.makeChild(`.${by}_${number}`, starter.step ?? this.step)
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
    const { isUncertain } = this
    return new Place(`${this.path}~${this.counts.get("~") ?? 0}`, { step, outer: this, isUncertain })
  }

  stepDone(name: string): void {
    this.count("~")
    this.count(`=${name}`)
  }

  /** All but other steps: whoever comes to one of these finds its record, whatever came between. */
  countedFor(stepName: string): Counts {
    return Object.fromEntries([...this.counts].filter(([what]) => !what.startsWith("=") || what === `=${stepName}`))
  }

  /** Goes on from where a step was recorded, after attempts that failed and are not made again. */
  catchUp(path: string, counts: Counts): void {
    this.name = path
    for (const [what, number] of Object.entries(counts)) {
      this.counts.set(what, Math.max(number, this.counts.get(what) ?? 0))
    }
  }

  /** From now on, random numbers do not depend on how many were drawn before. */
  drawAnew(): void {
    this.count("!")
  }

  /** What the random numbers of this place are made from. */
  get source(): string {
    return `${this.path}!${this.counts.get("!") ?? 0}`
  }

  private makeChild(segment: string, step: RunningStep | undefined): Place {
    return new Place(`${this.path}${segment}`, { step, outer: undefined, isUncertain: this.isUncertain })
  }

  private count(what: string): number {
    const number = (this.counts.get(what) ?? 0) + 1
    this.counts.set(what, number)
    return number
  }
}

const outermost = { step: undefined, outer: undefined, isUncertain: false }

/** The place of the current fiber. Children start with that of their parent, and get their own before they do anything. */
export const CurrentPlace = Context.Reference<Place>("@effect-sampling/core/internal/rounds/CurrentPlace", {
  defaultValue: () => new Place("")
})

/** The path of the place that a position is in. */
export const pathOf = (at: string): string => at.slice(0, at.lastIndexOf(":"))

/** Whether a position is in a place, or in the fibers and steps that started in it. */
export const isInside = (at: string | undefined, { path }: Place): boolean =>
  at !== undefined && at.startsWith(path) && /^[.~:]/.test(at.slice(path.length))
