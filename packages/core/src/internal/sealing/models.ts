import type * as Redacted from "effect/Redacted"

/**
 * The caller and request that a state is bound to. A state that is presented with a different binding is rejected.
 *
 * **Details**
 *
 * The order of keys in `arguments` does not matter. The principals `undefined` and `""` are different.
 *
 * Source: MCP 2026-07-28, multi round-trip requests: a state SHOULD be bound to the principal, a short expiry and the
 * originating request.
 */
export interface Binding {
  /**
   * The caller, if the transport knows it, for example an OAuth client id and subject. Undefined if callers do not
   * authenticate.
   */
  readonly principal: string | undefined
  readonly method: string
  /**
   * The name of the tool or prompt, or the URI of the resource.
   */
  readonly name: string
  /**
   * The arguments, as JSON.
   */
  readonly arguments: unknown
}

/**
 * A key, and the id by which a state names the key that sealed it.
 */
export interface Key {
  /**
   * 1 to 32 characters of `A-Z a-z 0-9 . _ -`, for example `2026-11`. Every state contains it, and the client can read
   * it.
   */
  readonly id: string
  /**
   * 32 random bytes, or their base64, base64url or hex as text, such as the output of `openssl rand -base64 32`. A
   * passphrase is rejected.
   */
  readonly key: Redacted.Redacted<string | Uint8Array>
}

/** The reasons for which a state is rejected. `RequestState.StateRejected` explains them. */
export const rejections = [
  "malformed",
  "unknownKey",
  "tampered",
  "foreign",
  "expired",
  "future",
  "used",
  "missing"
] as const

export type Rejection = typeof rejections[number]
