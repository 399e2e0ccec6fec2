import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import { builtin } from "./builtin.ts"
import { toUtf8 } from "./utf8.ts"

interface NodeCrypto {
  readonly hash?: (algorithm: "sha256", data: string, encoding: "base64url") => string
}

const hash = builtin<NodeCrypto>("node:crypto")?.hash

/** The first 128 bits of the SHA-256 of a text, in base64url. */
export const digest = (text: string): Effect.Effect<string> =>
  hash === undefined ? webDigest(text) : Effect.sync(() => hash("sha256", text, "base64url").slice(0, length))

const length = 22

const webDigest = (text: string): Effect.Effect<string> =>
  Effect.flatMap(Digest.Digest, (service) => service.digest(Digest.sha256, toUtf8(text))).pipe(
    Effect.provide(Digest.layerWebCrypto),
    Effect.orDie,
    Effect.map((bytes) => Base64Url.encode(bytes).slice(0, length))
  )
