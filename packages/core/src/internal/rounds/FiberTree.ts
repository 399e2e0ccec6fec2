import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { Branch } from "./Branch.ts"
import { CurrentPlace, Place } from "./Place.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

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
  private readonly root = new Branch(new Place(""), undefined, undefined)
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
      [CurrentPlace.key, this.root.place]
    ]
  }

  branchOf(fiber: AnyFiber): Branch {
    return this.branches.get(fiber) ?? fiber.getRef(CurrentBranch) ?? this.root
  }

  /** Not from its context, which may have been captured elsewhere. */
  placeOf(fiber: AnyFiber): Place {
    return this.branches.get(fiber)?.place ?? fiber.getRef(CurrentPlace)
  }

  /** The place of a fiber and those around it, from within to without. */
  placesOf(fiber: AnyFiber): ReadonlyArray<Place> {
    return this.branches.get(fiber)?.places ?? [fiber.getRef(CurrentPlace)]
  }

  /** The fiber begins or ends a step. What it forks there finds the place in its context. */
  moves(fiber: AnyFiber, place: Place): void {
    const branch = this.branches.get(fiber)
    if (branch !== undefined) branch.place = place
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
    if (branch.isInterrupted) return true
    const { operation } = branch
    this.current = undefined
    fiber.interruptUnsafe()
    branch.isInterrupted = branch.fiber === undefined || branch.operation !== operation
    return branch.isInterrupted
  }

  /** Whether the fiber of a place, or of a step in it, has not ended. */
  isLive(path: string): boolean {
    const fiberPath = outsideSteps(path)
    for (const { place } of this.branches.values()) if (outsideSteps(place.path) === fiberPath) return true
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

  /** Who started a fiber, and who started that one, but for the root and for who has ended; the outermost comes first. */
  startersOf(fiber: AnyFiber): ReadonlyArray<AnyFiber> {
    const starters: Array<AnyFiber> = []
    for (let branch = this.branchOf(fiber).parent; branch !== undefined; branch = branch.parent) {
      if (branch !== this.root && branch.fiber !== undefined) starters.push(branch.fiber)
    }
    return starters.toReversed()
  }

  /**
   * These, those who started them, and the fibers that any of them waits for now; the innermost come first. What the root
   * waits for may be left out, unless it waits for these.
   */
  withStarters(fibers: Iterable<AnyFiber>, root: "with root" | "without root"): ReadonlyArray<ReadonlyArray<AnyFiber>> {
    const lines = new Set<Branch>()
    for (const fiber of fibers) {
      const first = this.branchOf(fiber)
      const hasRoot = root === "with root" || first.isPartOf((branch) => branch === this.root)
      for (let branch: Branch | undefined = first; branch !== undefined; branch = branch.parent) {
        if (branch !== this.root || hasRoot) lines.add(branch)
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
    const branch = this.hasRoot ? this.makeChild(fiber, isScheduled) : this.root
    this.hasRoot = true
    branch.fiber = fiber
    this.branches.set(fiber, branch)
    fiber.addObserver(() => {
      this.branches.delete(fiber)
      branch.fiber = undefined
      // What its end starts is its own doing, also where it let another fiber run last.
      this.running = branch
      this.current = undefined
      if (branch.parent !== undefined) branch.parent.liveChildren--
      this.check()
    })
    return branch
  }

  private makeChild(fiber: AnyFiber, isScheduled: boolean): Branch {
    const starter = isScheduled ? this.forkerOf(fiber) : this.starterOf(fiber)
    const parent = starter ?? fiber.getRef(CurrentBranch) ?? this.root
    const from = starter?.place ?? fiber.getRef(CurrentPlace)
    const startedIn = isScheduled ? undefined : parent.operation
    const place = startedIn === undefined ? from.nextFork() : this.nextStart(parent, from, startedIn)
    const branch = new Branch(place, parent, startedIn)
    parent.liveChildren++
    // It started in the middle of an operation of its parent.
    if (!isScheduled) parent.awaitsChildren = true
    fiber.setContext(fiber.context.pipe(Context.add(CurrentBranch, branch), Context.add(CurrentPlace, place)))
    return branch
  }

  /** Who starts a fiber, by the context that they share: what else is in the context may have been captured elsewhere. */
  private starterOf({ context }: AnyFiber): Branch | undefined {
    let starter = this.running
    while (starter !== undefined && starter.fiber?.context !== context) starter = starter.awaitedBy
    return starter
  }

  /** Who forked a fiber, if that one has not gone on to another context. */
  private forkerOf(fiber: AnyFiber): Branch | undefined {
    const inherited = fiber.getRef(CurrentBranch)
    if (inherited?.fiber?.context === fiber.context) return inherited
    for (const [other, branch] of this.branches) if (other.context === fiber.context) return branch
    return undefined
  }

  /** Another one than the one whose context it has may have started it, as those of streams are. */
  private nextStart(parent: Branch, from: Place, startedIn: number): Place {
    return this.running === undefined || this.running.isPartOf((branch) => branch === parent)
      ? parent.place.nextStart(startedIn)
      : from.nextForeign(this.running.place)
  }
}

const outsideSteps = (path: string): string => path.replace(/~.*$/, "")

/** At most this many operations of a fiber come before its sleep where `Effect.timeout` and the like start it. */
const timerOperations = 4

/** So many tasks run without a pause only where fibers are at work that does not end soon. */
const manyChecks = 100
