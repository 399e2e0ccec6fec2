/**
 * Runs a whole server over stdio.
 *
 * @since 0.1.0
 */
import * as CallsInFlight from "@effect-sampling/mcp-kit/internal/calls/CallsInFlight"
import { logErrors } from "@effect-sampling/mcp-kit/internal/logErrors"
import type { Server, ServerEventBus } from "@modelcontextprotocol/server"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import type { Feature } from "./Feature.ts"
import { forwardListChanges } from "./internal/listChanges.ts"
import { makeServers } from "./internal/registry.ts"
import * as StdioTransport from "./StdioTransport.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options<E, R> extends StdioTransport.Options {
  /**
   * The name that the server tells its clients.
   */
  readonly name: string
  readonly version: string
  /**
   * Tells clients how to use the server. Default: none.
   */
  readonly instructions?: string | undefined
  /**
   * Lets handlers send log messages to clients that ask for them (`CurrentRequest`). Default: false.
   */
  readonly logging?: boolean | undefined
  /**
   * Tells clients that tools, prompts or resources have changed: publish `tools_list_changed`, `prompts_list_changed` or
   * `resources_list_changed` to it, for example to an `InMemoryServerEventBus` of the SDK. Default: lists do not change.
   */
  readonly bus?: ServerEventBus | undefined
  readonly features: ReadonlyArray<Effect.Effect<Feature, E, R>>
  /**
   * How long calls may go on when the server shuts down. Default: 10 seconds.
   */
  readonly shutdownGrace?: Duration.Input | undefined
}

/**
 * Serves one client over stdio, until it closes stdin. Then the calls in flight are interrupted.
 *
 * **When to use**
 *
 * Use as the main program of a server: it succeeds when the client leaves, and the process exits with 0.
 *
 * **Details**
 *
 * The first message of the client decides about the revision: clients of MCP 2026-07-28 are answered in rounds, older ones
 * are asked while they wait.
 *
 * When it is interrupted (SIGTERM under `NodeRuntime.runMain`), it lets calls end for `shutdownGrace`, then interrupts
 * them. Logs of handlers go to stderr, because stdout belongs to the protocol.
 *
 * **Gotchas**
 *
 * Layers that log while they are built write to stdout, unless `Logger.LogToStderr` is provided to them too.
 *
 * @category serving
 * @since 0.1.0
 */
export const serve = <E = never, R = never>(options: Options<E, R>): Effect.Effect<void, E, R> =>
  Effect.scoped(Effect.flatMap(start(options), Deferred.await)).pipe(Effect.provideService(Logger.LogToStderr, true))

/** Serves until the scope closes. What it gives is done when the client leaves. */
const start = <E, R>(options: Options<E, R>): Effect.Effect<Deferred.Deferred<void>, E, R | Scope.Scope> =>
  Effect.gen(function*() {
    const calls = new Set<Fiber.Fiber<unknown, unknown>>()
    const features = yield* Effect.all(options.features).pipe(
      Effect.provideService(CallsInFlight.CallsInFlight, calls)
    )
    const { bus, instructions, logging, name, version } = options
    const onError = yield* logErrors
    const makeServer = makeServers({
      name,
      version,
      instructions,
      logging,
      listChanged: bus !== undefined,
      features,
      onError
    })
    // The SDK makes one to see which revision the client speaks, and may make another one then.
    let current: Server | undefined
    const stopForwarding = forwardListChanges(bus, () => current)
    yield* Effect.addFinalizer(() => Effect.sync(stopForwarding))
    const transport = StdioTransport.make(options)
    const closed = Deferred.makeUnsafe<void>()
    const handle = serveStdio(() => current = makeServer(), { transport, onerror: onError })
    // After the SDK, which closes its server first.
    const { onclose } = transport
    transport.onclose = () => {
      onclose?.()
      Deferred.doneUnsafe(closed, Effect.void)
    }
    yield* Effect.addFinalizer(() => Effect.promise(() => handle.close()))
    yield* Effect.addFinalizer(() => CallsInFlight.end(calls, options.shutdownGrace ?? "10 seconds"))
    return closed
  })

/**
 * Serves one client over stdio for as long as the Layer lives.
 *
 * **Details**
 *
 * When the client leaves, the fiber that builds the Layer is interrupted, so that a program run by `Layer.launch` ends.
 *
 * **Gotchas**
 *
 * Launch this Layer itself, with what it needs provided to it. `Layer.mergeAll` builds its Layers in fibers of their own,
 * so a program that merges this one with others goes on when the client leaves.
 *
 * @see {@link serve} for a program that exits with 0 when the client leaves
 * @category layers
 * @since 0.1.0
 */
export const layer = <E = never, R = never>(options: Options<E, R>): Layer.Layer<never, E, R> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const parent = Fiber.getCurrent()!
    const closed = yield* start(options)
    yield* Effect.forkScoped(
      Effect.andThen(Deferred.await(closed), Effect.forkDetach(Fiber.interrupt(parent), { startImmediately: true }))
    )
  })).pipe(Layer.provide(Layer.succeed(Logger.LogToStderr, true)))
