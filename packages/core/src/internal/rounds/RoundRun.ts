import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Random } from "effect/Random"
import type { ClientRequest } from "../../ClientConnection.ts"
import { InvalidRequest } from "../../SamplingError.ts"
import type { ReplayMismatch, SamplingError } from "../../SamplingError.ts"
import { aboutRequest, quoteAbout } from "./aboutRequest.ts"
import { findAnswerProblem } from "./answers.ts"
import { digest } from "./digest.ts"
import { askMismatch, notJson, roundsExceeded, sharedKey, sharedName } from "./failures.ts"
import { FiberTree } from "./FiberTree.ts"
import { wireKey } from "./Journal.ts"
import type { AnswerRecord, AskRecord, Journal, Outcome, StepRecord } from "./Journal.ts"
import { Keys } from "./Keys.ts"
import { CurrentPlace, isInside } from "./Place.ts"
import type { Place } from "./Place.ts"
import { addWaiting, cut, RunningStep } from "./RunningStep.ts"
import { CurrentScope } from "./Scope.ts"
import { Steps } from "./Steps.ts"
import type { Use } from "./Steps.ts"
import { toJson } from "./toJson.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** The run that the current fiber belongs to, or undefined where the client is not asked in rounds. */
export const CurrentRun = Context.Reference<RoundRun | undefined>("@effect-sampling/core/internal/rounds/CurrentRun", {
  defaultValue: () => undefined
})

/** An answer, to be taken once. One that arrived without a state has no position until an ask takes it. */
type Recorded = Omit<AnswerRecord, "at"> & {
  at: string | undefined
  isTaken: boolean
}

interface WaitingAsk {
  readonly _tag: "Ask"
  readonly fiber: AnyFiber
  readonly base: string
  readonly at: string
  readonly step: RunningStep | undefined
  readonly request: ClientRequest
  readonly resume: (answer: Effect.Effect<unknown, SamplingError>) => void
}

/** A once-step that starts after the end of the run. It must not run, because its outcome could not be recorded. */
interface LateStep {
  readonly _tag: "Late"
  readonly fiber: AnyFiber
  readonly step: RunningStep | undefined
  readonly resume: (end: Effect.Effect<never>) => void
}

type Waiting = WaitingAsk | LateStep

/** A once-step, which must not run twice. */
export interface Step<A, E, R> {
  readonly name: string
  /** The library made the name from what is done, so fibers may use it at the same time: their outcomes are equal. */
  readonly isShared: boolean
  readonly effect: Effect.Effect<A, E, R>
  /** Returns the outcome to record, or undefined if there is none: after an interruption or a defect. */
  readonly encode: (exit: Exit.Exit<A, E>) => Effect.Effect<Outcome | undefined, never, R>
  /** Fails with a `ReplayMismatch` if the outcome does not fit the Schemas of the once-step. */
  readonly decode: (outcome: Outcome) => Effect.Effect<Effect.Effect<A, E>, ReplayMismatch, R>
}

export interface Options {
  readonly journal: Journal
  /** The client's answers, by the keys of the asks. */
  readonly responses: ReadonlyMap<string, unknown>
  readonly maxRounds: number
  readonly makeSeed: () => string
  /** The context in which the call started. */
  readonly context: Context.Context<never>
  /** Starts the settle time of work in flight, and calls back when it is over. Returns a function that stops it. */
  readonly settle: (onSettled: () => void) => () => void
  /** Returns the time up to which a sleeping fiber counts as work in flight, in milliseconds of the handler's clock. */
  readonly horizon: () => number
}

/** The reason why a run ended before its handler completed. */
export type Interruption =
  | { readonly _tag: "Asks"; readonly asks: ReadonlyArray<readonly [AskRecord, ClientRequest]> }
  | { readonly _tag: "InvalidAnswer"; readonly key: string; readonly problem: string }
  | { readonly _tag: "Mismatch"; readonly error: ReplayMismatch }

