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

/** The run that the current fiber belongs to: undefined where the client is not asked in rounds. */
export const CurrentRun = Context.Reference<RoundRun | undefined>("@effect-sampling/core/internal/rounds/CurrentRun", {
  defaultValue: () => undefined
})

/** Something recorded, which is given once to who comes for it. An answer that nobody asked for has no place yet. */
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

/** A step whose name was recorded in another place. Whose record that is shows when all others had their turn. */
interface WaitingStep {
  readonly _tag: "Step"
  readonly fiber: AnyFiber
  readonly name: string
  readonly at: string
  readonly step: RunningStep | undefined
  readonly canMove: boolean
  readonly resume: (found: Effect.Effect<Recorded<StepRecord> | undefined, ReplayMismatch>) => void
}

/** A step that came when the run had ended: its result could not be recorded any more, so it would run again. */
interface LateStep {
  readonly _tag: "Late"
  readonly fiber: AnyFiber
  readonly at: string
  readonly step: RunningStep | undefined
  readonly resume: (end: Effect.Effect<never>) => void
}

type Waiting = WaitingAsk | WaitingStep | LateStep

/** A result that must not be made twice. `canMove` where its name says everything about it, whoever comes for it. */
export interface Step<A, E, R> {
  readonly name: string
  readonly canMove: boolean
  readonly effect: Effect.Effect<A, E, R>
  readonly encode: (value: A) => Effect.Effect<unknown, never, R>
  readonly decode: (recorded: unknown) => Effect.Effect<A, ReplayMismatch, R>
}

export interface Options {
  readonly journal: Journal
  /** What the client answered, by the keys of the asks. */
  readonly responses: ReadonlyMap<string, unknown>
  readonly maxRounds: number
  readonly makeSeed: () => string
  /** What the call was started with. */
  readonly context: Context.Context<never>
  /** Starts the time that work in flight has, and calls back at its end. Gives how to stop it. */
  readonly settle: (onSettled: () => void) => () => void
  /** Until when, from now on, a sleeping fiber counts as work in flight; in milliseconds of the handler's clock. */
  readonly horizon: () => number
}

/** How a run that did not complete ended. */
export type Interruption =
  | { readonly _tag: "Asks"; readonly asks: ReadonlyArray<readonly [AskRecord, ClientRequest]> }
  | { readonly _tag: "InvalidAnswer"; readonly key: string; readonly problem: string }

/**
 * One run of a handler. Asks find their recorded answers or wait. When nothing else goes on, the run is interrupted, and
 * what waits is what the client is asked.
 */
