/**
 * Runs a whole server over stdio.
 *
 * @since 0.1.0
 */
import type { FeaturesOf } from "@effect-sampling/mcp-kit/Feature"
import * as StdioServerKit from "@effect-sampling/mcp-kit/StdioServer"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Feature } from "./Feature.ts"
import { stdio } from "./internal/stdio.ts"

/**
 * The options of a server over stdio.
 *
 * @category models
 * @since 0.1.0
 */
export type Options<Features extends FeaturesOf<Feature> = ReadonlyArray<Effect.Effect<Feature>>> =
  StdioServerKit.Options<
    Server,
    Features
  >

/**
 * Serves one client over stdio until the client closes stdin. The calls in flight then have `shutdownGrace` to end.
 *
 * **When to use**
 *
 * Use it as the main program of a server. The effect succeeds when the client leaves, so the process exits with 0.
 *
 * **Details**
 *
 * When the server is interrupted (by SIGTERM under `NodeRuntime.runMain`), calls in flight have `shutdownGrace` to
 * finish. Then they are interrupted. Handlers log to stderr, because stdout belongs to the protocol.
 *
 * **Gotchas**
 *
 * A Layer that logs while it is built writes to stdout, unless `Logger.LogToStderr` is provided to that Layer too.
 *
 * @category serving
 * @since 0.1.0
 */
export const serve = <const Features extends FeaturesOf<Feature>>(
  options: Options<Features>
): Effect.Effect<void, Effect.Error<Features[number]>, Effect.Services<Features[number]>> =>
  StdioServerKit.serve(stdio, options)

/**
 * A server for one client over stdio. It runs for as long as the Layer lives.
 *
 * **Details**
 *
 * When the client leaves, the fiber that builds the Layer is interrupted. That ends a program run by `Layer.launch`.
 *
 * **Gotchas**
 *
 * Launch this Layer itself, after you have provided its dependencies. `Layer.mergeAll` builds each of its Layers in a
 * fiber of its own, so a program that merges this Layer with others continues when the client leaves.
 *
 * @see {@link serve} for a program that exits with 0 when the client leaves
 * @category layers
 * @since 0.1.0
 */
export const layer = <const Features extends FeaturesOf<Feature>>(
  options: Options<Features>
): Layer.Layer<never, Effect.Error<Features[number]>, Effect.Services<Features[number]>> =>
  StdioServerKit.layer(stdio, options)
