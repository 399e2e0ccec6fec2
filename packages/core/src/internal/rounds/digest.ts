import * as Effect from "effect/Effect"
import { stateCrypto } from "../sealing/stateCrypto.ts"

/** Returns the first 22 characters (132 bits) of the SHA-256 of a text in base64url. */
export const digest = (text: string): Effect.Effect<string> =>
  Effect.map(stateCrypto().sha256Text(text), (hash) => hash.slice(0, length))

const length = 22