/** One run of a handler. An ask finds its answer or waits. When nothing else runs, the waiting asks end the round. */
export class RoundRun {
  readonly tree: FiberTree
  interruption: Interruption | undefined
  replayed = 0
  usedSeed: string | undefined
  /** See the journal. */
  doubts: number
  /** The generators of random numbers, by the scopes that draw from them. */
  readonly generators = new Map<string, Random>()
  /** Whether the handler read the start time of the call. If it did, the next run must know that time. */
  isStartKnown = false
  private readonly options: Options
  private answers: ReadonlyArray<Recorded>
  private readonly steps: Steps
  private readonly keys = new Keys()
  /** The asks of the last round that the client did not answer. */
  private readonly unanswered: ReadonlyArray<AskRecord>
  /** Whether asks may take answers that arrived without a state; undefined until that is decided. */
  private takesUnasked: boolean | undefined
  /** The run took something that the client has answered and that no run took before, perhaps inside a once-step. */
  private tookNew = false
  private readonly waiting = new Set<Waiting>()
  private readonly runningSteps = new Set<RunningStep>()
  private root: AnyFiber | undefined
  /** The run accepts no more asks: the handler is being interrupted, or it has completed. */
  private hasEnded = false
  /** The client no longer waits for the call. */
  private isCancelled = false
  /** The handler's fiber reacted to the interruption, so it now runs only finalizers. */
  private isRootEnding = false
  /** The handler's fiber has ended, or it was abandoned. */
  private isOver = false
  private readonly overObservers: Array<() => void> = []
  /** The fibers to interrupt if interrupting the root was not enough: first the parts, then group after group. */
  private readonly stuckParts: Array<AnyFiber> = []
  private readonly stuckAskers: Array<ReadonlyArray<AnyFiber>> = []
  /** The fibers that asked after the end, since the last call of `look`. */
  private readonly lateAskers: Array<AnyFiber> = []
  private hasSettled = false
  private stopSettling: (() => void) | undefined

  constructor(options: Options) {
    const { journal, responses } = options
    this.options = options
    this.usedSeed = journal.seed
    this.doubts = journal.doubts
    this.tree = new FiberTree(options.context, () => this.look())
    const answered = journal.answers.map((record): Recorded => ({ ...record, isTaken: false }))
    const unanswered: Array<AskRecord> = []
    for (const ask of journal.open) {
      const key = wireKey(ask)
      if (responses.has(key)) answered.push({ ...ask, answer: responses.get(key), isTaken: false, isNew: true })
      else unanswered.push(ask)
    }
    // Without a state it is unknown what was asked, but asks that have a name can still find their answers.
    if (journal.open.length === 0) {
      for (const [key, answer] of responses) {
        answered.push({ ...fromWireKey(key), answer, isTaken: false, isNew: false })
      }
    }
    this.answers = answered
    this.unanswered = unanswered
    this.steps = new Steps(journal.steps)
  }

  /** The seed of the random numbers. It is generated when the first number is drawn. */
  get seed(): string {
    return this.usedSeed ??= this.options.makeSeed()
  }

  get startedAt(): number {
    this.isStartKnown = true
    return this.options.journal.startedAt
  }

  /** Watches the fiber that runs the handler. */
  started(root: AnyFiber): void {
    this.root = root
    root.addObserver(() => this.finish())
  }

  /** Calls `observer` when the handler's fiber has ended or was abandoned. */
  onOver(observer: () => void): void {
    if (this.isOver) observer()
    else this.overObservers.push(observer)
  }

  /** Interrupts the handler. The asks and once-steps that wait receive no result any more. */
  private end(): void {
    this.unsettle()
    if (!this.hasEnded) {
      this.hasEnded = true
      if (!this.isOver) this.findStuck([...this.waiting].map(({ fiber }) => fiber))
      for (const waiting of this.waiting) cut(waiting.step)
      if (this.root !== undefined) this.isRootEnding = this.tree.interrupt(this.root)
    }
    this.tree.check()
  }

  /** Interrupts the handler because the client cancelled the call. Fibers that do not react get no settle period. */
  cancel(): void {
    this.isCancelled = true
    this.end()
  }

