import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import { CurrentPlace, Place } from "./Place.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** What one fiber of a handler is doing. */
export class Branch {
  readonly path: string
  /** It waits for something that the round knows of: an answer, or its turn. */
  isWaiting = false
  /** It waits for the children that its last operation started, as `Effect.all`, races and time-outs do. */
  awaitsChildren = false
  liveChildren = 0
  /** It is the root, or the root waits for it, directly or through others: nothing that may outlive the handler. */
  isPart = false
  /** When it goes on by itself, if it sleeps; in milliseconds of its clock. */
  wakesAt: number | undefined
  /** It said that it will sleep; what it does next is to start doing so. */
  fallsAsleep = false

  constructor(path: string) {
    this.path = path
  }
}

/** The branch of a fiber, from its context: children start with that of their parent. */
const CurrentBranch = Context.Reference<Branch | undefined>("@effect-sampling/core/internal/rounds/CurrentBranch", {
  defaultValue: () => undefined
})

/**
 * The fibers of one run of a handler, as its scheduler sees them. A scheduler is asked before each operation of a fiber,
 * so it meets each fiber before it does anything, and it knows when no fiber of the run has anything to do.
 */
export class FiberTree implements Scheduler.Scheduler {
  private readonly scheduler: Scheduler.Scheduler
  private readonly branches = new Map<AnyFiber, Branch>()
  private readonly onIdle: () => void
  private current: AnyFiber | undefined
  private startsTask = false
  private tasks = 0
  private willCheck = false

  /** `onIdle` is called, as a microtask, after something happened and when nothing is left to run. */
  constructor(scheduler: Scheduler.Scheduler, onIdle: () => void) {
    this.scheduler = scheduler
    this.onIdle = onIdle
  }

  get executionMode(): "sync" | "async" {
    return this.scheduler.executionMode
  }

  shouldYield(fiber: AnyFiber): boolean {
    if (fiber !== this.current) this.enter(fiber)
    return this.scheduler.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    const dispatcher = this.scheduler.makeDispatcher()
    return {
      scheduleTask: (task, priority) => {
        this.tasks++
        dispatcher.scheduleTask(() => {
          this.tasks--
          this.startsTask = true
          this.current = undefined
          task()
          this.check()
        }, priority)
      },
      flush: () => dispatcher.flush()
    }
  }

  branchOf(fiber: AnyFiber): Branch {
    return this.branches.get(fiber) ?? fiber.getRef(CurrentBranch) ?? new Branch("")
  }

  /** The fiber goes on when its clock shows this time. */
  sleeps(fiber: AnyFiber, wakesAt: number): void {
    const branch = this.branchOf(fiber)
    branch.wakesAt = wakesAt
    branch.fallsAsleep = true
    this.current = undefined
  }

  /** Whether the fiber of a place, or of a step in it, has not ended. */
  isLive(path: string): boolean {
    const fiberPath = path.replace(/~.*$/, "")
    for (const branch of this.branches.values()) if (branch.path === fiberPath) return true
    return false
  }

  /** Whether a fiber may be at work that is not known of, or wakes before `horizon`. */
  isBusy(horizon: number): boolean {
    for (const branch of this.branches.values()) {
      const isIdle = branch.isWaiting ||
        (branch.awaitsChildren && branch.liveChildren > 0) ||
        (branch.wakesAt !== undefined && branch.wakesAt > horizon)
      if (!isIdle) return true
    }
    return false
  }

  /** Interrupts what `Effect.race` and the like wait for where they cannot be interrupted themselves. */
  interruptParts(): void {
    for (const [fiber, branch] of this.branches) if (branch.isPart) fiber.interruptUnsafe()
  }

  /** Has the round look at itself as soon as nothing is left to run. */
  check(): void {
    if (this.willCheck) return
    this.willCheck = true
    void Promise.resolve().then(() => {
      this.willCheck = false
      if (this.tasks === 0) this.onIdle()
    })
  }

  private enter(fiber: AnyFiber): void {
    this.current = fiber
    const isScheduled = this.startsTask
    this.startsTask = false
    const known = this.branches.get(fiber)
    if (known === undefined) this.add(fiber, isScheduled)
    else if (known.fallsAsleep) {
      known.fallsAsleep = false
      // So that it is met again when it wakes.
      this.current = undefined
    } else {
      known.awaitsChildren = false
      known.wakesAt = undefined
    }
  }

  private add(fiber: AnyFiber, isScheduled: boolean): void {
    const parent = fiber.getRef(CurrentBranch)
    const place = parent === undefined ? new Place("") : fiber.getRef(CurrentPlace).nextChild()
    const branch = new Branch(place.path)
    branch.isPart = parent === undefined
    if (parent !== undefined) {
      parent.liveChildren++
      // It started in the middle of an operation of its parent.
      if (!isScheduled) {
        parent.awaitsChildren = true
        branch.isPart = parent.isPart
      }
    }
    this.branches.set(fiber, branch)
    fiber.setContext(
      fiber.context.pipe(Context.add(CurrentBranch, branch), Context.add(CurrentPlace, place))
    )
    fiber.addObserver(() => {
      this.branches.delete(fiber)
      if (parent !== undefined) parent.liveChildren--
      this.check()
    })
  }
}
