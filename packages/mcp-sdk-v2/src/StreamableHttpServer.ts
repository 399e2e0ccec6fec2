/**
 * Runs a whole server over Streamable HTTP.
 *
 * @since 0.1.0
 */
import { Principal } from "@effect-sampling/core/ClientConnection"
import * as CallsInFlight from "@effect-sampling/mcp-kit/internal/calls/CallsInFlight"
import * as HttpSessions from "@effect-sampling/mcp-kit/internal/http/HttpSessions"
import { logErrors } from "@effect-sampling/mcp-kit/internal/logErrors"
import { timerMillis } from "@effect-sampling/mcp-kit/internal/timerMillis"
import type { ServerEventBus } from "@modelcontextprotocol/server"
import { isInitializeRequest } from "@modelcontextprotocol/server"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import type { Feature } from "./Feature.ts"
import { makeOpenSession, makeStateless } from "./internal/httpEras.ts"
import { makeServers } from "./internal/registry.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options<E, R> {
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
   * The port to listen on; 0 takes a free one, which {@link Address} tells. Default: 3000.
   */
  readonly port?: number | undefined
  /**
   * The interface to listen on. Default: `127.0.0.1`, so that only this machine reaches the server.
   */
  readonly host?: string | undefined
  /**
   * Default: `/mcp`.
   */
  readonly path?: string | undefined
  /**
   * Host names (without port) by which clients may address the server, against DNS rebinding. Default: `127.0.0.1`,
   * `localhost`, `[::1]`.
   */
  readonly allowedHosts?: ReadonlyArray<string> | undefined
  /**
   * Origins of web pages that may use the server, for example `https://app.example`. Default: only its own.
   */
  readonly allowedOrigins?: ReadonlyArray<string> | undefined
  /**
   * The largest body read, in bytes. Default: 4 MiB. An answer above it fails its request with `InvalidResponse`.
   */
  readonly maxBodyBytes?: number | undefined
  /**
   * Default: 1000. Further clients get 503.
   */
  readonly maxSessions?: number | undefined
  /**
   * How long a session may stay unused before it ends. Default: 30 minutes.
   */
  readonly sessionIdleTimeout?: Duration.Input | undefined
  /**
   * How long a request to the client may wait for an answer once the HTTP stream of its call was dropped; then it fails
   * with `ConnectionLost`. Default: 5 seconds.
   */
  readonly lostStreamGrace?: Duration.Input | undefined
  /**
   * How long calls may go on when the server shuts down. Default: 10 seconds.
   */
  readonly shutdownGrace?: Duration.Input | undefined
}

/**
 * Where the server listens, for example `http://127.0.0.1:3000/mcp`.
 *
 * @category services
 * @since 0.1.0
 */
export class Address extends Context.Service<Address, {
  readonly url: string
  readonly port: number
}>()("@effect-sampling/mcp-sdk-v2/StreamableHttpServer/Address") {}

/**
 * The server could not listen, for example because the port is taken.
 *
 * @category errors
 * @since 0.1.0
 */
export class ListenError
  extends Schema.TaggedError<ListenError>("@effect-sampling/mcp-sdk-v2/StreamableHttpServer/ListenError")(
    "ListenError",
    { host: Schema.String, port: Schema.Int, message: Schema.String }
  )
{}

/**
 * Serves any number of clients of every revision at one address, for as long as the Layer lives.
 *
 * **Details**
 *
 * - Clients of MCP 2026-07-28 need no session: each request has their capabilities with it and is answered in rounds. A
 *   dropped response cancels its call.
 * - Older clients have a session each, which serves the principal that opened it (`ClientConnection.Principal`): for
 *   everybody else it does not exist. Requests to them travel on the stream of the call they belong to, so they need no
 *   standalone GET stream. A dropped stream does not cancel a call; what the call asks of its client afterwards fails with
 *   `ConnectionLost`.
 * - When the Layer closes, new requests get 503 and calls in flight may still be answered for `shutdownGrace`; then they
 *   are interrupted and the sessions end.
 *
 * **Gotchas**
 *
 * There is no authentication here. Before listening on anything but loopback, put a gateway in front, and set
 * `allowedHosts`.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, transports, "Streamable HTTP".
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E = never, R = never>(options: Options<E, R>): Layer.Layer<Address, E | ListenError, R> =>
  Layer.effect(
    Address,
    Effect.gen(function*() {
      const calls = new Set<Fiber.Fiber<unknown, unknown>>()
      const clock = yield* Clock.Clock
      const shutdownGrace = options.shutdownGrace ?? "10 seconds"
      const idleMillis = Duration.toMillis(options.sessionIdleTimeout ?? "30 minutes")
      const path = options.path ?? "/mcp"
      const onError = yield* logErrors
      const makeServer = makeServers({
        name: options.name,
        version: options.version,
        instructions: options.instructions,
        logging: options.logging,
        listChanged: options.bus !== undefined,
        features: yield* Effect.all(options.features).pipe(Effect.provideService(CallsInFlight.CallsInFlight, calls)),
        onError
      })
      const stateless = makeStateless(makeServer, onError, options.bus)
      const principal = yield* Principal
      const sessions = new HttpSessions.HttpSessions<Http.IncomingMessage, Http.ServerResponse>({
        open: makeOpenSession(makeServer, options.bus),
        other: stateless.handle,
        isInitialize: isInitializeRequest,
        principal: (request) => principal(HttpSessions.toCaller(request)),
        path,
        access: {
          allowedHosts: options.allowedHosts ?? ["127.0.0.1", "localhost", "[::1]"],
          allowedOrigins: options.allowedOrigins ?? []
        },
        maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024,
        maxSessions: options.maxSessions ?? 1000,
        lostStreamGraceMillis: timerMillis(options.lostStreamGrace ?? "5 seconds"),
        now: () => clock.currentTimeMillisUnsafe()
      })
      const address = yield* listen(sessions, options.port ?? 3000, options.host ?? "127.0.0.1")
      yield* Effect.addFinalizer(() =>
        sessions.drain.pipe(
          Effect.andThen(CallsInFlight.end(calls, shutdownGrace)),
          Effect.andThen(Effect.promise(stateless.close)),
          Effect.andThen(sessions.close)
        )
      )
      yield* Effect.suspend(() => sessions.closeIdleSince(clock.currentTimeMillisUnsafe() - idleMillis)).pipe(
        Effect.repeat(Schedule.spaced(Duration.millis(Math.max(10, Math.min(idleMillis / 2, 60_000))))),
        Effect.forkScoped
      )
      const host = address.family === "IPv6" ? `[${address.address}]` : address.address
      const url = `http://${host}:${address.port}${path}`
      yield* Effect.logInfo(`The MCP server "${options.name}" listens on ${url}`)
      return { url, port: address.port }
    })
  )

const listen = Effect.fnUntraced(function*(
  sessions: HttpSessions.HttpSessions<Http.IncomingMessage, Http.ServerResponse>,
  port: number,
  host: string
) {
  const runFork = Effect.runForkWith(yield* Effect.context())
  const server = Http.createServer((request, response) => {
    runFork(sessions.handle(request, response))
  })
  return yield* Effect.acquireRelease(
    Effect.callback<AddressInfo, ListenError>((resume) => {
      server.once("error", (cause) =>
        resume(Effect.fail(
          new ListenError({ host, port, message: `Cannot listen on ${host}:${port}: ${cause.message}` })
        )))
      server.listen(port, host, () => {
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
