import { truncate } from "@effect-sampling/core/wire/Text"
import * as Effect from "effect/Effect"

// Some errors of the SDKs contain a whole message of the client.
const maxLength = 500

/**
 * Builds the callback for `server.onerror`, which logs errors at level debug. Without a callback they would be lost.
 */
export const logErrors: Effect.Effect<(error: Error) => void> = Effect.map(
  Effect.context(),
  (context) => (error) => {
    Effect.runForkWith(context)(Effect.logDebug("The MCP SDK reported an error", truncate(error.message, maxLength)))
  }
)