export class RoundRun {
  readonly tree: FiberTree
  interruption: Interruption | undefined
  replayed = 0
  usedSeed: string | undefined
  /** Of random numbers, by the path of the place that draws them. */
  readonly generators = new Map<string, Random>()
  /** Whether the handler looked at when the call started: then the next run must know. */
  isStartKnown = false
  private readonly options: Options
  private answers: ReadonlyArray<Recorded<AnswerRecord>>
  private steps: ReadonlyArray<Recorded<StepRecord>>
  /** Asks of the last round that the client left out. */
  private readonly unanswered: ReadonlyArray<AskRecord>
  /** Whether answers are taken that came without a state, once that is decided. */
  private takesUnasked: boolean | undefined
  private readonly waiting = new Set<Waiting>()
  private readonly runningSteps = new Set<RunningStep>()
  private root: AnyFiber | undefined
  /** Nothing more is asked: the handler is being interrupted, or has completed. */
  private hasEnded = false
  /** The client does not wait any more. */
  private isCancelled = false
  /** The interruption got through to the handler's fiber: what it does now are finalizers. */
  private isRootEnding = false
  /** The handler's fiber has ended as well, or was left behind. */
  private isOver = false
  private readonly overObservers: Array<() => void> = []
  /** The fibers to interrupt where that of the root did not end the handler: first the parts, then group after group. */
  private readonly stuckParts: Array<AnyFiber> = []
  private readonly stuckAskers: Array<ReadonlyArray<AnyFiber>> = []
  /** Who asked after the end, since the run last looked. */
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
    // Without a state nobody knows what was asked: asks that have a name find their answers.
    if (journal.open.length === 0) {
      for (const [key, answer] of responses) {
        answered.push({ ...fromWireKey(key), answer, isTaken: false })
      }
    }
    this.answers = answered
    this.unanswered = unanswered
    this.steps = journal.steps.map(({ at, name, past, value }) => ({ at, name, past, value, isTaken: false }))
  }

  /** Of random numbers: made when the first one is wanted. */
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

  /** Calls back when the handler's fiber has ended. */
  onOver(observer: () => void): void {
    if (this.isOver) observer()
    else this.overObservers.push(observer)
  }

  /** Interrupts the handler. What waits goes no further. */
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

  /** Interrupts the handler. What cannot be interrupted gets no more time than it takes. */
  cancel(): void {
    this.isCancelled = true
    this.end()
  }

  /** The handler came to its end by itself: there is no next run, and who outlives the call is outside of rounds. */
  private get hasCompleted(): boolean {
    return this.isOver && this.interruption === undefined && !this.isCancelled
  }

  /** What the next run needs to know, after this one has ended. */
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
      // What was recorded in this place is for a later use of the same name.
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
   * An answer without a place came without a state. Until one is taken all runs come to the same, so where this one has
   * something for a state already, whoever asked has given one, and the client has left it out.
   */
  private mayTakeUnasked({ at }: Recorded<AnswerRecord>, { key }: ClientRequest): boolean {
    return at === undefined && key !== undefined &&
      (this.takesUnasked ??= this.steps.length === 0 && !this.isStartKnown && this.usedSeed === undefined)
  }

  /** Every answer is looked at when it is taken: it may have been kept without being taken in the round that brought it. */
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

  /** Nothing comes between the end of a step and its record. */
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
    // What led to the result is not needed any more, and nobody else may have it.
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

  /** Of who takes no interruption for an answer, and asks on and on, nothing more comes. */
  private leaveBehind(fiber: AnyFiber): void {
    this.finish()
    fiber.interruptUnsafe()
  }

  /** Nothing is left to run: whoever waits gets what there is for it, or the round ends. */
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
   * The same ask of another fiber. Which of several gets the answer makes no difference, unless what they ask next has been
   * recorded: where the other one may still come for it, it is asked again.
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

  /** Of the steps whose record belongs to a fiber that may still come for it, none runs as long as the client can be asked. */
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

  /** In the same place of the same fiber something else was asked last time, and nobody asks it now or may come to it. */
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

  /** Ends the run. Fibers that cannot be interrupted go on as if they were, so that nothing hangs. */
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
   * What races and the like still wait for where they cannot be interrupted themselves: of the root, then of the fibers that
   * asked, from within to without, as each may still pass on that it went no further. What finalizers start is left alone,
   * unless they ask.
   */
  private findStuck(asked: Iterable<AnyFiber>): void {
    if (!this.isRootEnding) this.stuckParts.push(...this.tree.parts)
    this.stuckAskers.unshift(...this.tree.withStarters(asked, this.isRootEnding ? "without root" : "with root"))
  }

  /** Goes on with the end where the interruption of the root was not all that it takes. */
  private interruptStuck(): void {
    if (this.isOver) return
    if (this.lateAskers.length > 0) this.findStuck(this.lateAskers.splice(0))
    if (this.stuckParts.length > 0) this.interruptAll(this.stuckParts.splice(0))
    else if (this.waiting.size === 0 && this.stuckAskers.length === 0) return
    else if (!this.isCancelled && !this.isSettled()) return
    else if (this.waiting.size > 0) this.release()
    else this.interruptAll(this.stuckAskers.shift()!)
  }

  /** Ends the asks of who could not be interrupted. */
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
   * Interrupts who asked in a step, and first who started it: nobody takes the end for an answer there. Where one of these
   * does not go on with that, it may be ending already, and interrupt the others soon. If it has not done so when that had
   * its time, it cannot be interrupted, and may wait for what they still pass on.
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

  /** Whether no work is in flight, or had its time. If not, the run looks again at the end of that time. */
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

/** Recorded by a fiber in this place, after attempts that failed. */
const isOf = (
  places: ReadonlyArray<Place>,
  record: Recorded<StepRecord>
): record is Recorded<StepRecord> & { readonly at: string; readonly past: Past } =>
  record.at !== undefined && record.past !== undefined && comesTo(places, record.at, record.past)

const isStep = (waiting: Waiting): waiting is WaitingStep => waiting._tag === "Step"

const isFree = (record: { readonly isTaken: boolean }): boolean => !record.isTaken

/** More than any handler has to be told, and few enough to take no time. */
const manyAsks = 1000

const fromWireKey = (key: string): { base: string; occurrence: number; at: undefined; about: string } => {
  const [, base, occurrence] = /^([^#]*)#(\d{1,9})$/.exec(key) ?? []
  return base === undefined
    ? { base: key, occurrence: 1, at: undefined, about: key }
    : { base, occurrence: Number(occurrence), at: undefined, about: key }
}
