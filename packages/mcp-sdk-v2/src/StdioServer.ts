/**
 * Runs a whole server over stdio.
 *
 * @since 0.1.0
 */
import * as StdioServerKit from "@effect-sampling/mcp-kit/StdioServer"
import type { Server, ServerEventBus } from "@modelcontextprotocol/server"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { stdio } from "./internal/stdio.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options<E, R> extends StdioServerKit.Options<Server, E, R> {
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
 * Serves one client over stdio, until it closes stdin. Then the calls in flight are interrupted.
 *
 * **When to use**
 *
 * Use as the main program of a server: it succeeds when the client leaves, and the process exits with 0.
 *
 * **Details**
 *
 * The first message of the client decides about the revision: clients of MCP 2026-07-28 are answered in rounds, older ones
 * are asked while they wait.
 *
 * When it is interrupted (SIGTERM under `NodeRuntime.runMain`), it lets calls end for `shutdownGrace`, then interrupts
 * them. Logs of handlers go to stderr, because stdout belongs to the protocol.
 *
 * **Gotchas**
 *
 * Layers that log while they are built write to stdout, unless `Logger.LogToStderr` is provided to them too.
 *
 * @category serving
 * @since 0.1.0
 */
export const serve = <E = never, R = never>(options: Options<E, R>): Effect.Effect<void, E, R> =>
  StdioServerKit.serve(stdio(options), options)

/**
 * Serves one client over stdio for as long as the Layer lives.
 *
 * **Details**
 *
 * When the client leaves, the fiber that builds the Layer is interrupted, so that a program run by `Layer.launch` ends.
 *
 * **Gotchas**
 *
 * Launch this Layer itself, with what it needs provided to it. `Layer.mergeAll` builds its Layers in fibers of their own,
 * so a program that merges this one with others goes on when the client leaves.
 *
 * @see {@link serve} for a program that exits with 0 when the client leaves
 * @category layers
 * @since 0.1.0
 */
export const layer = <E = never, R = never>(options: Options<E, R>): Layer.Layer<never, E, R> =>
  StdioServerKit.layer(stdio(options), options)
