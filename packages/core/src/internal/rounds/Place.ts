import * as Context from "effect/Context"

/**
 * Where in a handler something happens, so that it is found again in the next run: in which fiber, by who started it in
 * which of its operations, and in which step. Neither speed nor luck changes it.
 */
export class Place {
  readonly path: string
  private forks = 0
  private starts = 0
  private operation: number | undefined
  private siblings = 0
  private readonly foreign = new Map<string, number>()
  private asks = 0
  private doneSteps = 0
  private readonly done = new Map<string, number>()

  constructor(path: string) {
    this.path = path
  }

  /** A child that starts when its turn comes: after the forks before it, but nobody knows what else starts until then. */
  nextFork(): Place {
    return new Place(`${this.path}.f${++this.forks}`)
  }

  /**
   * A child that starts at once. Those that one operation started share its number. How many these are is luck: a race
   * starts no more of them when the first one has ended at once.
   */
  nextStart(operation: number): Place {
    if (operation !== this.operation) {
      this.starts++
      this.siblings = 0
      this.operation = operation
    }
    const sibling = this.siblings++
    return new Place(`${this.path}.${this.starts}${sibling === 0 ? "" : `_${sibling}`}`)
  }

  /** A child that another fiber started: after those that the same one started before it. */
  nextForeign(starter: string): Place {
    const number = (this.foreign.get(starter) ?? 0) + 1
    this.foreign.set(starter, number)
    return new Place(`${this.path}.${starter.replaceAll(/[.~:]/g, "-")}_${number}`)
  }

  nextAsk(): string {
    return `${this.path}:${++this.asks}`
  }

  /** The position of a step. It stays the same until the step succeeds: another attempt is the same step. */
  nextStep(name: string): string {
    return `${this.path}:${this.done.get(name) ?? 0}`
  }

  /** What goes on inside of a step is left out once the step is done, so it must not count outside. */
  insideStep(): Place {
    return new Place(`${this.path}~${this.doneSteps}`)
  }

  stepDone(name: string): void {
    this.doneSteps++
    this.done.set(name, (this.done.get(name) ?? 0) + 1)
  }
}

/** The place of the current fiber. Children start with that of their parent, and get their own before they do anything. */
export const CurrentPlace = Context.Reference<Place>("@effect-sampling/core/internal/rounds/CurrentPlace", {
  defaultValue: () => new Place("")
})

/** The path of the place that a position is in. */
export const pathOf = (at: string): string => at.slice(0, at.lastIndexOf(":"))

/** Whether a position is in a place, or in the fibers and steps that started in it. */
export const isInside = (at: string | undefined, { path }: Place): boolean =>
  at !== undefined && at.startsWith(path) && /^[.~:]/.test(at.slice(path.length))
