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
import { catchUp, comesTo, Failures } from "./attempts.ts"
import type { Past } from "./attempts.ts"
import { digest } from "./digest.ts"
import { askMismatch, notJson, roundsExceeded, stepMismatch } from "./failures.ts"
import { FiberTree } from "./FiberTree.ts"
import { wireKey } from "./Journal.ts"
import type { AnswerRecord, AskRecord, Journal, StepRecord } from "./Journal.ts"
import { CurrentPlace, isInside, pathOf } from "./Place.ts"
import type { Place } from "./Place.ts"
import { addWaiting, cut, RunningStep } from "./RunningStep.ts"
import { toJson } from "./toJson.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** The run that the current fiber belongs to, or undefined where the client is not asked in rounds. */
export const CurrentRun = Context.Reference<RoundRun | undefined>("@effect-sampling/core/internal/rounds/CurrentRun", {
  defaultValue: () => undefined
})

/** A record, to be taken once. An answer that arrived without a state has no position until an ask takes it. */
type Recorded<Record extends { readonly at: string }> =
  & Omit<Record, "at" | "past">
  & { at: string | undefined; past?: Past | undefined; isTaken: boolean }

interface WaitingAsk {
  readonly _tag: "Ask"
  readonly fiber: AnyFiber
  readonly base: string
  readonly at: string
  readonly step: RunningStep | undefined
  readonly request: ClientRequest
  readonly resume: (answer: Effect.Effect<unknown, SamplingError>) => void
}

/** A once-step whose name was recorded elsewhere. Whose record that is, is clear when all others had their turn. */
interface WaitingStep {
  readonly _tag: "Step"
  readonly fiber: AnyFiber
  readonly name: string
  readonly at: string
  readonly step: RunningStep | undefined
  readonly canMove: boolean
  readonly resume: (found: Effect.Effect<Recorded<StepRecord> | undefined, ReplayMismatch>) => void
}

/** A once-step that starts after the end of the run. It must not run, because its result could not be recorded. */
interface LateStep {
  readonly _tag: "Late"
  readonly fiber: AnyFiber
  readonly at: string
  readonly step: RunningStep | undefined
  readonly resume: (end: Effect.Effect<never>) => void
}

type Waiting = WaitingAsk | WaitingStep | LateStep

/** A once-step, which must not run twice. `canMove`: the name determines the result, so any fiber may take it. */
export interface Step<A, E, R> {
  readonly name: string
  readonly canMove: boolean
  readonly effect: Effect.Effect<A, E, R>
  readonly encode: (value: A) => Effect.Effect<unknown, never, R>
  readonly decode: (recorded: unknown) => Effect.Effect<A, ReplayMismatch, R>
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

/** One run of a handler. An ask finds its answer or waits. When nothing else runs, the waiting asks end the round. */
export class RoundRun {
  readonly tree: FiberTree
  interruption: Interruption | undefined
  replayed = 0
  usedSeed: string | undefined
  /** The generators of random numbers, by the path of the place that draws from them. */
  readonly generators = new Map<string, Random>()
  /** Whether the handler read the start time of the call. If it did, the next run must know that time. */
  isStartKnown = false
  private readonly options: Options
  private answers: ReadonlyArray<Recorded<AnswerRecord>>
  private steps: ReadonlyArray<Recorded<StepRecord>>
  /** The asks of the last round that the client did not answer. */
  private readonly unanswered: ReadonlyArray<AskRecord>
  /** Whether asks may take answers that arrived without a state; undefined until that is decided. */
  private takesUnasked: boolean | undefined
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
  private readonly failures = new Failures()
  private hasSettled = false
  private stopSettling: (() => void) | undefined

  constructor(options: Options) {
    const { journal, responses } = options
    this.options = options
    this.usedSeed = journal.seed
    this.tree = new FiberTree(options.context, () => this.look())
    const answered = journal.answers.map((record): Recorded<AnswerRecord> => ({ ...record, isTaken: false }))
    const unanswered: Array<AskRecord> = []
    for (const ask of journal.open) {
      const key = wireKey(ask)
      if (responses.has(key)) answered.push({ ...ask, answer: responses.get(key), isTaken: false })
      else unanswered.push(ask)
    }
    // Without a state it is unknown what was asked, but asks that have a name can still find their answers.
    if (journal.open.length === 0) {
      for (const [key, answer] of responses) {
        answered.push({ ...fromWireKey(key), answer, isTaken: false })
      }
    }
    this.answers = answered
    this.unanswered = unanswered
    this.steps = journal.steps.map(({ at, name, past, value }) => ({ at, name, past, value, isTaken: false }))
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
    return this.answers.flatMap((record) => record.at === undefined ? [] : [{ ...record, at: record.at }])
  }

  get done(): ReadonlyArray<StepRecord> {
    return this.steps.flatMap((record) => record.at === undefined ? [] : [{ ...record, at: record.at }])
  }

