import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { CurrentPlace, Place } from "./Place.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** What one fiber of a handler is doing. */
export class Branch {
  readonly path: string
  /** It waits for something that the round knows of: an answer, or its turn. */
  isWaiting = false
  /** It was told by an interruption that its asks go no further. */
  isReleased = false
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

  constructor(path: string, parent: Branch | undefined, startedIn: number | undefined) {
    this.path = path
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.parent = parent
    this.startedIn = startedIn
  }

  /** It is such a one, or such a one started it and waits for it now, directly or through others. */
  isPartOf(isWhole: (branch: Branch) => boolean): boolean {
    return isWhole(this) ||
      (this.parent !== undefined && this.startedIn === this.parent.operation && this.parent.isPartOf(isWhole))
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
  private readonly neverYields: boolean
  private readonly branches = new Map<AnyFiber, Branch>()
  private readonly onIdle: () => void
  private readonly root = new Branch("", undefined, undefined)
  private hasRoot = false
  private current: AnyFiber | undefined
  /** Of the fiber that runs, or ran last. */
  private running: Branch | undefined
  private startsTask = false
  private tasks = 0
  private willCheck = false
  private busyChecks = 0

  /**
   * `onIdle` is called, as a microtask, after something happened and when nothing is left to run; now and then also where
   * fibers do not stop running.
   */
  constructor(context: Context.Context<never>, onIdle: () => void) {
    this.scheduler = Context.get(context, Scheduler.Scheduler)
    this.neverYields = Context.get(context, Scheduler.PreventSchedulerYield)
    this.onIdle = onIdle
  }

  get executionMode(): "sync" | "async" {
    return this.scheduler.executionMode
  }

  shouldYield(fiber: AnyFiber): boolean {
    if (fiber !== this.current) this.enter(fiber)
    return !this.neverYields && this.scheduler.shouldYield(fiber)
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

  /** What the fiber that runs the handler has to start with. */
  get services(): ReadonlyArray<readonly [key: string, service: unknown]> {
    return [
      [Scheduler.Scheduler.key, this],
      // Where nothing may yield, the scheduler would not be asked.
      [Scheduler.PreventSchedulerYield.key, false],
      [CurrentBranch.key, this.root],
      [CurrentPlace.key, new Place(this.root.path)]
    ]
  }

  branchOf(fiber: AnyFiber): Branch {
    return this.branches.get(fiber) ?? fiber.getRef(CurrentBranch) ?? this.root
  }

  /** The fiber goes on when its clock shows this time. */
  sleeps(fiber: AnyFiber, wakesAt: number): void {
    const branch = this.branchOf(fiber)
    branch.wakesAt = wakesAt
    branch.isTimer = branch.isNew && fiber.currentOpCount <= timerOperations
  }

  wakes(fiber: AnyFiber): void {
    const branch = this.branchOf(fiber)
    branch.wakesAt = undefined
    branch.isTimer = false
  }

  /** Interrupts a fiber. Whether it goes on with that: where it cannot be interrupted, it does not. */
  interrupt(fiber: AnyFiber): boolean {
    const branch = this.branchOf(fiber)
    const { operation } = branch
    this.current = undefined
    fiber.interruptUnsafe()
    return branch.operation !== operation
  }

  /** Whether the fiber of a place, or of a step in it, has not ended. */
  isLive(path: string): boolean {
    const fiberPath = path.replace(/~.*$/, "")
    for (const branch of this.branches.values()) if (branch.path === fiberPath) return true
    return false
  }

  /** Whether a fiber may be at work that is not known of, or wakes before `horizon`. */
  isBusy(horizon: number): boolean {
    return this.tasks > 0 || this.some((branch) => branch.wakesAt === undefined || branch.wakesAt <= horizon)
  }

  /** Whether a fiber may come to something by itself, now or later. Time-outs do not. */
  mayGoOn(horizon: number): boolean {
    return this.isBusy(horizon) || this.some((branch) => !branch.isTimer)
  }

  /** The fibers that the root waits for now, in `Effect.race` and the like. */
  get parts(): ReadonlyArray<AnyFiber> {
    return this.partsOf((branch) => branch === this.root).map(([fiber]) => fiber)
  }

  /** These, those who started them, and the fibers that any of them waits for now; the innermost come first. */
  withStarters(fibers: Iterable<AnyFiber>): ReadonlyArray<ReadonlyArray<AnyFiber>> {
    const lines = new Set<Branch>()
    for (const fiber of fibers) {
      for (let branch: Branch | undefined = this.branchOf(fiber); branch !== undefined; branch = branch.parent) {
        lines.add(branch)
      }
    }
    const byDepth: Array<Array<AnyFiber>> = []
    for (const [fiber, { depth }] of this.partsOf((branch) => lines.has(branch))) (byDepth[depth] ??= []).push(fiber)
    return byDepth.toReversed().filter((group) => group !== undefined)
  }

  /** Has the round look at itself as soon as nothing is left to run. */
  check(): void {
    if (this.willCheck) return
    this.willCheck = true
    void Promise.resolve().then(() => {
      this.willCheck = false
      if (this.tasks > 0 && ++this.busyChecks < manyChecks) return
      this.busyChecks = 0
      this.onIdle()
    })
  }

  private partsOf(isWhole: (branch: Branch) => boolean): ReadonlyArray<readonly [AnyFiber, Branch]> {
    return [...this.branches].filter(([, branch]) => branch !== this.root && branch.isPartOf(isWhole))
  }

  /** Of the fibers that neither wait for the round nor for their children. */
  private some(predicate: (branch: Branch) => boolean): boolean {
    for (const branch of this.branches.values()) {
      if (!branch.isWaiting && !(branch.awaitsChildren && branch.liveChildren > 0) && predicate(branch)) return true
    }
    return false
  }

  private enter(fiber: AnyFiber): void {
    this.current = fiber
    const isScheduled = this.startsTask
    this.startsTask = false
    const known = this.branches.get(fiber)
    this.running = known ?? this.add(fiber, isScheduled)
    if (known === undefined) return
    known.awaitsChildren = false
    known.operation++
    known.isNew = false
  }

  private add(fiber: AnyFiber, isScheduled: boolean): Branch {
    const inherited = fiber.getRef(CurrentBranch)
    const parent = inherited === this.root && !this.hasRoot ? undefined : inherited
    const branch = parent === undefined ? this.root : this.makeChild(fiber, parent, isScheduled)
    this.hasRoot = true
    this.branches.set(fiber, branch)
    fiber.addObserver(() => {
      this.branches.delete(fiber)
      // What its end starts is its own doing, also where it let another fiber run last.
      this.running = branch
      this.current = undefined
      if (parent !== undefined) parent.liveChildren--
      this.check()
    })
    return branch
  }

  private makeChild(fiber: AnyFiber, parent: Branch, isScheduled: boolean): Branch {
    const startedIn = isScheduled ? undefined : parent.operation
    const place = this.placeOf(fiber, parent, startedIn)
    const branch = new Branch(place.path, parent, startedIn)
    parent.liveChildren++
    // It started in the middle of an operation of its parent.
    if (!isScheduled) parent.awaitsChildren = true
    fiber.setContext(fiber.context.pipe(Context.add(CurrentBranch, branch), Context.add(CurrentPlace, place)))
    return branch
  }

  private placeOf(fiber: AnyFiber, parent: Branch, startedIn: number | undefined): Place {
    const place = fiber.getRef(CurrentPlace)
    if (startedIn === undefined) return place.nextFork()
    // A fiber may also be started by another one than the one whose context it has, as those of streams are.
    return this.running === undefined || this.running.isPartOf((branch) => branch === parent)
      ? place.nextStart(startedIn)
      : place.nextForeign(this.running.path)
  }
}

/** At most this many operations of a fiber come before its sleep where `Effect.timeout` and the like start it. */
const timerOperations = 4

/** So many tasks run without a pause only where fibers are at work that does not end soon. */
const manyChecks = 100
