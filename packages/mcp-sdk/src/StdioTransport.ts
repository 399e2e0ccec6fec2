/**
 * A stdio transport for SDK 1.x servers.
 *
 * @since 0.1.0
 */
import { LineTransport } from "@effect-sampling/mcp-kit/internal/stdio/LineTransport"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import * as Process from "node:process"
import type { Readable, Writable } from "node:stream"

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
   * The largest message read or written, in bytes. Default: 10 MiB, which is what clients on SDK 1.x read: they close
   * the session on a larger one.
   */
  readonly maxMessageBytes?: number | undefined
}

/**
 * Makes a transport for `server.connect`.
 *
 * **When to use**
 *
 * Use in place of the SDK's `StdioServerTransport` in an existing server. `StdioServer` uses it.
 *
 * **Details**
 *
 * It notices the end of stdin and closes, so that calls in flight are interrupted (the SDK's transport waits forever). An
 * answer that is malformed or larger than `maxMessageBytes` fails the request it belongs to, at once, and the session goes
 * on (the SDK's transport drops the one and closes on the other). A request or a response that is too large becomes an
 * error response.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Transport =>
  new LineTransport({
    stdin: options.stdin ?? Process.stdin,
    stdout: options.stdout ?? Process.stdout,
    maxMessageBytes: options.maxMessageBytes ?? 10 * 1024 * 1024
  })
