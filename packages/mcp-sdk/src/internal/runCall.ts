import { AskTimeout, ClientConnection } from "@effect-sampling/core/ClientConnection"
import { protocolError } from "@effect-sampling/core/wire/HandlerFailure"
import { CallsInFlight } from "@effect-sampling/mcp-kit/internal/calls/CallsInFlight"
import { ClientChannel, idInUse } from "@effect-sampling/mcp-kit/internal/calls/ClientChannel"
import * as HttpStreams from "@effect-sampling/mcp-kit/internal/http/HttpStreams"
import { timerMillis } from "@effect-sampling/mcp-kit/internal/timerMillis"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { ErrorCode } from "@modelcontextprotocol/sdk/types.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import { SdkConnection } from "./SdkConnection.ts"
import type { Extra } from "./SdkConnection.ts"

/**
 * Runs the effects of calls, each with the connection of its client, and interrupts a call when its request ends. What it
 * gives is what `toResult` makes of the end.
 */
export type RunCall<R> = <A, E, B>(
  effect: Effect.Effect<A, E, R>,
  server: Server,
  extra: Extra,
  toResult: (exit: Exit.Exit<A, E>, server: Server, extra: Extra) => B | Promise<B>
) => Promise<B>

/** Calls run with the services of the current context, and with those of `captured` that it lacks. */
export const makeRunCall = <R>(
  captured: Context.Context<never> = Context.empty()
): Effect.Effect<RunCall<R>, never, R> =>
  Effect.map(Effect.context<R>(), (current): RunCall<R> => {
    const services = Context.merge(captured, current)
    const calls = Context.get(services, CallsInFlight)
    const askTimeoutMillis = timerMillis(Context.get(services, AskTimeout))
    const run = Effect.runPromiseExitWith(services)
    return (effect, server, extra, toResult) => {
      const { transport } = server
      if (transport !== undefined && ClientChannel.find(transport)?.isRunning(extra.requestId) === true) {
        throw protocolError(ErrorCode.InvalidRequest, idInUse(extra.requestId))
      }
      let call: Fiber<unknown, unknown> | undefined
      return run(withConnection(effect, new SdkConnection(server, extra, askTimeoutMillis)), {
        onFiberStart: (fiber) => {
          call = fiber
          calls.add(fiber)
          if (extra.signal.aborted || transport === undefined) fiber.interruptUnsafe()
          else ClientChannel.on(transport).watch(extra.requestId, fiber)
        }
        // No observer of the fiber: the second one makes it reserve room for many.
      }).then((exit) => {
        if (call !== undefined) {
          calls.delete(call)
          if (transport !== undefined) ClientChannel.find(transport)?.unwatch(extra.requestId)
          if (extra.signal.aborted) HttpStreams.find(transport)?.cancelled(extra.requestId)
        }
        return toResult(exit, server, extra)
      })
    }
  })

/** For the whole fiber, which ends with the call: nothing waits to put the old context back. */
const withConnection = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  connection: ClientConnection
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    fiber.setContext(Context.add(fiber.context, ClientConnection, connection))
    return effect
  })
