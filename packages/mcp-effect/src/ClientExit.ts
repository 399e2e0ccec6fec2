/**
 * Ends a stdio server when its client has left.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/**
 * A `Stdio` for a server that does not outlive its client. When stdin ends, calls in flight have `grace` (default: 10
 * seconds) to finish. Then the fiber that builds the Layer is interrupted, which ends the server.
 *
 * **When to use**
 *
 * Provide it to `McpServer.layerStdio`. Without it, a call that waits for an answer of a client that has left keeps the
 * server running.
 *
 * **Example** (Ending a server with its client)
 *
 * ```ts no-run
 * import { ClientExit } from "@effect-sampling/mcp-effect"
 * import { NodeRuntime, NodeStdio } from "@effect/platform-node"
 * import { Layer } from "effect"
 * import { McpProtocol, McpServer } from "effect/ai"
 *
 * McpServer.layerStdio({ name: "example", version: "1.0.0", protocols: [McpProtocol.v2025_11_25] }).pipe(
 *   Layer.provide(ClientExit.layer({ grace: "2 seconds" })),
 *   Layer.provide(NodeStdio.layer),
 *   Layer.launch,
 *   NodeRuntime.runMain
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: { readonly grace?: Duration.Input | undefined } = {}
): Layer.Layer<Stdio.Stdio, never, Stdio.Stdio> =>
  Layer.effect(
    Stdio.Stdio,
    Effect.gen(function*() {
      const stdio = yield* Stdio.Stdio
      const scope = yield* Effect.scope
      const server = Fiber.getCurrent()!
      const exit = Effect.forkDetach(Fiber.interrupt(server), { startImmediately: true })
      const afterGrace = Effect.forkIn(Effect.delay(exit, options.grace ?? "10 seconds"), scope)
      return Stdio.Stdio.of({ ...stdio, stdin: Stream.onEnd(stdio.stdin, afterGrace) })
    })
  )
