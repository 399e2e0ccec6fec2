import type * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Tracer from "effect/Tracer"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/**
 * An operation of a fiber, as a tracer sees it. One that suspends the fiber has the function with which it registers
 * what will resume it. Effect does not promise this member: without it, nothing is noted.
 */
type Operation<X> = Tracer.EffectPrimitive<X> & { readonly register?: unknown }

/** A scheduler that wants to know with which functions operations suspend its fibers. */
export interface NotingScheduler {
  readonly noteSuspension: (fiber: AnyFiber, register: unknown) => void
}

const notingTracers = new WeakMap<Tracer.Tracer, Tracer.Tracer>()

/** Wraps a tracer, so it tells the schedulers of fibers how these suspend themselves. There is one for each tracer. */
export const notingTracer = (tracer: Tracer.Tracer): Tracer.Tracer => {
  const known = notingTracers.get(tracer)
  if (known !== undefined) return known
  const { context } = tracer
  const noting: Tracer.Tracer = Object.create(tracer, {
    context: {
      value: context === undefined ? evaluate : <X>(operation: Operation<X>, fiber: AnyFiber) => {
        note(operation, fiber)
        return context(operation, fiber)
      }
    }
  })
  notingTracers.set(tracer, noting)
  notingTracers.set(noting, noting)
  return noting
}

/** Returns whether nobody can see the spans of a tracer, because none is installed. */
export const isNative = (tracer: Tracer.Tracer): boolean =>
  tracer === Tracer.nativeTracer || tracer === notingTracers.get(Tracer.nativeTracer)

/** One function for all calls, so V8 can make it a part of Effect's own loop. */
const evaluate = <X>(operation: Operation<X>, fiber: AnyFiber): X => {
  note(operation, fiber)
  return operation["~effect/Effect/evaluate"](fiber)
}

const note = ({ register }: Operation<unknown>, fiber: AnyFiber): void => {
  if (register === undefined) return
  const { scheduler } = fiber.cache
  if (isNoting(scheduler)) scheduler.noteSuspension(fiber, register)
}

const isNoting = (scheduler: object): scheduler is NotingScheduler => Predicate.hasProperty(scheduler, "noteSuspension")