  /** The handler completed by itself, so there is no next run. Fibers that outlive the call run outside of rounds. */
  private get hasCompleted(): boolean {
    return this.isOver && this.interruption === undefined && !this.isCancelled
  }

  /** The answers that the next run needs, once this one has ended. */
  get answered(): ReadonlyArray<AnswerRecord> {
    return this.answers.flatMap(({ isTaken, ...record }) =>
      record.at === undefined ? [] : [{ ...record, at: record.at, isNew: record.isNew && !isTaken }]
    )
  }

  get done(): ReadonlyArray<StepRecord> {
    return this.steps.all
  }

  ask(request: ClientRequest): Effect.Effect<unknown, SamplingError> {
    return Effect.withFiber((fiber) => {
      const place = this.tree.placeOf(fiber)
      const at = place.nextAsk()
      const { step } = place
      return Effect.flatMap(this.baseOf(request, fiber.getRef(CurrentScope)), (base) => {
        if (
          request.key !== undefined && !this.hasEnded && this.keys.isClash(base, request, this.tree.branchOf(fiber))
        ) {
          return this.breakOff(fiber, sharedKey(request.key))
        }
        const answer = this.answers.find((record) =>
          isFree(record) && record.base === base && (record.at === at || this.mayTakeUnasked(record, request))
        )
        return answer === undefined
          ? this.wait<unknown, SamplingError>(
            fiber,
            step,
            (resume) => ({ _tag: "Ask", fiber, base, at, step, request, resume })
          )
          : this.take(answer, at, request)
      })
    })
  }

  step<A, E, R>(step: Step<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.withFiber((fiber) => {
      const place = this.tree.placeOf(fiber)
      const key = this.steps.keyOf(place.step?.id, fiber.getRef(CurrentScope), step.name)
      const branch = this.tree.branchOf(fiber)
      if (!step.isShared && !this.hasEnded && this.steps.isClash(key, branch)) {
        return this.breakOff(fiber, sharedName(step.name))
      }
      const use = this.steps.use(key, branch)
      return use.record === undefined
        ? this.runStep(step, use, place, fiber)
        : this.reuse(step, use.record.outcome, place, fiber)
    })
  }

  /** Ends the call: no run of this handler can continue it. No handler can catch that. */
  private breakOff(fiber: AnyFiber, error: ReplayMismatch): Effect.Effect<never> {
    this.interrupt({ _tag: "Mismatch", error })
    this.tree.stop(fiber)
    return Effect.interrupt
  }

  private baseOf(request: ClientRequest, scope: string): Effect.Effect<string, InvalidRequest> {
    if (request.key !== undefined) return Effect.succeed(scope + request.key)
    const text = toJson([request.method, request.params])
    return text === undefined
      ? Effect.fail(new InvalidRequest({ message: notJson }))
      : Effect.map(digest(text), (hash) => `${scope}ask-${hash}`)
  }

  /**
   * Returns whether an ask may take an answer that arrived without a state. Until an answer is taken, all runs do the
   * same. If this run already needs a state, then the earlier round sent one and the client left it out: refuse.
   */
  private mayTakeUnasked({ at }: Recorded, { key }: ClientRequest): boolean {
    return at === undefined && key !== undefined &&
      (this.takesUnasked ??= this.steps.all.length === 0 && !this.isStartKnown && this.usedSeed === undefined)
  }

  /** Takes an answer and validates it. The round that brought it may have kept it without taking it. */
  private take(record: Recorded, at: string, request: ClientRequest): Effect.Effect<unknown> {
    record.isTaken = true
    this.tookNew ||= record.isNew
    record.at = at
    this.replayed++
    const problem = findAnswerProblem(request.method, record.answer)
    if (problem === undefined) return Effect.succeed(record.answer)
    return Effect.withFiber((fiber) => {
      this.interrupt({ _tag: "InvalidAnswer", key: wireKey(record), problem })
      this.tree.stop(fiber)
      return Effect.interrupt
    })
  }

