/**
 * Runs a whole server over Streamable HTTP, on any SDK.
 *
 * @since 0.1.0
 */
import { Principal } from "@effect-sampling/core/ClientConnection"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import type { AnyFeatures } from "./Feature.ts"
import type { HttpPort } from "./HttpPort.ts"
import * as CallsInFlight from "./internal/calls/CallsInFlight.ts"
import { cleanExit } from "./internal/cleanExit.ts"
import * as HttpAccess from "./internal/http/HttpAccess.ts"
import { HttpSessions } from "./internal/http/HttpSessions.ts"
import { Load } from "./internal/http/Load.ts"
import { makeServers } from "./internal/makeServers.ts"
import { timerMillis } from "./internal/timerMillis.ts"
import type { SdkTypes } from "./Sdk.ts"

/**
 * The options of a server over Streamable HTTP.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Server, Features extends AnyFeatures<Server>> {
  /**
   * The name under which the server introduces itself to clients.
   */
  readonly name: string
  /**
   * The version of the server, which clients receive together with its name.
   */
  readonly version: string
  /**
   * Instructions that clients receive on how to use the server. Default: none.
   */
  readonly instructions?: string | undefined
  /**
   * The tools, prompts and resources that the server offers.
   */
  readonly features: Features
  /**
   * The port to listen on. With 0 the system chooses a free port, which {@link Address} reports. Default: 3000.
   */
  readonly port?: number | undefined
  /**
   * The interface to listen on. Default: `127.0.0.1`, which only this machine can reach.
   */
  readonly host?: string | undefined
  /**
   * The path of the MCP endpoint. Default: `/mcp`.
   */
  readonly path?: string | undefined
  /**
   * The host names by which clients may address the server, for example `app.example`. A name with a port allows that
   * port only. A request with another Host header gets 403, which prevents DNS rebinding. Default: `127.0.0.1`,
   * `localhost`, `[::1]`.
   */
  readonly allowedHosts?: ReadonlyArray<string> | undefined
  /**
   * The origins of web pages that may use the server, for example `https://app.example`. They get the CORS headers that
   * browsers want. Default: only the server's own origin.
   */
  readonly allowedOrigins?: ReadonlyArray<string> | undefined
  /**
   * The size of the largest request body that the server reads, in bytes. Default: 4 MiB. If a client's answer is
   * larger, the ask that it belongs to fails with `InvalidResponse`.
   */
  readonly maxBodyBytes?: number | undefined
  /**
   * The largest number of sessions at the same time. Default: 1000. A client that tries to start another one gets 503,
   * unless another caller has more sessions and does not use one of them, which is then closed. A caller is a principal
   * (`ClientConnection.Principal`), or the address of a caller without one.
   */
  readonly maxSessions?: number | undefined
  /**
   * The largest number of requests that the server handles at the same time. Default: 10,000. Another request gets 503.
   */
  readonly maxCalls?: number | undefined
  /**
   * The size of all request bodies that the server reads or handles at the same time, in bytes. The first 64 KiB of each
   * body do not count. Default: 128 MiB, or `maxBodyBytes` if that is more. A body that has no room gets 503.
   */
  readonly maxBytesInFlight?: number | undefined
  /**
   * The part of `maxCalls` and of `maxBytesInFlight` that one caller may use. Default: 0.5. Behind a proxy all callers
   * without a principal have the address of the proxy; 1 lets them use everything.
   */
  readonly callerShare?: number | undefined
  /**
   * The number of connections that may wait until the server accepts them. The operating system may allow fewer.
   * Default: 4096.
   */
  readonly backlog?: number | undefined
  /**
   * The interval at which open streams get a comment and idle connections a TCP probe, so that proxies keep them open
   * and clients that vanished are noticed. Default: 15 seconds.
   */
  readonly keepAlive?: Duration.Input | undefined
  /**
   * The time after which an unused session ends. Default: 30 minutes.
   */
  readonly sessionIdleTimeout?: Duration.Input | undefined
  /**
   * The time that an ask may still wait for its answer after the HTTP stream of its call was dropped. Then the ask
   * fails with `ConnectionLost`. Default: 5 seconds.
   */
  readonly lostStreamGrace?: Duration.Input | undefined
  /**
   * The time that calls in flight may continue when the server shuts down. Then they are interrupted. Default: 10
   * seconds.
   */
  readonly shutdownGrace?: Duration.Input | undefined
}

/**
 * The address on which the server listens, for example `http://127.0.0.1:3000/mcp`. The servers of all adapters provide
 * this service.
 *
 * @category services
 * @since 0.1.0
 */
export class Address extends Context.Service<Address, {
  readonly url: string
  readonly port: number
}>()("@effect-sampling/mcp-kit/StreamableHttpServer/Address") {}

/**
 * The server could not listen, for example because the port is taken.
 *
 * @category errors
 * @since 0.1.0
 */
export class ListenError
  extends Schema.TaggedError<ListenError>("@effect-sampling/mcp-kit/StreamableHttpServer/ListenError")(
    "ListenError",
    { host: Schema.String, port: Schema.Int, message: Schema.String }
  )
{}

