import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Random } from "effect/Random"
import * as Result from "effect/Result"
import type { ClientRequest } from "../../ClientConnection.ts"
import { InvalidRequest } from "../../SamplingError.ts"
import type { InvalidResponse, ReplayMismatch, SamplingError, SamplingRejected } from "../../SamplingError.ts"
import { aboutRequest, quoteAbout } from "./aboutRequest.ts"
import { Answers } from "./Answers.ts"
import type { Ask, Recorded } from "./Answers.ts"
import { digest } from "./digest.ts"
import { askMismatch, notJson, roundsExceeded, sharedKey, sharedName } from "./failures.ts"
import { FiberTree } from "./FiberTree.ts"
import { wireKey } from "./Journal.ts"
import type { AskRecord, Journal, Outcome, StepRecord } from "./Journal.ts"
import { Keys } from "./Keys.ts"
import type { Place } from "./Place.ts"
import { addWaiting, RunningStep } from "./RunningStep.ts"
import { CurrentScope } from "./Scope.ts"
import { Steps } from "./Steps.ts"
import type { Use } from "./Steps.ts"
import { toJson } from "./toJson.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** The run that the current fiber belongs to, or undefined where the client is not asked in rounds. */
export const CurrentRun = Context.Reference<RoundRun | undefined>("@effect-sampling/core/internal/rounds/CurrentRun", {
  defaultValue: () => undefined
})

interface WaitingAsk extends Ask {
  readonly _tag: "Ask"
  readonly fiber: AnyFiber
  readonly step: RunningStep | undefined
  readonly take: (answer: Recorded) => void
  readonly resume: (end: Effect.Effect<never, SamplingError>) => void
}

/** Reads an answer of the client, as `ClientConnection.ask` describes it. */
export type Decode<A> = (answer: unknown) => Result.Result<A, InvalidResponse | SamplingRejected>

/** A once-step that starts after the end of the run. It must not run, because its outcome could not be recorded. */
interface LateStep {
  readonly _tag: "Late"
  readonly fiber: AnyFiber
  readonly step: RunningStep | undefined
  readonly resume: (end: Effect.Effect<never>) => void
}

/** An ask or a once-step that waits for the run to resume it. */
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
  | { readonly _tag: "InvalidAnswer"; readonly key: string; readonly error: InvalidResponse }
  | { readonly _tag: "Mismatch"; readonly error: ReplayMismatch }

/** Why a run accepts no more asks. */
type End = Interruption | { readonly _tag: "Completed" } | { readonly _tag: "Cancelled" }

/** One run of a handler. An ask finds its answer or waits. When nothing else runs, the waiting asks end the round. */
export class RoundRun {
  readonly tree: FiberTree
  readonly answers: Answers
  usedSeed: string | undefined
  /** See the journal. */
  doubts: number
  /** The generators of random numbers, by the scopes that draw from them. */
  readonly generators = new Map<string, Random>()
  /** Whether the handler read the start time of the call. If it did, the next run must know that time. */
  isStartKnown = false
  private readonly options: Options
  private readonly steps: Steps
  private readonly keys = new Keys()
  /** Whether asks may take answers that arrived without a state; undefined until that is decided. */
  private takesUnasked: boolean | undefined
  private readonly waiting = new Set<Waiting>()
  private readonly runningSteps = new Set<RunningStep>()
  private root: AnyFiber | undefined
  private end: End | undefined
  /** The handler's fiber has ended, or it was left behind. */
  private isOver = false
  private readonly overObservers: Array<() => void> = []
  /** The fibers that wait since the end, and were not interrupted so far. */
  private readonly toInterrupt = new Set<AnyFiber>()
  private hasSettled = false
  private stopSettling: (() => void) | undefined

