import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Tracer from "effect/Tracer"
import { notingTracer } from "../trace/notingTracer.ts"
import type { NotingScheduler } from "../trace/notingTracer.ts"
import { Branch } from "./Branch.ts"
import { Place } from "./Place.ts"
import type { RunningStep } from "./RunningStep.ts"
import { hasBegun, seesFirstOperations } from "./selfCheck.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** A fiber that schedules a task, and its place at that time. */
interface Scheduling {
  readonly branch: Branch
  readonly place: Place
}

/** The branch of a fiber, in its context. A child starts with the branch of its parent. */
const CurrentBranch = Context.Reference<Branch | undefined>("@effect-sampling/core/internal/rounds/CurrentBranch", {
  defaultValue: () => undefined
})

/**
 * The fibers of one run of a handler, as the run's scheduler sees them. Effect asks the scheduler before each operation
 * of a fiber. The scheduler therefore sees each fiber before the fiber does anything, and it knows when no fiber of the
 * run has anything to do.
 */
export class FiberTree implements Scheduler.Scheduler, NotingScheduler {
  private readonly scheduler: Scheduler.Scheduler
  private readonly neverYields: boolean
  /** Tells this tree how fibers suspend themselves. */
  private readonly tracer: Tracer.Tracer
  private readonly branches = new Map<AnyFiber, Branch>()
  private readonly onIdle: () => void
  private readonly root = new Branch(new Place("", undefined), undefined, undefined, 0)
  /** The number of starts and ends of fibers so far. */
  private events = 0
  /** The same number at the end of the run. */
  private endedAt = Infinity
  /** What dispatchers hold of the tree. A fiber keeps its first dispatcher for as long as it lives. */
  private readonly link: { tree: FiberTree | undefined } = { tree: this }
  /** The fibers of other owners, which run effects of the handler. Few calls have any. */
  private foreign: WeakMap<AnyFiber, Branch> | undefined
  private hasRoot = false
  private current: AnyFiber | undefined
  /** The branch of the fiber that runs, or that ran last. */
  private running: Branch | undefined
  /** A fiber of the run has another scheduler, or Effect is not as expected, so nobody knows what is left to run. */
  isBlind = !(isSeeing ??= seesFirstOperations())
  /** The branch of the fiber that scheduled the task that starts now, and its place at that time. */
  private scheduledBy: Scheduling | undefined
  private tasks = 0
  private willCheck = false
  private busyChecks = 0

  /**
   * `onIdle` is called in a microtask, after something has happened and nothing is left to run. If fibers do not stop
   * running, it is called from time to time as well.
   */
  constructor(context: Context.Context<never>, onIdle: () => void) {
    this.scheduler = Context.get(context, Scheduler.Scheduler)
    this.neverYields = Context.get(context, Scheduler.PreventSchedulerYield)
    this.tracer = notingTracer(Context.get(context, Tracer.Tracer))
    this.onIdle = onIdle
  }

  get executionMode(): "sync" | "async" {
    return this.scheduler.executionMode
  }

  shouldYield(fiber: AnyFiber): boolean {
    if (fiber !== this.current) this.enter(fiber)
    return !this.neverYields && this.scheduler.shouldYield(fiber)
  }

  /** Notes how a fiber suspends itself. No task ends then, if a promise or a timer had resumed the fiber. */
  noteSuspension(fiber: AnyFiber, register: unknown): void {
    this.branchOf(fiber).register = register
    this.check()
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    const dispatcher = this.scheduler.makeDispatcher()
    const { link } = this
    return {
      scheduleTask: (task, priority) => {
        const { tree } = link
        const scheduledBy = tree?.addTask()
        dispatcher.scheduleTask(() => {
          tree?.startTask(scheduledBy)
          task()
          tree?.check()
        }, priority)
      },
      flush: () => dispatcher.flush()
    }
  }

  /**
   * Returns who schedules the task, because the task may be the start of a fiber. By then, the fiber that schedules it
   * may have begun or ended a once-step.
   */
  private addTask(): Scheduling {
    this.tasks++
    const scheduling = Fiber.getCurrent()
    const branch = (scheduling && this.branches.get(scheduling)) ?? this.root
    branch.tasks++
    return { branch, place: branch.place }
  }