/**
 * A server for any number of clients at one address. It runs for as long as the Layer lives.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, transports, "Streamable HTTP".
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <T extends SdkTypes, const Features extends AnyFeatures<T["Server"]>>(
  port: HttpPort<T>,
  options: Options<T["Server"], Features>
): Layer.Layer<Address, Effect.Error<Features[number]> | ListenError, Effect.Services<Features[number]>> =>
  Layer.effect(
    Address,
    Effect.gen(function*() {
      yield* cleanExit
      const path = options.path ?? "/mcp"
      const access = yield* accessOf(options)
      const { calls, sessions, stateless } = yield* makeSessions(port, options, path, access)
      const keepAlive = Duration.max(Duration.fromInputUnsafe(options.keepAlive ?? "15 seconds"), Duration.millis(10))
      const address = yield* listen(sessions, { ...options, keepAlive })
      // Finalizers run in reverse order: the calls end, then the sessions, and the server stops listening last.
      yield* Effect.addFinalizer(() =>
        sessions.drain.pipe(
          Effect.andThen(CallsInFlight.end(calls, options.shutdownGrace ?? CallsInFlight.defaultShutdownGrace)),
          Effect.andThen(Effect.promise(() => stateless?.close() ?? Promise.resolve())),
          Effect.andThen(sessions.close)
        )
      )
      yield* Effect.forkScoped(Effect.repeat(Effect.delay(sessions.keepStreamsAlive, keepAlive), Schedule.forever))
      yield* closeIdle(sessions, Duration.toMillis(options.sessionIdleTimeout ?? "30 minutes"))
      const host = address.family === "IPv6" ? `[${address.address}]` : address.address
      const url = `http://${host}:${address.port}${path}`
      yield* Effect.logInfo(`The MCP server "${options.name}" listens on ${url}`)
      return { url, port: address.port }
    })
  )

const accessOf = <Server, Features extends AnyFeatures<Server>>(
  { allowedHosts = ["127.0.0.1", "localhost", "[::1]"], allowedOrigins = [], host, port }: Options<Server, Features>
): Effect.Effect<HttpAccess.HttpAccess, ListenError> =>
  Effect.mapError(
    Effect.fromResult(HttpAccess.make({ allowedHosts, allowedOrigins })),
    (message) => new ListenError({ host: host ?? defaultHost, port: port ?? defaultPort, message })
  )

const defaultHost = "127.0.0.1"

const defaultPort = 3000

const makeSessions = Effect.fnUntraced(function*<T extends SdkTypes, const Features extends AnyFeatures<T["Server"]>>(
  port: HttpPort<T>,
  options: Options<T["Server"], Features>,
  path: string,
  access: HttpAccess.HttpAccess
) {
  const clock = yield* Clock.Clock
  const { calls, makeServer, onError } = yield* makeServers(port, options)
  const stateless = port.stateless?.(makeServer, onError)
  const maxBodyBytes = options.maxBodyBytes ?? 4 * mebibyte
  const sessions = new HttpSessions({
    open: (onInitialized, onClosed) => port.openSession(makeServer, onInitialized, onClosed),
    stateless: stateless?.handle,
    isInitialize: port.isInitialize,
    principal: yield* Principal,
    path,
    access,
    maxBodyBytes,
    maxSessions: options.maxSessions ?? 1000,
    load: new Load({
      maxCalls: options.maxCalls ?? 10_000,
      maxBytesInFlight: Math.max(options.maxBytesInFlight ?? 128 * mebibyte, maxBodyBytes),
      callerShare: options.callerShare ?? 0.5
    }),
    lostStreamGraceMillis: timerMillis(options.lostStreamGrace ?? "5 seconds"),
    now: () => clock.currentTimeMillisUnsafe()
  })
  return { calls, sessions, stateless }
})

const mebibyte = 1024 * 1024

/** Closes unused sessions at regular intervals, until the scope closes. */
const closeIdle = (sessions: HttpSessions, idleMillis: number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Clock.currentTimeMillis.pipe(
      Effect.flatMap((now) => sessions.closeIdleSince(now - idleMillis)),
      Effect.repeat(Schedule.spaced(Duration.millis(Math.max(10, Math.min(idleMillis / 2, 60_000))))),
      Effect.forkScoped
    )
  )

interface ListenOptions {
  readonly port?: number | undefined
  readonly host?: string | undefined
  readonly backlog?: number | undefined
  readonly keepAlive: Duration.Duration
}

const listen = Effect.fnUntraced(function*(
  sessions: HttpSessions,
  { backlog = 4096, host = defaultHost, keepAlive, port = defaultPort }: ListenOptions
) {
  const runFork = Effect.runForkWith(yield* Effect.context())
  const probes = { keepAlive: true, keepAliveInitialDelay: Duration.toMillis(keepAlive) }
  const server = Http.createServer(probes, (request, response) => {
    runFork(sessions.handle(request, response))
  })
  return yield* Effect.acquireRelease(
    Effect.callback<AddressInfo, ListenError>((resume) => {
      server.once("error", (cause) =>
        resume(Effect.fail(
          new ListenError({ host, port, message: `Cannot listen on ${host}:${port}: ${cause.message}` })
        )))
      server.listen({ port, host, backlog }, () => {
        const address = server.address()
        if (typeof address === "object" && address !== null) resume(Effect.succeed(address))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
})
