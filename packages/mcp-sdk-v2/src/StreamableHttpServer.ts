/**
 * Runs a whole server over Streamable HTTP.
 *
 * @since 0.1.0
 */
import type { FeaturesOf } from "@effect-sampling/mcp-kit/Feature"
import * as StreamableHttpServerKit from "@effect-sampling/mcp-kit/StreamableHttpServer"
import type { Address, ListenError } from "@effect-sampling/mcp-kit/StreamableHttpServer"
import type { Server, ServerEventBus } from "@modelcontextprotocol/server"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Feature } from "./Feature.ts"
import { http } from "./internal/http.ts"

export {
  /**
   * The address on which the server listens.
   *
   * @category services
   * @since 0.1.0
   */
  Address,
  /**
   * The server could not listen, for example because the port is taken.
   *
   * @category errors
   * @since 0.1.0
   */
  ListenError
} from "@effect-sampling/mcp-kit/StreamableHttpServer"

/**
 * The options of a server over Streamable HTTP.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Features extends FeaturesOf<Feature> = ReadonlyArray<Effect.Effect<Feature>>>
  extends StreamableHttpServerKit.Options<Server, Features>
{
  /**
   * Lets handlers send log messages to clients that request them, through `CurrentRequest`. Default: false.
   */
  readonly logging?: boolean | undefined
  /**
   * The bus, for example an `InMemoryServerEventBus` of the SDK, that reports changes to clients. Publish
   * `tools_list_changed`, `prompts_list_changed` or `resources_list_changed` to it when the tools, prompts or resources
   * have changed. Default: no bus, and the server does not announce changes.
   */
  readonly bus?: ServerEventBus | undefined
}

/**
 * A server for any number of clients of every revision at one address. It runs for as long as the Layer lives.
 *
 * **Details**
 *
 * - Clients of MCP 2026-07-28 need no session. Each of their requests carries their capabilities and is answered in
 *   rounds. A dropped response cancels its call.
 * - An older client has a session of its own. Requests to it travel on the stream of the call they belong to, so it
 *   needs no standalone GET stream.
 * - A session serves only the principal that opened it (`ClientConnection.Principal`). For any other caller the session
 *   does not exist.
 * - In a session, a dropped stream does not cancel its call. The asks of such a call fail with `ConnectionLost` after
 *   `lostStreamGrace`.
 * - When the Layer closes, new requests get 503. Calls in flight have `shutdownGrace` to finish, and clients may still
 *   answer their asks. Then the calls are interrupted and the sessions end.
 *
 * **Gotchas**
 *
 * The server does not authenticate its callers. Before it listens on anything but loopback, put a gateway in front of
 * it and set `allowedHosts`.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, transports, "Streamable HTTP".
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <const Features extends FeaturesOf<Feature>>(
  options: Options<Features>
): Layer.Layer<Address, Effect.Error<Features[number]> | ListenError, Effect.Services<Features[number]>> =>
  StreamableHttpServerKit.layer(http(options), options)
