/**
 * The stdio transport of every adapter.
 *
 * @since 0.1.0
 */
import * as Process from "node:process"
import type { Readable, Writable } from "node:stream"
import { LineTransport } from "./internal/stdio/LineTransport.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Default: the process's own.
   */
  readonly stdin?: Readable | undefined
  /**
   * Default: the process's own.
   */
  readonly stdout?: Writable | undefined
  /**
   * The largest message read or written, in bytes. Default: 10 MiB, which is what clients on the official SDKs read: they
   * close the session on a larger one.
   */
  readonly maxMessageBytes?: number | undefined
}

/**
 * Builds the transport. `onClosed` is called once, after the SDK has closed its server.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options, onClosed?: () => void): LineTransport =>
  new LineTransport({
    stdin: options.stdin ?? Process.stdin,
    stdout: options.stdout ?? Process.stdout,
    maxMessageBytes: options.maxMessageBytes ?? 10 * 1024 * 1024,
    onClosed
  })
