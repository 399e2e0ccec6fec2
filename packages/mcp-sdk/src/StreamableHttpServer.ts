/**
 * Runs a whole server over Streamable HTTP.
 *
 * @since 0.1.0
 */
import * as StreamableHttpServerKit from "@effect-sampling/mcp-kit/StreamableHttpServer"
import type { Address, ListenError } from "@effect-sampling/mcp-kit/StreamableHttpServer"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type * as Layer from "effect/Layer"
import { http } from "./internal/http.ts"

export {
  /**
   * @category services
   * @since 0.1.0
   */
  Address,
  /**
   * @category errors
   * @since 0.1.0
   */
  ListenError
} from "@effect-sampling/mcp-kit/StreamableHttpServer"

/**
 * @category models
 * @since 0.1.0
 */
export type Options<E, R> = StreamableHttpServerKit.Options<Server, E, R>

/**
 * Serves any number of clients, each in a session with its own capabilities, for as long as the Layer lives.
 *
 * **Details**
 *
 * - Requests to a client travel on the stream of the call they belong to, so clients need no standalone GET stream.
 * - A session serves the principal that opened it (`ClientConnection.Principal`): for everybody else it does not exist.
 * - A dropped stream does not cancel a call. What the call asks of its client afterwards fails with `ConnectionLost`.
 * - When the Layer closes, new requests get 503 and calls in flight may still be answered for `shutdownGrace`; then they
 *   are interrupted and the sessions end.
 *
 * **Gotchas**
 *
 * There is no authentication here. Before listening on anything but loopback, put a gateway in front, and set
 * `allowedHosts`.
 *
 * Source: MCP 2025-11-25, transports, "Streamable HTTP".
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E = never, R = never>(options: Options<E, R>): Layer.Layer<Address, E | ListenError, R> =>
  StreamableHttpServerKit.layer(http, options)
