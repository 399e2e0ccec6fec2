/** What the engine of rounds assumes about Effect, and Effect does not promise. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Pool, Queue, Scheduler, Semaphore, Tracer } from "effect"
import { waitOf } from "../src/internal/rounds/parked.ts"
import { seesFirstOperations } from "../src/internal/rounds/selfCheck.ts"
import { notingTracer } from "../src/internal/trace/notingTracer.ts"
import type { NotingScheduler } from "../src/internal/trace/notingTracer.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** A scheduler that writes down when it sees a fiber first, and how fibers suspend themselves. */
class Observer extends Scheduler.MixedScheduler implements NotingScheduler {
  readonly seen = new Map<AnyFiber, { readonly stack: unknown }>()
  readonly suspended = new Map<AnyFiber, unknown>()

  override shouldYield(fiber: AnyFiber): boolean {
    if (!this.seen.has(fiber)) {
      const stack: unknown = Reflect.get(fiber, "_stack")
      this.seen.set(fiber, { stack: Array.isArray(stack) ? stack.length : stack })
    }
    return super.shouldYield(fiber)
  }

  readonly noteSuspension = (fiber: AnyFiber, register: unknown): void => void this.suspended.set(fiber, register)
}

const contextOf = (observer: Observer) =>
  Context.make(Scheduler.Scheduler, observer).pipe(
    Context.add(Tracer.Tracer, notingTracer(Tracer.nativeTracer))
  )

describe("What the engine of rounds assumes about Effect", () => {
  it.effect("the scheduler of a fiber is asked before the first operation of the fiber, when it has nothing to go back to", () =>
    Effect.gen(function*() {
      const observer = new Observer()
      const children: Array<AnyFiber> = []
      const child = Effect.withFiber((fiber) => Effect.sync(() => void children.push(fiber)))
      const root = Effect.runForkWith(contextOf(observer))(
        Effect.gen(function*() {
          yield* Fiber.join(yield* Effect.forkChild(child))
          yield* Fiber.join(yield* Effect.forkChild(child, { startImmediately: true }))
          yield* Fiber.join(yield* Effect.forkDetach(child))
          yield* Effect.all([child, child], { concurrency: "unbounded" })
          yield* Effect.timeout(child, "1 hour")
        })
      )
      yield* Fiber.join(root)
      assert.lengthOf(children, 6)
      for (const fiber of [root, ...children]) assert.deepStrictEqual(observer.seen.get(fiber), { stack: 0 })
    }))

  it.effect("a fiber that takes over a context in the middle of its work has something to go back to", () =>
    Effect.gen(function*() {
      const observer = new Observer()
      const gate = yield* Deferred.make<void>()
      const jobs = yield* Queue.unbounded<Effect.Effect<void>>()
      const worker = yield* Effect.forkDetach(
        Effect.forever(Effect.flatMap(Queue.take(jobs), (job) => Effect.provideContext(job, contextOf(observer))))
      )
      yield* Queue.offer(jobs, Effect.andThen(Effect.yieldNow, Deferred.succeed(gate, undefined)))
      yield* Deferred.await(gate)
      const seen = observer.seen.get(worker)
      assert.isTrue(typeof seen?.stack === "number" && seen.stack > 0)
      yield* Fiber.interrupt(worker)
    }))

  it.effect("the operation that suspends a fiber shows how it does: for a lock, for another fiber, or for work in flight", () =>
    Effect.gen(function*() {
      const suspensionOf = (effect: Effect.Effect<unknown>) =>
        Effect.sync(() => {
          const observer = new Observer()
          const fiber = Effect.runForkWith(contextOf(observer))(effect)
          const register = observer.suspended.get(fiber)
          fiber.interruptUnsafe()
          return register
        })
      const queue = yield* Queue.unbounded<number>()
      for (const effect of [Effect.never, Queue.take(queue), Effect.flatMap(Deferred.make<void>(), Deferred.await)]) {
        assert.strictEqual(waitOf(yield* suspensionOf(effect)), "fiber")
      }
      const pool = yield* Pool.make({ acquire: Effect.void, size: 1 })
      yield* Pool.get(pool)
      const locks = [
        Effect.flatMap(Semaphore.make(0), (semaphore) => semaphore.take(1)),
        Pool.get(pool)
      ]
      for (const effect of locks) {
        assert.strictEqual(waitOf(yield* suspensionOf(Effect.scoped(effect))), "lock")
      }
      const others = [
        Effect.promise(() => new Promise(() => {})),
        Effect.sleep("1 hour"),
        Effect.callback<void>(() => Effect.void)
      ]
      for (const effect of others) {
        const register = yield* suspensionOf(effect)
        assert.isFunction(register)
        assert.strictEqual(waitOf(register), "work")
      }
    }))

  it.effect("a forked fiber starts with the context object of the fiber that forked it", () =>
    Effect.gen(function*() {
      const own = yield* Effect.withFiber((fiber) => Effect.succeed(fiber.context))
      const forked = yield* Effect.forkChild(Effect.withFiber((fiber) => Effect.succeed(fiber.context)))
      assert.strictEqual(yield* Fiber.join(forked), own)
    }))

  it("the self-check of the engine passes on this Effect, and fails where the scheduler is not asked", () => {
    assert.isTrue(seesFirstOperations())
    assert.isFalse(seesFirstOperations(Context.make(Scheduler.PreventSchedulerYield, true)))
  })
})
