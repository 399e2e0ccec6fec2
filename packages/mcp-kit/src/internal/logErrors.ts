/**
 * Logs what an SDK reports: for adapters.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

// The SDK repeats whole messages of the client in some errors.
const maxLength = 500

/**
 * A callback for `server.onerror`: what the SDK reports there is lost otherwise.
 *
 * @category logging
 * @since 0.1.0
 */
export const logErrors: Effect.Effect<(error: Error) => void> = Effect.map(
  Effect.context(),
  (context) => (error) => {
    Effect.runForkWith(context)(Effect.logDebug("The MCP SDK reported an error", error.message.slice(0, maxLength)))
  }
)
