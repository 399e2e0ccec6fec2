import * as Effect from "effect/Effect"
import { stateCrypto } from "../requestState/stateCrypto.ts"

/** The first 128 bits of the SHA-256 of a text, in base64url. */
export const digest = (text: string): Effect.Effect<string> => {
  const crypto = stateCrypto()
  return Effect.map(crypto.sha256(text), (hash) => crypto.toBase64Url(hash).slice(0, length))
}

const length = 22
