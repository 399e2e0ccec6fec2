import { ClientChannel } from "@effect-sampling/core/adapter/ClientChannel"
import * as HttpStreams from "@effect-sampling/core/adapter/HttpStreams"
import { ClientConnection } from "@effect-sampling/core/ClientConnection"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import { AskTimeout } from "../AskTimeout.ts"
import { SdkConnection } from "./SdkConnection.ts"
import type { Extra } from "./SdkConnection.ts"
import { timerMillis } from "./timerMillis.ts"

/** Runs the effects of calls, each with the connection of its client, and interrupts a call when its request ends. */
export type RunCall<R> = <A, E>(
  effect: Effect.Effect<A, E, R>,
  server: Server,
  extra: Extra
) => Promise<Exit.Exit<A, E>>

/** The calls that have not ended: a server that shuts down waits for them. */
export const CallsInFlight = Context.Reference<Set<Fiber<unknown, unknown>>>(
  "@effect-sampling/mcp-sdk/internal/CallsInFlight",
  { defaultValue: () => new Set() }
)

/** Calls run with the services of the current context, and with those of `captured` that it lacks. */
export const makeRunCall = <R>(
  captured: Context.Context<never> = Context.empty()
): Effect.Effect<RunCall<R>, never, R> =>
  Effect.map(Effect.context<R>(), (current): RunCall<R> => {
    const services = Context.merge(captured, current)
    const calls = Context.get(services, CallsInFlight)
    const askTimeoutMillis = timerMillis(Context.get(services, AskTimeout))
    return (effect, server, extra) =>
      Effect.runPromiseExitWith(
        Context.add(services, ClientConnection, new SdkConnection(server, extra, askTimeoutMillis))
      )(effect, {
        onFiberStart: (fiber) => {
          const { transport } = server
          const channel = transport === undefined ? undefined : ClientChannel.on(transport)
          if (extra.signal.aborted || channel === undefined) fiber.interruptUnsafe()
          else channel.watch(extra.requestId, fiber)
          calls.add(fiber)
          fiber.addObserver(() => {
            calls.delete(fiber)
            channel?.unwatch(extra.requestId, fiber)
            if (extra.signal.aborted) HttpStreams.find(transport)?.cancelled(extra.requestId)
          })
        }
      })
  })