  private startTask(scheduledBy: Scheduling | undefined): void {
    this.tasks--
    if (scheduledBy !== undefined) scheduledBy.branch.tasks--
    this.scheduledBy = scheduledBy
    this.current = undefined
  }

  /** Lets go of the tree, which a fiber of another owner may hold through its dispatcher. */
  close(): void {
    this.link.tree = undefined
  }

  /** The services that the handler's fiber has to start with. */
  get services(): ReadonlyArray<readonly [key: string, service: unknown]> {
    return [
      [Scheduler.Scheduler.key, this],
      // If yielding were prevented, Effect would not ask the scheduler.
      [Scheduler.PreventSchedulerYield.key, false],
      [Tracer.Tracer.key, this.tracer],
      [CurrentBranch.key, this.root]
    ]
  }

  branchOf(fiber: AnyFiber): Branch {
    return this.branches.get(fiber) ?? this.foreign?.get(fiber) ?? fiber.getRef(CurrentBranch) ?? this.root
  }

  /** Notes that a fiber waits for the run to resume it. */
  waits(fiber: AnyFiber): void {
    if (this.branches.has(fiber) || this.foreign?.has(fiber) === true) this.branchOf(fiber).isWaiting = true
    else this.isBlind = true
  }

  /** Moves a fiber that begins or ends a once-step. */
  moves(fiber: AnyFiber, place: Place): void {
    const branch = this.branches.get(fiber)
    if (branch !== undefined) branch.place = place
  }

  /** Notes that a fiber sleeps until its clock shows `wakesAt`. */
  sleeps(fiber: AnyFiber, wakesAt: number): void {
    this.branchOf(fiber).wakesAt = wakesAt
  }

  wakes(fiber: AnyFiber): void {
    this.branchOf(fiber).wakesAt = undefined
  }