  ask(request: ClientRequest): Effect.Effect<unknown, SamplingError> {
    return Effect.withFiber((fiber) => {
      const place = this.tree.placeOf(fiber)
      const at = place.nextAsk()
      const { step } = place
      return Effect.flatMap(this.baseOf(request), (base) => {
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

  step<A, E, R>(step: Step<A, E, R>): Effect.Effect<A, E | ReplayMismatch, R> {
    return Effect.withFiber((fiber) => {
      const place = this.tree.placeOf(fiber)
      const at = place.nextStep(step.name)
      const run = this.runStep(step, place, fiber)
      const reuse = (record: Recorded<StepRecord>) => this.reuse(step, record, at, fiber)
      const candidates = this.steps.filter((record) => isFree(record) && record.name === step.name)
      const own = candidates.find((record) => record.at === at) ??
        candidates.find((record) => isOf(this.tree.placesOf(fiber), record))
      if (own !== undefined) return reuse(own)
      // Records of this same place belong to later uses of the name.
      if (candidates.every((record) => record.at !== undefined && pathOf(record.at) === place.path)) return run
      const found = this.wait<Recorded<StepRecord> | undefined, ReplayMismatch>(
        fiber,
        place.step,
        (resume) => ({ _tag: "Step", fiber, name: step.name, at, step: place.step, canMove: step.canMove, resume })
      )
      return Effect.flatMap(found, (record) => record === undefined ? run : reuse(record))
    })
  }

  private baseOf(request: ClientRequest): Effect.Effect<string, InvalidRequest> {
    if (request.key !== undefined) return Effect.succeed(request.key)
    const text = toJson([request.method, request.params])
    return text === undefined
      ? Effect.fail(new InvalidRequest({ message: notJson }))
      : Effect.map(digest(text), (hash) => `ask-${hash}`)
  }

  /**
   * Returns whether an ask may take an answer that arrived without a state. Until an answer is taken, all runs do the
   * same. If this run already needs a state, then the earlier round sent one and the client left it out: refuse.
   */
  private mayTakeUnasked({ at }: Recorded<AnswerRecord>, { key }: ClientRequest): boolean {
    return at === undefined && key !== undefined &&
      (this.takesUnasked ??= this.steps.length === 0 && !this.isStartKnown && this.usedSeed === undefined)
  }

  /** Takes an answer and validates it. The round that brought it may have kept it without taking it. */
  private take(record: Recorded<AnswerRecord>, at: string, request: ClientRequest): Effect.Effect<unknown> {
    record.isTaken = true
    record.at = at
    this.replayed++
    const problem = findAnswerProblem(request.method, record.answer)
    if (problem === undefined) return Effect.succeed(record.answer)
    return Effect.withFiber((fiber) => {
      this.interrupt({ _tag: "InvalidAnswer", key: wireKey(record), problem })
      fiber.interruptUnsafe()
      return Effect.interrupt
    })
  }

  private reuse<A, E, R>(
    step: Step<A, E, R>,
    record: Recorded<StepRecord>,
    at: string,
    fiber: AnyFiber
  ): Effect.Effect<A, ReplayMismatch, R> {
    const places = this.tree.placesOf(fiber)
    record.isTaken = true
    if (isOf(places, record)) catchUp(places, record.at, record.past)
    else {
      record.at = at
      record.past = undefined
      places[0]!.stepDone(step.name)
    }
    for (const waiting of this.waiting) {
      if (waiting._tag === "Step" && waiting.name === step.name) this.tree.check()
    }
    return step.decode(record.value)
  }

  /** Runs a once-step and records its result. No interruption can come between the two. */
  private runStep<A, E, R>(
    step: Step<A, E, R>,
    place: Place,
    fiber: AnyFiber
  ): Effect.Effect<A, E | ReplayMismatch, R> {
    return Effect.uninterruptibleMask((restore) => {
      if (this.hasCompleted) return restore(step.effect)
      if (this.hasEnded) {
        const at = place.path
        return this.wait(fiber, place.step, (resume) => ({ _tag: "Late", fiber, at, step: place.step, resume }))
      }
      const running = new RunningStep(place.step)
      this.runningSteps.add(running)
      const inside = place.insideStep(running)
      this.tree.moves(fiber, inside)
      return restore(Effect.provideService(step.effect, CurrentPlace, inside)).pipe(
        Effect.flatMap((value) =>
          running.isCut ? Effect.interrupt : Effect.map(step.encode(value), (encoded) => {
            this.tree.moves(fiber, place)
            this.record(step.name, encoded, inside, this.tree.placesOf(fiber))
            return value
          })
        ),
        Effect.onExit((exit) =>
          Effect.sync(() => {
            this.tree.moves(fiber, place)
            const places = this.tree.placesOf(fiber)
            for (const each of places) each.isUncertain = true
            if (Exit.isFailure(exit)) this.failures.add(step.name, places)
            this.runningSteps.delete(running)
            this.tree.check()
          })
        )
      )
    })
  }

  private record(name: string, value: unknown, inside: Place, places: ReadonlyArray<Place>): void {
    const place = places[0]!
    const at = place.nextStep(name)
    place.stepDone(name)
    // Records from inside the once-step are no longer needed, and no other fiber may take them.
    const isOutside = ({ at: position }: { readonly at: string | undefined }) => !isInside(position, inside)
    this.answers = this.answers.filter(isOutside)
    const past = this.failures.takePast(name, places)
    this.steps = [...this.steps.filter(isOutside), { name, at, value, past, isTaken: true }]
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
      this.tree.branchOf(fiber).isWaiting = true
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
    fiber.interruptUnsafe()
  }

  /** Runs when nothing is left to run. Resumes the asks and once-steps that can have a result, or ends the round. */
  private look(): void {
    if (this.hasEnded) return this.interruptStuck()
    if (this.waiting.size === 0 || this.isStepAtWork()) return
    if (!this.isSettled()) return
    const waiting = [...this.waiting].toSorted((one, other) => one.at < other.at ? -1 : 1)
    const asks = waiting.filter((each) => each._tag === "Ask")
    const isAllThere = !this.tree.isBusy(Infinity)
    const isResumed = this.giveMovedAnswers(asks, isAllThere) ||
      this.giveMovedSteps(waiting.filter(isStep), isAllThere, asks.length > 0) ||
      this.findMismatches(asks) || this.refuseRounds(asks)
    if (isResumed) this.unsettle()
    else this.interrupt({ _tag: "Asks", asks: this.toRecords(asks) })
  }

  /**
   * Resumes asks with the answer of an equal ask of another fiber. Which of them gets it does not matter, unless their
   * next asks are recorded: while the other fiber may still come for its answer, the ask goes to the client again.
   */
  private giveMovedAnswers(asks: ReadonlyArray<WaitingAsk>, isAllThere: boolean): boolean {
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
   * Resumes once-steps with a record from another place, or without one. A record of a living fiber makes the once-step
   * fail, but not while that fiber may still come for the record and the client can be asked.
   */
  private giveMovedSteps(steps: ReadonlyArray<WaitingStep>, isAllThere: boolean, canAsk: boolean): boolean {
    return steps.filter((step) => {
      const record = this.steps.find((candidate) =>
        isFree(candidate) && candidate.name === step.name && candidate.at !== undefined &&
        pathOf(candidate.at) !== pathOf(step.at)
      )
      const isOfOther = record?.at !== undefined && !step.canMove && this.tree.isLive(pathOf(record.at))
      if (isOfOther && !isAllThere && canAsk) return false
      step.resume(isOfOther ? Effect.fail(stepMismatch(step.name)) : Effect.succeed(record))
      return true
    }).length > 0
  }

  /** Fails asks in whose position another ask was recorded, if no fiber makes that ask now or may still come to it. */
  private findMismatches(asks: ReadonlyArray<WaitingAsk>): boolean {
    if (this.tree.mayGoOn(this.options.horizon())) return false
    const recorded = [...this.answers.filter(isFree), ...this.unanswered]
    return asks.filter((ask) => {
      if (this.tree.placeOf(ask.fiber).isUncertain) return false
      const expected = recorded.find(({ at, base }) =>
        at === ask.at && base !== ask.base && !asks.some((other) => other.base === base)
      )
      if (expected === undefined) return false
      ask.resume(Effect.fail(askMismatch(quoteAbout(expected.about), quoteAbout(aboutRequest(ask.request)))))
      return true
    }).length > 0
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
    if (this.hasCompleted) this.giveMovedSteps([...this.waiting].filter(isStep), true, false)
    this.end()
    this.release()
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
    if (starters.every((starter) => this.tree.interrupt(starter))) asker.interruptUnsafe()
    else if (!this.isOver && !this.tree.branchOf(asker).isEnding) {
      this.tree.branchOf(asker).isEnding = true
      return "soon"
    }
    return "now"
  }

  private interruptAll(fibers: ReadonlyArray<AnyFiber>): void {
    for (const fiber of fibers) fiber.interruptUnsafe()
    this.unsettle()
    this.tree.check()
  }

  private isStepAtWork(): boolean {
    for (const step of this.runningSteps) if (step.waiting === 0) return true
    return false
  }

  /** Returns whether no work is in flight, or its time is over. If not, `look` runs again at the end of that time. */
  private isSettled(): boolean {
    if (this.hasSettled || !this.tree.isBusy(this.options.horizon())) return true
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

/** Returns whether a fiber in these places recorded the once-step, after failed attempts. */
const isOf = (
  places: ReadonlyArray<Place>,
  record: Recorded<StepRecord>
): record is Recorded<StepRecord> & { readonly at: string; readonly past: Past } =>
  record.at !== undefined && record.past !== undefined && comesTo(places, record.at, record.past)

const isStep = (waiting: Waiting): waiting is WaitingStep => waiting._tag === "Step"

const isFree = (record: { readonly isTaken: boolean }): boolean => !record.isTaken

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