  private reuse<A, E, R>(
    step: Step<A, E, R>,
    outcome: Outcome,
    place: Place,
    fiber: AnyFiber
  ): Effect.Effect<A, E, R> {
    place.stepDone()
    return Effect.matchEffect(step.decode(outcome), {
      onFailure: (error) => this.breakOff(fiber, error),
      onSuccess: (result) => result
    })
  }

  /** Runs a once-step and records its outcome. No interruption can come between the two. */
  private runStep<A, E, R>(
    step: Step<A, E, R>,
    use: Use,
    place: Place,
    fiber: AnyFiber
  ): Effect.Effect<A, E, R> {
    return Effect.uninterruptibleMask((restore) => {
      if (this.hasCompleted) return restore(step.effect)
      if (this.hasEnded) {
        this.steps.giveBack(use)
        return this.wait(fiber, place.step, (resume) => ({ _tag: "Late", fiber, step: place.step, resume }))
      }
      const running = new RunningStep(place.step, use.id)
      this.runningSteps.add(running)
      const inside = place.insideStep(running)
      this.tree.moves(fiber, inside)
      return Effect.exit(restore(Effect.provideService(step.effect, CurrentPlace, inside))).pipe(
        Effect.flatMap((exit) => {
          this.tree.moves(fiber, place)
          if (running.isCut && Exit.isSuccess(exit)) return Effect.interrupt
          return running.isCut ? exit : Effect.flatMap(step.encode(exit), (outcome) => {
            if (outcome !== undefined) this.record(use, outcome, inside, place)
            return exit
          })
        }),
        Effect.onExit(() =>
          Effect.sync(() => {
            this.tree.moves(fiber, place)
            if (!this.steps.has(use)) this.steps.giveBack(use)
            this.runningSteps.delete(running)
            this.tree.check()
          })
        )
      )
    })
  }

  /** Records an outcome. Records from inside the once-step are no longer needed, and no other fiber may take them. */
  private record(use: Use, outcome: Outcome, inside: Place, place: Place): void {
    place.stepDone()
    this.answers = this.answers.filter(({ at }) => !isInside(at, inside))
    this.steps.record(use, place.path, outcome)
  }

  private wait<A, E>(
    fiber: AnyFiber,
    step: RunningStep | undefined,
    make: (resume: (result: Effect.Effect<A, E>) => void) => Waiting
  ): Effect.Effect<A, E> {
    return Effect.callback((resume) => {
      if (this.hasEnded) {
        cut(step)
        const asker = this.tree.branchOf(fiber)
        if (++asker.lateAsks > manyAsks) return this.leaveBehind(fiber)
        if (this.isOver) this.endStep(fiber)
        else this.lateAskers.push(fiber)
        if (this.isOver || asker.isReleased) return resume(Effect.interrupt)
      }
      const waiting = make((result) => {
        this.forget(waiting)
        resume(result)
      })
      this.waiting.add(waiting)
      this.tree.waits(fiber)
      addWaiting(waiting.step, 1)
      this.unsettle()
      this.tree.check()
      return Effect.sync(() => this.forget(waiting))
    })
  }

  private forget(waiting: Waiting): void {
    if (!this.waiting.delete(waiting)) return
    this.tree.branchOf(waiting.fiber).isWaiting = false
    addWaiting(waiting.step, -1)
    this.tree.check()
  }

  /** Abandons a fiber that survives the interruption of its asks and keeps asking. */
  private leaveBehind(fiber: AnyFiber): void {
    this.finish()
    this.tree.stop(fiber)
  }

  /** Runs when nothing is left to run. Resumes the asks that can have a result, or ends the round. */
  private look(): void {
    if (this.hasEnded) return this.interruptStuck()
    if (this.waiting.size === 0 || this.isStepAtWork()) return
    if (!this.isSettled()) return
    const asks = [...this.waiting]
      .filter((each) => each._tag === "Ask")
      .toSorted((one, other) => one.at < other.at ? -1 : 1)
    if (this.giveMovedAnswers(asks) || this.refuseRounds(asks)) this.unsettle()
    else this.interrupt(this.findMismatch(asks) ?? { _tag: "Asks", asks: this.toRecords(asks) })
  }

