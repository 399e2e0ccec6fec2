/**
 * A stdio transport for SDK 1.x servers.
 *
 * @since 0.1.0
 */
import * as StdioTransportKit from "@effect-sampling/mcp-kit/StdioTransport"
import type { Options } from "@effect-sampling/mcp-kit/StdioTransport"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"

export type {
  /**
   * The streams and the size limit of a stdio transport.
   *
   * @category models
   * @since 0.1.0
   */
  Options
} from "@effect-sampling/mcp-kit/StdioTransport"

/**
 * Builds a transport for `server.connect`.
 *
 * **When to use**
 *
 * Use it in an existing server, in place of the SDK's `StdioServerTransport`. `StdioServer` uses it by default.
 *
 * **Details**
 *
 * - After the end of stdin, calls in flight may end within `shutdownGrace`, and the asks that wait fail. Then the transport
 *   closes, which interrupts the calls that are left. The SDK's transport ignores the end of stdin and waits forever.
 * - While the client does not read its responses, the transport reads no further messages.
 * - An answer that is malformed or larger than `maxMessageBytes` immediately fails the ask that it belongs to, and the
 *   session continues. The SDK's transport drops a malformed answer, and closes on one that is too large.
 * - A request or a response that is too large becomes an error response.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Transport => StdioTransportKit.make(options)