  constructor(options: Options) {
    const { journal, responses } = options
    this.options = options
    this.usedSeed = journal.seed
    this.doubts = journal.doubts
    this.tree = new FiberTree(options.context, () => this.look())
    this.answers = new Answers(journal, responses)
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

  /** The reason why the run ended before its handler completed; undefined if it did not. */
  get interruption(): Interruption | undefined {
    return this.end === undefined || this.end._tag === "Completed" || this.end._tag === "Cancelled"
      ? undefined
      : this.end
  }

  /** The run has ended before its handler. What happens from now on may be a consequence of that. */
  private get isStopped(): boolean {
    return this.end !== undefined && this.end._tag !== "Completed"
  }

  /** Watches the fiber that runs the handler. */
  started(root: AnyFiber): void {
    this.root = root
    root.addObserver(() => this.finish())
  }

  /** Calls `observer` when the handler's fiber has ended or was left behind. */
  onOver(observer: () => void): void {
    if (this.isOver) observer()
    else this.overObservers.push(observer)
  }

  /** Interrupts the handler because the client cancelled the call. */
  cancel(): void {
    this.endWith({ _tag: "Cancelled" })
    this.end = { _tag: "Cancelled" }
    this.tree.check()
  }

  get done(): ReadonlyArray<StepRecord> {
    return this.steps.all
  }

  ask<A>(request: ClientRequest, decode: Decode<A>): Effect.Effect<A, SamplingError> {
    return Effect.withFiber((fiber) => {
      const branch = this.tree.branchOf(fiber)
      const { step } = branch.place
      const at = branch.place.nextAsk()
      return Effect.flatMap(this.baseOf(request, fiber.getRef(CurrentScope)), (base) => {
        if (request.key !== undefined && this.end === undefined && this.keys.isClash(base, request, branch)) {
          return this.breakOff(fiber, { _tag: "Mismatch", error: sharedKey(request.key) })
        }
        const answer = this.answers.find(base, (answer) => answer.at === at || this.mayTakeUnasked(answer, request))
        const take = (answer: Recorded) => this.take(fiber, answer, at, decode)
        return answer === undefined
          ? this.wait<A, SamplingError>(
            fiber,
            (resume) => ({
              _tag: "Ask",
              fiber,
              base,
              at,
              step,
              request,
              resume,
              take: (answer) => resume(take(answer))
            })
          )
          : take(answer)
      })
    })
  }

  step<A, E, R>(step: Step<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.withFiber((fiber) => {
      const branch = this.tree.branchOf(fiber)
      const { place } = branch
      const key = this.steps.keyOf(place.step?.id, fiber.getRef(CurrentScope), step.name)
      if (!step.isShared && this.end === undefined && this.steps.isClash(key, branch)) {
        return this.breakOff(fiber, { _tag: "Mismatch", error: sharedName(step.name) })
      }
      const use = this.steps.use(key, branch)
      return use.record === undefined
        ? this.runStep(step, use, place, fiber)
        : this.reuse(step, use.record.outcome, place, fiber)
    })
  }

  /** Ends the run in the middle of an operation of a fiber. No handler can catch that. */
  private breakOff(fiber: AnyFiber, interruption: Interruption): Effect.Effect<never> {
    this.endWith(interruption)
    this.tree.interrupt(fiber)
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

  private take<A>(
    fiber: AnyFiber,
    answer: Recorded,
    at: string,
    decode: Decode<A>
  ): Effect.Effect<A, SamplingRejected> {
    this.answers.take(answer, at)
    const decoded = decode(answer.answer)
    if (Result.isSuccess(decoded)) return Effect.succeed(decoded.success)
    return decoded.failure._tag === "InvalidResponse"
      ? this.breakOff(fiber, { _tag: "InvalidAnswer", key: wireKey(answer), error: decoded.failure })
      : Effect.fail(decoded.failure)
  }

  private reuse<A, E, R>(
    step: Step<A, E, R>,
    outcome: Outcome,
    place: Place,
    fiber: AnyFiber
  ): Effect.Effect<A, E, R> {
    place.stepDone()
    return Effect.matchEffect(step.decode(outcome), {
      onFailure: (error) => this.breakOff(fiber, { _tag: "Mismatch", error }),
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
      // The handler has completed, so there is no next run. What outlives the call runs as it does outside of rounds.
      if (this.end?._tag === "Completed") return restore(step.effect)
      if (this.end !== undefined) {
        this.steps.giveBack(use)
        return this.wait(fiber, (resume) => ({ _tag: "Late", fiber, step: place.step, resume }))
      }
      const running = new RunningStep(place.step, use.id)
      this.runningSteps.add(running)
      const inside = place.insideStep(running)
      this.tree.moves(fiber, inside)
      return Effect.exit(restore(step.effect)).pipe(
        Effect.flatMap((exit) => {
          this.tree.moves(fiber, place)
          if (this.isStopped) return Exit.isSuccess(exit) ? Effect.interrupt : exit
          return Effect.flatMap(step.encode(exit), (outcome) => {
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
    this.answers.dropInside(inside)
    this.steps.record(use, place.path, outcome)
  }

  private wait<A, E>(
    fiber: AnyFiber,
    make: (resume: (result: Effect.Effect<A, E>) => void) => Waiting
  ): Effect.Effect<A, E> {
    return Effect.callback((resume) => {
      this.tree.waits(fiber)
      if (this.end !== undefined) {
        if (++this.tree.branchOf(fiber).lateAsks > manyAsks) return
        this.toInterrupt.add(fiber)
      }
      const waiting = make((result) => {
        this.forget(waiting)
        resume(result)
      })
      this.waiting.add(waiting)
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

  /** Runs when nothing is left to run. Resumes the asks that can have a result, or ends the round. */
  private look(): void {
    if (this.end !== undefined) return this.lookAfterEnd()
    if (this.waiting.size === 0 || this.isStepAtWork() || !this.isSettled()) return
    const asks = [...this.waiting]
      .filter((each) => each._tag === "Ask")
      .toSorted((one, other) => one.at < other.at ? -1 : 1)
    if (this.giveMovedAnswers(asks) || this.refuseRounds(asks)) this.unsettle()
    else this.endWith(this.findMismatch(asks) ?? { _tag: "Asks", asks: this.answers.toRecords(asks) })
  }

  /**
   * Resumes asks with the answer of an equal ask of another fiber. Which of them gets it does not matter, unless their
   * next asks are recorded: while the other fiber may still come for its answer, the ask goes to the client again. A
   * fiber that sleeps beyond the end of the round, as the timer of a time-out does, does not come.
   */
  private giveMovedAnswers(asks: ReadonlyArray<WaitingAsk>): boolean {
    const isAllThere = !this.tree.isBusy(this.options.horizon())
    return asks.filter(({ base, take }) => {
      const answer = this.answers.find(base, (answer) => answer.at !== undefined)
      if (answer === undefined || !(isAllThere || this.isLastRound || this.answers.isOnly(base))) return false
      take(answer)
      return true
    }).length > 0
  }

  /**
   * Returns the mismatch of a handler that asks something else in every run: in several rounds in a row it took nothing
   * new that the client had answered. A single such round proves nothing, because timing may change what comes first. It
   * proves even less while a fiber sleeps or works and may still take an answer.
   */
  private findMismatch(asks: ReadonlyArray<WaitingAsk>): Interruption | undefined {
    const { isSilent, tookNew, untaken } = this.answers
    if (tookNew) this.doubts = 0
    // A client that answered nothing is asked again, and nothing follows from that.
    if (tookNew || untaken === undefined || isSilent) return undefined
    this.doubts += this.tree.isBlind || this.tree.isBusy(Infinity) ? 1 : 2
    return this.doubts < manyDoubts
      ? undefined
      : { _tag: "Mismatch", error: askMismatch(quoteAbout(untaken.about), quoteAbout(aboutRequest(asks[0]!.request))) }
  }

  private refuseRounds(asks: ReadonlyArray<WaitingAsk>): boolean {
    if (!this.isLastRound) return false
    for (const ask of asks) ask.resume(Effect.fail(roundsExceeded(this.options.maxRounds)))
    return true
  }

  private get isLastRound(): boolean {
    return this.options.journal.rounds >= this.options.maxRounds
  }

  /**
   * Ends the run: first the handler and whatever waits are interrupted, from the outermost fiber to the innermost, so no
   * fiber mistakes the end of another one for an answer.
   */
  private endWith(end: End): void {
    if (this.end !== undefined) return
    this.end = end
    this.unsettle()
    for (const { fiber } of this.waiting) this.toInterrupt.add(fiber)
    this.tree.end()
    if (this.root !== undefined && !this.isOver) this.tree.interrupt(this.root)
  }

  /**
   * Then whatever still waits is resumed with an interruption: it cannot be interrupted. A handler's fiber that does not
   * end in spite of that is left behind.
   */
  private lookAfterEnd(): void {
    if (this.toInterrupt.size > 0) {
      // A completed call leaves what outlives it alone, unless it asks.
      const fibers = this.end?._tag === "Completed" ? [...this.toInterrupt] : this.tree.linesOf(this.toInterrupt)
      this.toInterrupt.clear()
      for (const fiber of fibers) this.tree.interrupt(fiber)
      this.tree.check()
    } else if (this.waiting.size > 0) {
      const waiting = [...this.waiting]
      for (const { resume } of waiting) resume(Effect.interrupt)
      this.tree.check()
    } else if (!this.isOver && !this.tree.isEnding) {
      // What the handler's fiber waits for may be the end of a fiber that the run does not know.
      if (this.end?._tag === "Cancelled" || this.hasSettled || this.options.horizon() === Infinity) this.finish()
      else this.settle()
    }
  }

  private finish(): void {
    if (this.isOver) return
    this.isOver = true
    this.endWith({ _tag: "Completed" })
    this.unsettle()
    this.tree.close()
    this.tree.check()
    for (const observer of this.overObservers) observer()
  }

  /**
   * Returns whether a once-step is at work. It may wait for any busy fiber, unless it waits for a lock: whoever holds
   * the lock may be asking, and what sleeps then may be the timer of a time-out.
   */
  private isStepAtWork(): boolean {
    const steps = this.openSteps()
    if (steps.length === 0) return false
    return this.tree.isBusy(steps.every((step) => this.tree.isLockedOut(step)) ? -Infinity : Infinity)
  }

  /** Returns the once-steps that run, and do not wait for an answer. */
  private openSteps(): ReadonlyArray<RunningStep> {
    return [...this.runningSteps].filter((step) => step.waiting === 0)
  }

  /** Returns whether no work is in flight, or its time is over. If not, `look` runs again at the end of that time. */
  private isSettled(): boolean {
    const horizon = this.options.horizon()
    // What nobody sees, such as the work of a shared worker for a once-step, gets the settle time, but no infinite one.
    const isBlind = horizon < Infinity && (this.tree.isBlind || this.openSteps().length > 0)
    if (this.hasSettled || !(isBlind || this.tree.isBusy(horizon))) return true
    this.settle()
    return false
  }

  private settle(): void {
    this.stopSettling ??= this.options.settle(() => {
      this.hasSettled = true
      this.look()
    })
  }

  private unsettle(): void {
    this.hasSettled = false
    this.stopSettling?.()
    this.stopSettling = undefined
  }
}

/** A call ends after two rounds in a row in which nothing was taken, or after four if fibers were at work in them. */
const manyDoubts = 4

/** A fiber that asks more often than this after the end receives nothing any more. No sensible handler does. */
const manyAsks = 1000