  /**
   * Resumes asks with the answer of an equal ask of another fiber. Which of them gets it does not matter, unless their
   * next asks are recorded: while the other fiber may still come for its answer, the ask goes to the client again. A
   * fiber that sleeps beyond the end of the round, as the timer of a time-out does, does not come.
   */
  private giveMovedAnswers(asks: ReadonlyArray<WaitingAsk>): boolean {
    const isAllThere = !this.tree.isBusy(this.options.horizon())
    return asks.filter((ask) => {
      const answer = this.answers.find((record) =>
        isFree(record) && record.base === ask.base && record.at !== undefined
      )
      if (answer === undefined || !(isAllThere || this.isLastRound || this.isOnly(ask.base))) return false
      ask.resume(this.take(answer, ask.at, ask.request))
      return true
    }).length > 0
  }

  private isOnly(base: string): boolean {
    return [...this.answers, ...this.unanswered].filter((record) => record.base === base).length === 1
  }

  /**
   * Returns the mismatch of a handler that asks something else in every run: in several rounds in a row it took nothing
   * new that the client had answered. A single such round proves nothing, because timing may change what comes first. It
   * proves even less while a fiber sleeps or works and may still take an answer.
   */
  private findMismatch(asks: ReadonlyArray<WaitingAsk>): Interruption | undefined {
    if (this.tookNew) this.doubts = 0
    const answered = this.answers.filter(({ isNew }) => isNew)
    // A client that answered nothing is asked again, and nothing follows from that.
    if (this.tookNew || answered.length === 0 || this.unanswered.length === this.options.journal.open.length) {
      return undefined
    }
    this.doubts += this.tree.isBlind || this.tree.isBusy(Infinity) ? 1 : 2
    if (this.doubts < manyDoubts) return undefined
    const { about } = answered[0]!
    return { _tag: "Mismatch", error: askMismatch(quoteAbout(about), quoteAbout(aboutRequest(asks[0]!.request))) }
  }

  private refuseRounds(asks: ReadonlyArray<WaitingAsk>): boolean {
    if (!this.isLastRound) return false
    for (const ask of asks) ask.resume(Effect.fail(roundsExceeded(this.options.maxRounds)))
    return true
  }

  private get isLastRound(): boolean {
    return this.options.journal.rounds >= this.options.maxRounds
  }

  private toRecords(asks: ReadonlyArray<WaitingAsk>): ReadonlyArray<readonly [AskRecord, ClientRequest]> {
    const again = [...this.unanswered]
    const highest = new Map<string, number>()
    for (const { base, occurrence } of [...this.answers.filter((record) => record.at !== undefined), ...again]) {
      highest.set(base, Math.max(highest.get(base) ?? 0, occurrence))
    }
    return asks.map(({ at, base, request }) => {
      const same = again.filter((ask) => ask.base === base)
      const known = same.find((ask) => ask.at === at) ?? same[0]
      if (known !== undefined) again.splice(again.indexOf(known), 1)
      const occurrence = known?.occurrence ?? (highest.get(base) ?? 0) + 1
      highest.set(base, Math.max(highest.get(base) ?? 0, occurrence))
      return [{ base, occurrence, at, about: aboutRequest(request) }, request]
    })
  }

  /** Ends the run. Asks of fibers that do not react to interruption end in one as well, so nothing hangs. */
  private interrupt(interruption: Interruption): void {
    if (this.hasEnded) return
    this.interruption = interruption
    this.end()
  }

  private finish(): void {
    if (this.isOver) return
    this.isOver = true
    this.end()
    this.release()
    this.tree.close()
    for (const observer of this.overObservers) observer()
  }

