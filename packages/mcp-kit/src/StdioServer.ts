/**
 * Runs a whole server over stdio, on any SDK.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import type { AnyFeatures } from "./Feature.ts"
import * as CallsInFlight from "./internal/calls/CallsInFlight.ts"
import { cleanExit } from "./internal/cleanExit.ts"
import { makeServers } from "./internal/makeServers.ts"
import type { LineTransport } from "./internal/stdio/LineTransport.ts"
import type { NewServer, Sdk, SdkTypes } from "./Sdk.ts"
import * as StdioTransport from "./StdioTransport.ts"

/**
 * The options of a server over stdio.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Server, Features extends AnyFeatures<Server>> extends StdioTransport.Options {
  /**
   * The name under which the server introduces itself to its client.
   */
  readonly name: string
  /**
   * The version of the server, which the client receives together with its name.
   */
  readonly version: string
  /**
   * Instructions that the client receives on how to use the server. Default: none.
   */
  readonly instructions?: string | undefined
  /**
   * The tools, prompts and resources that the server offers.
   */
  readonly features: Features
}

/**
 * The port through which the kit serves one client over stdio on one SDK. `connect` connects servers that `makeServer`
 * creates to the transport, and closes them when the scope closes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Port<T extends SdkTypes> {
  readonly sdk: Sdk<T>
  readonly newServer: NewServer<T>
  readonly connect: (
    makeServer: () => T["Server"],
    transport: LineTransport,
    onError: (error: Error) => void
  ) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * Serves one client over stdio until the client closes stdin.
 *
 * @category serving
 * @since 0.1.0
 */
export const serve = <T extends SdkTypes, const Features extends AnyFeatures<T["Server"]>>(
  port: Port<T>,
  options: Options<T["Server"], Features>
): Effect.Effect<void, Effect.Error<Features[number]>, Effect.Services<Features[number]>> =>
  Effect.scoped(Effect.flatMap(start(port, options), Deferred.await)).pipe(
    Effect.provideService(Logger.LogToStderr, true)
  )

/**
 * A server for one client over stdio. It runs for as long as the Layer lives. When the client leaves, the fiber that
 * builds the Layer is interrupted.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <T extends SdkTypes, const Features extends AnyFeatures<T["Server"]>>(
  port: Port<T>,
  options: Options<T["Server"], Features>
): Layer.Layer<never, Effect.Error<Features[number]>, Effect.Services<Features[number]>> =>
  Layer.effectDiscard(
    Effect.withFiber((parent) =>
      Effect.flatMap(start(port, options), (closed) => {
        // Detached: the interruption closes the scope, which interrupts the fibers forked in it.
        const interruptParent = Effect.forkDetach(Fiber.interrupt(parent), { startImmediately: true })
        return Effect.forkScoped(Effect.andThen(Deferred.await(closed), interruptParent))
      })
    )
  ).pipe(Layer.provide(Layer.succeed(Logger.LogToStderr, true)))

/** Serves until the scope closes. Returns a `Deferred` that completes when the client leaves. */
const start = Effect.fnUntraced(function*<T extends SdkTypes, const Features extends AnyFeatures<T["Server"]>>(
  port: Port<T>,
  options: Options<T["Server"], Features>
): Effect.fn.Return<
  Deferred.Deferred<void>,
  Effect.Error<Features[number]>,
  Effect.Services<Features[number]> | Scope.Scope
> {
  yield* cleanExit
  const { calls, makeServer, onError } = yield* makeServers(port, options)
  const closed = Deferred.makeUnsafe<void>()
  const transport = StdioTransport.make(options, () => Deferred.doneUnsafe(closed, Effect.void))
  yield* port.connect(makeServer, transport, onError)
  // Finalizers run in reverse order: the calls end before the servers close. A client that has closed its side has
  // already waited for them.
  yield* Effect.addFinalizer(() =>
    CallsInFlight.end(
      calls,
      transport.hasEnded ? Duration.zero : options.shutdownGrace ?? CallsInFlight.defaultShutdownGrace
    )
  )
  return closed
})
