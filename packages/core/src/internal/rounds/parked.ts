import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Pool from "effect/Pool"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Scheduler from "effect/Scheduler"
import * as Semaphore from "effect/Semaphore"
import * as Tracer from "effect/Tracer"
import { notingTracer } from "../trace/notingTracer.ts"
import type { NotingScheduler } from "../trace/notingTracer.ts"

const never: Effect.Effect<number> = Effect.never

/** Effects that wait for what another fiber holds: a permit, or an item of a pool. */
const lockedOut: ReadonlyArray<Effect.Effect<unknown>> = [
  Effect.flatMap(Semaphore.make(0), (semaphore) => semaphore.take(1)),
  Effect.scoped(
    Effect.flatMap(
      Pool.make({ acquire: Effect.void, size: 1 }),
      (pool) => Effect.andThen(Pool.get(pool), Pool.get(pool))
    )
  )
]

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

/** What a suspended fiber waits for: what another fiber holds, something else in memory, or perhaps work in flight. */
export type Wait = "lock" | "fiber" | "work"

let waits: ReadonlyMap<string, Wait> | undefined

/** Learns once, from the Effect that runs here, how fibers look that wait for another fiber. */
const learn = (): ReadonlyMap<string, Wait> => {
  const learned = new Map<string, Wait>()
  const add = (effects: ReadonlyArray<Effect.Effect<unknown>>, wait: Wait) => {
    for (const source of effects.flatMap((effect) => sourceOf(effect) ?? [])) learned.set(source, wait)
  }
  add(lockedOut, "lock")
  add(parking, "fiber")
  return learned
}

/** Tells from the function with which a fiber is suspended what the fiber waits for. */
export const waitOf = (register: unknown): Wait => {
  if (typeof register !== "function") return "work"
  waits ??= learn()
  return waits.get(Function.prototype.toString.call(register)) ?? "work"
}
