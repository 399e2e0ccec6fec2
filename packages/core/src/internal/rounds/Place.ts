import type { RunningStep } from "./RunningStep.ts"

/**
 * The place in a handler where something happens: its fiber, the operation in which the parent started that fiber, and
 * the once-step around it. Timing hardly changes it. It is only a hint, which tells equal asks of several fibers apart.
 */
export class Place {
  readonly step: RunningStep | undefined
  readonly path: string
  private readonly counts = new Map<string, number>()
  private operation: number | undefined
  private siblings = 0

  constructor(path: string, step: RunningStep | undefined) {
    this.path = path
    this.step = step
  }

  /**
   * Returns the place of a forked child. It starts after the forks before it, but other children may start first, so
   * forks have numbers of their own.
   */
  nextFork(): Place {
    return new Place(`${this.path}.f${this.count("f")}`, this.step)
  }

  /**
   * Returns the place of a child that starts at once. The children of one operation share its number. How many there
   * are depends on timing: a race starts no more children after the first one has ended at once.
   */
  nextStart(operation: number): Place {
    if (operation !== this.operation) {
      this.count(".")
      this.siblings = 0
      this.operation = operation
    }
    const sibling = this.siblings++
    return new Place(`${this.path}.${this.counts.get(".")}${sibling === 0 ? "" : `_${sibling}`}`, this.step)
  }

  nextAsk(): string {
    return `${this.path}:${this.count(":")}`
  }

  /**
   * Returns the place inside a once-step. Records from inside are dropped when it succeeds, so they must not count
   * outside.
   */
  insideStep(step: RunningStep): Place {
    return new Place(`${this.path}~${this.counts.get("~") ?? 0}`, step)
  }

  stepDone(): void {
    this.count("~")
  }

  private count(what: string): number {
    const number = (this.counts.get(what) ?? 0) + 1
    this.counts.set(what, number)
    return number
  }
}

/** Returns whether a position is in a place, or in a fiber or once-step that started in it. */
export const isInside = (at: string | undefined, { path }: Place): boolean =>
  at !== undefined && at.startsWith(path) && /^[.~:]/.test(at.slice(path.length))
