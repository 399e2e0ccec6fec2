import type * as Fiber from "effect/Fiber"
import { waitOf } from "./parked.ts"
import type { Wait } from "./parked.ts"
import type { Place } from "./Place.ts"

/** The state of one fiber of a handler. */
export class Branch {
  /** The place of the fiber. It changes while the fiber runs a once-step. */
  place: Place
  /** The fiber, or undefined after it has ended. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** It waits for the run to resume it, with an answer or with the turn of its once-step. */
  isWaiting = false
  /** It was interrupted, and it reacted. */
  isInterrupted = false
  /** The number of its asks after the end of the run. */
  lateAsks = 0
  /**
   * The number of times that it continued after another fiber had run. Children that start in between belong to one
   * operation.
   */
  operation = 0
  /** The number of tasks that it scheduled and that have not started, for example those of fibers that it forked. */
  tasks = 0
  /** The time at which it wakes, if it sleeps, in milliseconds of its clock. */
  wakesAt: number | undefined
  /** The function with which its last operation suspended it, or undefined if that operation did not. */
  register: unknown
  private known: { readonly register: unknown; readonly wait: Wait } | undefined

  /** The number of starts and ends of fibers in the run before it started, and before it ended. */
  readonly startedAt: number
  endedAt = Infinity
  readonly depth: number
  readonly parent: Branch | undefined
  /** The parent's operation that started it, and in which the parent may wait for it. */
  private readonly startedIn: number | undefined

  constructor(place: Place, parent: Branch | undefined, startedIn: number | undefined, startedAt: number) {
    this.place = place
    this.startedAt = startedAt
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.parent = parent
    this.startedIn = startedIn
  }

  /**
   * Notes that it continues after another fiber had run. The old register is forgotten, because a tracer of the author
   * does not tell the new one.
   */
  continues(): void {
    this.operation++
    this.register = undefined
  }

  /** Returns whether it may be doing work that nobody sees, or wakes by `horizon`. */
  isBusy(horizon: number): boolean {
    if (this.tasks > 0) return true
    if (this.isWaiting) return false
    return this.wakesAt === undefined ? this.wait === "work" : this.wakesAt <= horizon
  }

  /** What it waits for, if it is suspended and does not sleep. */
  get wait(): Wait {
    if (this.known === undefined || this.known.register !== this.register) {
      this.known = { register: this.register, wait: waitOf(this.register) }
    }
    return this.known.wait
  }

  /**
   * Returns whether this fiber and another one were alive at the same time, and neither of them started the other,
   * directly or through others.
   */
  isBeside(other: Branch): boolean {
    return !this.isBelow(other) && !other.isBelow(this) &&
      this.startedAt < other.endedAt && other.startedAt < this.endedAt
  }

  /** The parent, if it waits for this fiber now. */
  get awaitedBy(): Branch | undefined {
    return this.parent !== undefined && this.startedIn === this.parent.operation ? this.parent : undefined
  }

  /**
   * Returns whether `isWhole` holds for this fiber, or for an ancestor that waits for it now, directly or through
   * others.
   */
  isPartOf(isWhole: (branch: Branch) => boolean): boolean {
    return isWhole(this) || this.awaitedBy?.isPartOf(isWhole) === true
  }

  private isBelow(other: Branch): boolean {
    return this === other || this.parent?.isBelow(other) === true
  }
}
