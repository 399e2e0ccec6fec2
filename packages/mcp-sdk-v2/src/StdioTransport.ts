/**
 * A stdio transport for SDK 2.x servers.
 *
 * @since 0.1.0
 */
import * as StdioTransportKit from "@effect-sampling/mcp-kit/StdioTransport"
import type { Options } from "@effect-sampling/mcp-kit/StdioTransport"
import type { Transport } from "@modelcontextprotocol/server"

export type {
  /**
   * @category models
   * @since 0.1.0
   */
  Options
} from "@effect-sampling/mcp-kit/StdioTransport"

/**
 * Makes a transport for `serveStdio` of the SDK, or for `server.connect`.
 *
 * **When to use**
 *
 * Use in place of the SDK's `StdioServerTransport` in an existing server. `StdioServer` uses it.
 *
 * **Details**
 *
 * An answer that is malformed or larger than `maxMessageBytes` fails the request it belongs to, at once, and the session
 * goes on (the SDK's transport drops the one and closes on the other). A request or a response that is too large becomes an
 * error response.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Transport => StdioTransportKit.make(options)
