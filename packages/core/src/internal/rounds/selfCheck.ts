import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

/**
 * Returns whether Effect asks the scheduler of a fiber before the first operation of the fiber, when the fiber has
 * nothing to go back to. Effect does not promise it. Without it, nobody knows which fibers a run has.
 */
export const seesFirstOperations = (context: Context.Context<never> = Context.empty()): boolean => {
  const probe = new Probe()
  const begun = new Set<unknown>()
  const child = Effect.withFiber((fiber) => Effect.sync(() => begun.add(fiber)))
  const both = Effect.all([child, Effect.flatMap(child, () => Effect.void)], { concurrency: 2, discard: true })
  Effect.runForkWith(Context.add(context, Scheduler.Scheduler, probe))(both)
  return begun.size === 2 && [...begun].every((fiber) => probe.first.has(fiber))
}

/** Collects the fibers that it sees before their first operation. */
class Probe extends Scheduler.MixedScheduler {
  readonly first = new Set<unknown>()
  private readonly seen = new Set<unknown>()

  override shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    if (!this.seen.has(fiber) && !hasBegun(fiber)) this.first.add(fiber)
    this.seen.add(fiber)
    return false
  }
}

/**
 * Returns whether a fiber has operations to go back to. Effect does not promise this member: without it, each fiber
 * counts as one that begins.
 */
export const hasBegun = (fiber: Fiber.Fiber<unknown, unknown> & { readonly _stack?: unknown }): boolean =>
  Array.isArray(fiber._stack) && fiber._stack.length > 0