  /**
   * Collects the fibers that may still block the end, as children of an uninterruptible race do: the ones that the root
   * waits for, then those that asked and their ancestors, deepest first, because each may still report its interruption
   * to its parent. Fibers that finalizers start are left alone unless they ask.
   */
  private findStuck(asked: Iterable<AnyFiber>): void {
    if (!this.isRootEnding) this.stuckParts.push(...this.tree.parts)
    this.stuckAskers.unshift(...this.tree.withStarters(asked, this.isRootEnding ? "without root" : "with root"))
  }

  /** Escalates the end if interrupting the root was not enough: interrupts the fibers that still block it. */
  private interruptStuck(): void {
    if (this.isOver) return
    if (this.lateAskers.length > 0) this.findStuck(this.lateAskers.splice(0))
    if (this.stuckParts.length > 0) this.interruptAll(this.stuckParts.splice(0))
    else if (this.waiting.size === 0 && this.stuckAskers.length === 0) return
    else if (!this.isCancelled && !this.isSettled()) return
    else if (this.waiting.size > 0) this.release()
    else this.interruptAll(this.stuckAskers.shift()!)
  }

  /** Ends the asks of fibers that did not react to interruption. */
  private release(): void {
    const waiting = [...this.waiting]
    const isEnding = this.isOver || this.isRootEnding
    const ending = new Set(isEnding ? waiting.filter(({ fiber }) => this.endStep(fiber) === "soon") : [])
    for (const each of waiting) {
      if (!this.waiting.has(each) || ending.has(each)) continue
      this.tree.branchOf(each.fiber).isReleased = true
      each.resume(Effect.interrupt)
    }
    this.unsettle()
    this.tree.check()
  }

  /**
   * Interrupts a fiber that asked in a once-step, after its ancestors, outermost first, so none of them mistakes the
   * end of the round for an answer. An ancestor that does not react may be ending already and about to interrupt the
   * others, so it gets one settle period (`soon`). Then it counts as uninterruptible, and may wait for their results.
   */
  private endStep(asker: AnyFiber): "now" | "soon" {
    const isCut = (fiber: AnyFiber) => this.tree.placeOf(fiber).step?.isCut === true
    if (!isCut(asker)) return "now"
    const starters = this.tree.startersOf(asker).filter((starter) => !this.isOver || isCut(starter))
    if (starters.every((starter) => this.tree.interrupt(starter))) this.tree.stop(asker)
    else if (!this.isOver && !this.tree.branchOf(asker).isEnding) {
      this.tree.branchOf(asker).isEnding = true
      return "soon"
    }
    return "now"
  }

  private interruptAll(fibers: ReadonlyArray<AnyFiber>): void {
    for (const fiber of fibers) this.tree.stop(fiber)
    this.unsettle()
    this.tree.check()
  }

  private isStepAtWork(): boolean {
    for (const step of this.runningSteps) if (step.waiting === 0) return true
    return false
  }

  /** Returns whether no work is in flight, or its time is over. If not, `look` runs again at the end of that time. */
  private isSettled(): boolean {
    const horizon = this.options.horizon()
    // Blind, an infinite settle time would never be over.
    const isBlind = this.tree.isBlind && horizon < Infinity
    if (this.hasSettled || !(isBlind || this.tree.isBusy(horizon))) return true
    this.stopSettling ??= this.options.settle(() => {
      this.hasSettled = true
      this.look()
    })
    return false
  }

  private unsettle(): void {
    this.hasSettled = false
    this.stopSettling?.()
    this.stopSettling = undefined
  }
}

const isFree = (record: { readonly isTaken: boolean }): boolean => !record.isTaken

/** A call ends after two rounds in a row in which nothing was taken, or after four if fibers were at work in them. */
const manyDoubts = 4

/**
 * A fiber that asks more often than this after the end is abandoned: no sensible handler does, and it takes no time.
 */
const manyAsks = 1000

const fromWireKey = (key: string): { base: string; occurrence: number; at: undefined; about: string } => {
  const [, base, occurrence] = /^([^#]*)#(\d{1,9})$/.exec(key) ?? []
  return base === undefined
    ? { base: key, occurrence: 1, at: undefined, about: key }
    : { base, occurrence: Number(occurrence), at: undefined, about: key }
}
