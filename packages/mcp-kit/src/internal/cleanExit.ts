import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"

/**
 * Lets a process end with code 0 after a signal has stopped its server and every finalizer has succeeded. `runMain` ends
 * such a process with code 130, as if something had gone wrong. Add it before all other finalizers: it runs last.
 */
export const cleanExit: Effect.Effect<void, never, Scope.Scope> = Effect.addFinalizer((exit) =>
  Effect.sync(() => {
    if (hasListener || Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) return
    hasListener = true
    process.once("exit", () => {
      if (process.exitCode === interrupted) process.exitCode = 0
    })
  })
)

let hasListener = false

/** The code with which Effect's `Runtime.defaultTeardown` ends an interrupted program. */
const interrupted = 130
