import type { Sampler } from "@effect-sampling/core/Sampler"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { AsyncLocalStorage } from "node:async_hooks"

/** An effect that an async function may start. */
type Startable<A> = Effect.Effect<A, unknown, Sampler>

/** An effect that an async function started, and the promise that the function holds for its result. */
interface Job {
  readonly effect: Startable<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

type Event =
  | { readonly _tag: "Start"; readonly job: Job }
  | { readonly _tag: "End"; readonly job: Job; readonly exit: Exit.Exit<unknown, unknown> }
  | { readonly _tag: "Return"; readonly result: Effect.Effect<unknown, unknown> }

/** The scope whose function the current code belongs to. Async code finds it wherever its tools were passed. */
const current = new AsyncLocalStorage<AsyncScope>()

/**
 * Runs one async function in a fiber. The effects that the function starts run as children of this fiber, in the order
 * in which the function started them, so they belong to the call and end with it.
 */
export class AsyncScope {
  private readonly parent: AsyncScope | undefined
  private readonly events: Array<Event> = []
  private readonly jobs = new Set<Job>()
  private wake: (() => void) | undefined
  private end: "open" | "suspended" | { readonly reason: unknown } = "open"
  private controller: AbortController | undefined
  /** The function has started an effect after work that its fiber does not see. */
  private hasOtherWork = false

  constructor(parent: AsyncScope | undefined) {
    this.parent = parent
  }

  get signal(): AbortSignal {
    this.controller ??= new AbortController()
    if (typeof this.end === "object") this.controller.abort(this.end.reason)
    return this.controller.signal
  }

  /** Calls the function, and waits for its promise. */
  call<A>(f: () => A | PromiseLike<A>): Startable<A> {
    return Effect.suspend(() => {
      // A function that throws at once rejects as well.
      current.run(this, () => Promise.resolve().then(f)).then(
        (value) => this.push({ _tag: "Return", result: Effect.succeed(value) }),
        (error: unknown) => this.push({ _tag: "Return", result: Effect.fail(error) })
      )
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the only event that ends the loop carries the value of this function
      return Effect.onExit(this.loop, (exit) => this.close(exit)) as Startable<A>
    })
  }

  /**
   * Runs an effect for the function, in the scope that the calling code belongs to: in this one, or in one inside it
   * (`once`).
   */
  run<A>(make: (scope: AsyncScope) => Startable<A>): Promise<A> {
    const caller = current.getStore()
    const scope = caller?.isWithin(this) === true ? caller : this
    return scope.start(make(scope))
  }

  private start<A>(effect: Startable<A>): Promise<A> {
    const { promise, reject, resolve } = Promise.withResolvers<unknown>()
    if (this.end === "open") this.push({ _tag: "Start", job: { effect, resolve, reject, fiber: undefined } })
    else if (this.end !== "suspended") reject(this.end.reason)
    // A client must not be able to end the process with an error that the function awaits later, or never.
    promise.catch(() => {})
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the promise is resolved with the value of the effect
    return promise as Promise<A>
  }

  private isWithin(other: AsyncScope): boolean {
    return this === other || this.parent?.isWithin(other) === true
  }

  private push(event: Event): void {
    if (this.end !== "open") return
    this.events.push(event)
    this.wake?.()
  }

  private readonly loop: Startable<unknown> = Effect.suspend(() => {
    const event = this.events.shift()
    if (event === undefined) return Effect.andThen(this.pause, this.loop)
    switch (event._tag) {
      case "Start":
        return Effect.andThen(this.fork(event.job), this.loop)
      case "End":
        return Effect.andThen(this.settle(event.job, event.exit), this.loop)
      case "Return":
        return event.result
    }
  })

  /**
   * Waits for the next event, after the function had its turn. While effects run, the function counts as waiting for
   * them, unless it has gone on after other work before: then it may do so again, and that is work in flight.
   */
  private readonly pause: Effect.Effect<void> = Effect.andThen(
    Effect.yieldNow,
    Effect.suspend(() => {
      if (this.events.length > 0) return Effect.void
      return this.jobs.size > 0 && !this.hasOtherWork ? RoundRunner.idle(this.next) : this.next
    })
  )

  private readonly next: Effect.Effect<void> = Effect.callback((resume) => {
    this.wake = () => {
      this.wake = undefined
      // The function had its turn and was quiet, so something else has woken it: a request or a timer, for example.
      if (this.events[0]?._tag === "Start") this.hasOtherWork = true
      resume(Effect.void)
    }
    return Effect.sync(() => (this.wake = undefined))
  })

  private fork(job: Job): Effect.Effect<void, never, Sampler> {
    this.jobs.add(job)
    return Effect.map(Effect.forkChild(job.effect, { startImmediately: true }), (fiber) => {
      job.fiber = fiber
      fiber.addObserver((exit) => this.push({ _tag: "End", job, exit }))
    })
  }

  private settle(job: Job, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    this.jobs.delete(job)
    if (Exit.isSuccess(exit)) return Effect.sync(() => job.resolve(exit.value))
    if (!Cause.hasInterruptsOnly(exit.cause)) return Effect.sync(() => job.reject(Cause.squash(exit.cause)))
    return Effect.map(RoundRunner.hasEnded, (hasRoundEnded) => {
      if (!hasRoundEnded) job.reject(cancelled())
    })
  }

  /**
   * Ends the scope. At the end of a round the promises of the function stay open: the function must not mistake that end
   * for a failure, because it continues in the next round. Whoever cancels a call rejects them, so `finally` runs.
   */
  private close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.flatMap(RoundRunner.hasEnded, (hasRoundEnded) => {
      const isInterrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
      const jobs = [...this.jobs]
      if (isInterrupted && hasRoundEnded) this.end = "suspended"
      else {
        const reason = isInterrupted ? cancelled() : ended()
        this.end = { reason }
        if (isInterrupted) this.controller?.abort(reason)
        for (const job of jobs) job.reject(reason)
      }
      this.jobs.clear()
      return Fiber.interruptAll(jobs.flatMap(({ fiber }) => fiber ?? []))
    })
  }
}

const cancelled = () => new DOMException("The call was cancelled", "AbortError")

const ended = () => new Error("The handler of this call has returned, so it cannot ask any more. Await what you start.")

/**
 * Runs an async function as an effect. The function receives its scope, in which it runs effects. `parent` is the scope
 * of the function that starts this one.
 */
export const fromAsync = <A>(
  f: (scope: AsyncScope) => A | PromiseLike<A>,
  parent?: AsyncScope
): Effect.Effect<A, unknown, Sampler> =>
  Effect.suspend(() => {
    const scope = new AsyncScope(parent)
    return scope.call(() => f(scope))
  })
