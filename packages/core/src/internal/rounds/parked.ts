import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Scheduler from "effect/Scheduler"
import * as Semaphore from "effect/Semaphore"
import * as Tracer from "effect/Tracer"
import { notingTracer } from "../trace/notingTracer.ts"
import type { NotingScheduler } from "../trace/notingTracer.ts"

const never: Effect.Effect<number> = Effect.never

/**
 * Effects that park a fiber: it waits for another fiber, in memory. Every other suspended fiber may wait for work in
 * flight.
 */
const parking: ReadonlyArray<Effect.Effect<unknown>> = [
  never,
  Effect.flatMap(Deferred.make<void>(), Deferred.await),
  Effect.flatMap(Latch.make(), Latch.await),
  Effect.flatMap(Queue.unbounded<number>(), Queue.take),
  Effect.flatMap(Queue.unbounded<number>(), Queue.takeAll),
  Effect.flatMap(Queue.unbounded<number>(), Queue.await),
  Effect.flatMap(Queue.bounded<number>(0), (queue) => Queue.offer(queue, 1)),
  Effect.flatMap(Queue.bounded<number>(0), (queue) => Queue.offerAll(queue, [1, 2])),
  Effect.scoped(Effect.flatMap(Effect.flatMap(PubSub.unbounded<number>(), PubSub.subscribe), PubSub.take)),
  Effect.flatMap(Semaphore.make(0), (semaphore) => semaphore.take(1)),
  Effect.flatMap(Effect.forkChild(never), Fiber.await),
  Effect.flatMap(Effect.forkChild(never), Fiber.join),
  Effect.flatMap(Effect.forkChild(never), (fiber) => Fiber.awaitAll([fiber])),
  Effect.all([never, never], { concurrency: "unbounded" }),
  Effect.raceAll([never, never]),
  Effect.raceAllFirst([never, never])
]

/** Returns the source of the function with which the effect suspends its fiber. */
const sourceOf = (effect: Effect.Effect<unknown>): string | undefined => {
  const suspensions = new Map<unknown, unknown>()
  const scheduler = new NotingProbe((fiber, register) => suspensions.set(fiber, register))
  const context = Context.make(Scheduler.Scheduler, scheduler).pipe(
    Context.add(Tracer.Tracer, notingTracer(Tracer.nativeTracer))
  )
  const fiber = Effect.runForkWith(context)(effect)
  const register = suspensions.get(fiber)
  fiber.interruptUnsafe()
  return typeof register === "function" ? Function.prototype.toString.call(register) : undefined
}

class NotingProbe extends Scheduler.MixedScheduler implements NotingScheduler {
  readonly noteSuspension: NotingScheduler["noteSuspension"]

  constructor(noteSuspension: NotingScheduler["noteSuspension"]) {
    super()
    this.noteSuspension = noteSuspension
  }
}

let sources: ReadonlySet<string> | undefined

/** Learns once, from the Effect that runs here, how parked fibers look. */
const learn = (): ReadonlySet<string> => new Set(parking.flatMap((effect) => sourceOf(effect) ?? []))

/** Returns whether the function with which a fiber is suspended only waits for another fiber. */
export const isParked = (register: unknown): boolean => {
  if (typeof register !== "function") return false
  sources ??= learn()
  return sources.has(Function.prototype.toString.call(register))
}
