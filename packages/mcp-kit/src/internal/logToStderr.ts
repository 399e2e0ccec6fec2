import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"

/**
 * Makes an effect log to stderr, unless its context already decides with `Logger.LogToStderr`. A server that the
 * application runs itself may speak MCP on stdout, where nothing else may be written.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, transports, "stdio".
 */
export const logToStderr = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber(({ context }) =>
    context.mapUnsafe.has(Logger.LogToStderr.key)
      ? effect
      : Effect.provideService(effect, Logger.LogToStderr, true)
  )