  /** Runs an effect in which a fiber only waits for other fibers of the run, so it does not count as work in flight. */
  idle<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.withFiber((fiber) => {
      const branch = this.branchOf(fiber)
      branch.isWaiting = true
      this.check()
      return Effect.ensuring(effect, Effect.sync(() => (branch.isWaiting = false)))
    })
  }

  /**
   * Interrupts a fiber, and notes whether it reacted: in an uninterruptible region it does not. A fiber of another owner,
   * such as a worker of the process that runs jobs with the context of a handler, only sees what it waits for end.
   */
  interrupt(fiber: AnyFiber): void {
    const branch = this.branchOf(fiber)
    if (branch.isInterrupted || this.foreign?.has(fiber) === true) return
    const { operation } = branch
    this.current = undefined
    fiber.interruptUnsafe()
    branch.isInterrupted = branch.fiber === undefined || branch.operation !== operation
  }

  /** Returns whether a fiber may be doing work that the run cannot see, or wakes by `horizon`. */
  isBusy(horizon: number): boolean {
    return this.tasks > 0 || this.some((branch) => branch.isBusy(horizon))
  }

  /** Returns whether a fiber inside a once-step waits for what another fiber holds. */
  isLockedOut(step: RunningStep): boolean {
    return this.some((branch) => branch.wait === "lock" && branch.place.step?.isInside(step) === true)
  }

  /** Notes that the run has ended. Fibers that start from now on belong to finalizers. */
  end(): void {
    this.endedAt = this.events
    this.check()
  }

  /**
   * Whether finalizers are busy: those of a fiber that the run or another fiber interrupted. A fiber that an interrupted
   * one waits for, or started after the end, counts as well.
   */
  get isEnding(): boolean {
    const isEnding = (branch: Branch): boolean =>
      wasInterrupted(branch.fiber) ||
      (branch.startedAt > this.endedAt && branch.parent !== undefined && isEnding(branch.parent))
    return this.some((branch) => branch.isBusy(Infinity) && branch.isPartOf(isEnding))
  }

  /**
   * Returns the given fibers, those that started them, and whatever one of them waits for now, the outermost first. What
   * has been interrupted is left out, because it is ending, and what it waits for are its finalizers.
   */
  linesOf(fibers: Iterable<AnyFiber>): ReadonlyArray<AnyFiber> {
    const lines = new Set<Branch>()
    for (const fiber of fibers) {
      for (let branch: Branch | undefined = this.branchOf(fiber); branch !== undefined; branch = branch.parent) {
        if (!branch.isInterrupted) lines.add(branch)
      }
    }
    return [...this.branches]
      .filter(([, branch]) => branch.isPartOf((each) => lines.has(each)))
      .toSorted(([, one], [, other]) => one.depth - other.depth)
      .map(([fiber]) => fiber)
  }

  /** Schedules a call of `onIdle` for the moment when nothing is left to run. */
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

  private some(predicate: (branch: Branch) => boolean): boolean {
    for (const branch of this.branches.values()) if (predicate(branch)) return true
    return false
  }

  private enter(fiber: AnyFiber): void {
    this.current = fiber
    const { scheduledBy } = this
    this.scheduledBy = undefined
    this.noteEnd()
    const known = this.branches.get(fiber)
    this.running = known ?? this.add(fiber, scheduledBy)
    if (known !== undefined) known.continues()
    if (this.endedAt < Infinity) this.check()
  }

  private add(fiber: AnyFiber, forker: Scheduling | undefined): Branch {
    // A fiber of the run is seen before its first operation. One that is seen later had another scheduler before.
    if (this.hasRoot && hasBegun(fiber)) return this.addForeign(fiber)
    const branch = this.hasRoot ? this.makeChild(fiber, forker) : this.root
    this.hasRoot = true
    branch.fiber = fiber
    this.branches.set(fiber, branch)
    fiber.addObserver(() => {
      this.branches.delete(fiber)
      branch.fiber = undefined
      if (branch.endedAt === Infinity) branch.endedAt = ++this.events
      // A fiber that its end starts counts as started by it, even if another fiber ran last.
      this.running = branch
      this.current = undefined
      this.check()
    })
    return branch
  }

  /**
   * Notes that the fiber that ran last has ended. Whoever joined it before it began is told of its end before the tree
   * is, and what starts then is not beside it.
   */
  private noteEnd(): void {
    if (this.running?.endedAt === Infinity && this.running.fiber?.pollUnsafe() !== undefined) {
      this.running.endedAt = ++this.events
    }
  }

  private addForeign(fiber: AnyFiber): Branch {
    this.foreign ??= new WeakMap()
    const known = this.foreign.get(fiber)
    if (known !== undefined) return known
    const branch = new Branch((fiber.getRef(CurrentBranch) ?? this.root).place, undefined, undefined, 0)
    this.foreign.set(fiber, branch)
    return branch
  }

  private makeChild(fiber: AnyFiber, forker: Scheduling | undefined): Branch {
    const parent = forker?.branch ?? this.starterOf(fiber)
    const startedIn = forker === undefined ? parent.operation : undefined
    const place = forker?.place.nextFork() ?? parent.place.nextStart(parent.operation)
    const branch = new Branch(place, parent, startedIn, ++this.events)
    const context = Context.add(fiber.context, CurrentBranch, branch)
    const tracer = fiber.getRef(Tracer.Tracer)
    const noting = notingTracer(tracer)
    // Most children inherit it. Setting it again would make the fiber drop the references that it has cached.
    fiber.setContext(noting === tracer ? context : Context.add(context, Tracer.Tracer, noting))
    return branch
  }

  /**
   * Returns the starter of a fiber that runs at once: the one that ran last, or one that waits for it, and whose context
   * the fiber took over. The branch inside of the context is not reliable, because the context may be captured elsewhere.
   */
  private starterOf(fiber: AnyFiber): Branch {
    let starter = this.running
    while (starter !== undefined && starter.fiber?.context !== fiber.context) starter = starter.awaitedBy
    return starter ?? fiber.getRef(CurrentBranch) ?? this.root
  }
}

let isSeeing: boolean | undefined

/** Effect does not promise this member. Without it, the end of a round gives finalizers the settle time only. */
const wasInterrupted = (fiber: AnyFiber & { readonly _interruptedCause?: unknown } | undefined): boolean =>
  fiber?._interruptedCause !== undefined

/** This many checks find a task in the queue only if fibers do work that does not end soon. */
const manyChecks = 100
