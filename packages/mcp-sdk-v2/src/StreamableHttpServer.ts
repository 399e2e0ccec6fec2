/**
 * Runs a whole server over Streamable HTTP.
 *
 * @since 0.1.0
 */
import * as StreamableHttpServerKit from "@effect-sampling/mcp-kit/StreamableHttpServer"
import type { Address, ListenError } from "@effect-sampling/mcp-kit/StreamableHttpServer"
import type { Server, ServerEventBus } from "@modelcontextprotocol/server"
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
export interface Options<E, R> extends StreamableHttpServerKit.Options<Server, E, R> {
  /**
   * Lets handlers send log messages to clients that ask for them (`CurrentRequest`). Default: false.
   */
  readonly logging?: boolean | undefined
  /**
   * Tells clients that tools, prompts or resources have changed: publish `tools_list_changed`, `prompts_list_changed` or
   * `resources_list_changed` to it, for example to an `InMemoryServerEventBus` of the SDK. Default: lists do not change.
   */
  readonly bus?: ServerEventBus | undefined
}

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
  StreamableHttpServerKit.layer(http(options), options)
