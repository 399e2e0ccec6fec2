import type * as Fiber from "effect/Fiber"
import type { Place } from "./Place.ts"

/** What one fiber of a handler is doing. */
export class Branch {
  /** Where the fiber is: in a step of its own, or in none. */
  place: Place
  /** As long as it has not ended. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** It waits for something that the round knows of: an answer, or its turn. */
  isWaiting = false
  /** It was told by an interruption that its asks go no further. */
  isReleased = false
  /** It was interrupted, and went on with that. */
  isInterrupted = false
  /** Others had time to interrupt it. */
  isEnding = false
  /** How often it asked after the end. */
  lateAsks = 0
  /** It waits for the children that its last operation started, as `Effect.all`, races and time-outs do. */
  awaitsChildren = false
  liveChildren = 0
  /** Counts how often it went on after another fiber had run: what it starts in between, one operation starts. */
  operation = 0
  /** When it goes on by itself, if it sleeps; in milliseconds of its clock. */
  wakesAt: number | undefined
  /** It has not paused yet. */
  isNew = true
  /** All that it has done is to go to sleep, as the clock of a time-out does. */
  isTimer = false

  readonly depth: number
  readonly parent: Branch | undefined
  /** The operation of the parent that started it and that the parent may wait in. */
  private readonly startedIn: number | undefined

  constructor(place: Place, parent: Branch | undefined, startedIn: number | undefined) {
    this.place = place
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.parent = parent
    this.startedIn = startedIn
  }

  /** Who started it, if that one waits for it now. */
  get awaitedBy(): Branch | undefined {
    return this.parent !== undefined && this.startedIn === this.parent.operation ? this.parent : undefined
  }

  /** Its place and those around it, from within to without: nothing else goes on there in the meantime. */
  get places(): ReadonlyArray<Place> {
    const places: Array<Place> = []
    for (let place: Place | undefined = this.place; place !== undefined; place = place.outer) places.push(place)
    return [...places, ...this.awaitedBy?.places ?? []]
  }

  /** It is such a one, or such a one started it and waits for it now, directly or through others. */
  isPartOf(isWhole: (branch: Branch) => boolean): boolean {
    return isWhole(this) || this.awaitedBy?.isPartOf(isWhole) === true
  }
}
