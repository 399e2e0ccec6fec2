/**
 * The stdio transport of every adapter.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Process from "node:process"
import type { Readable, Writable } from "node:stream"
import { defaultShutdownGrace } from "./internal/calls/CallsInFlight.ts"
import { LineTransport } from "./internal/stdio/LineTransport.ts"
import { timerMillis } from "./internal/timerMillis.ts"

/**
 * The streams and the size limit of a stdio transport.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The stream from which messages are read. Default: the stdin of the process.
   */
  readonly stdin?: Readable | undefined
  /**
   * The stream to which messages are written. Default: the stdout of the process.
   */
  readonly stdout?: Writable | undefined
  /**
   * The size of the largest message that is read or written, in bytes. Default: 10 MiB, which is the limit of clients
   * on the official SDKs: a larger message makes them close the session.
   */
  readonly maxMessageBytes?: number | undefined
  /**
   * The time that calls in flight may continue when the server shuts down, or when the client closes stdin. Then they
   * are interrupted. Default: 10 seconds.
   */
  readonly shutdownGrace?: Duration.Input | undefined
}

/**
 * Builds a transport that calls `onClosed` once, after the SDK has closed its server.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options, onClosed?: () => void): LineTransport =>
  new LineTransport({
    stdin: options.stdin ?? Process.stdin,
    stdout: options.stdout ?? Process.stdout,
    maxMessageBytes: options.maxMessageBytes ?? 10 * 1024 * 1024,
    endGraceMillis: timerMillis(options.shutdownGrace ?? defaultShutdownGrace),
    onClosed
  })
