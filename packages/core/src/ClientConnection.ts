/**
 * The port between `ClientSampler` and whatever connects to the client: adapters implement it for each request.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { quote } from "./internal/quote.ts"
import type { SamplingError } from "./SamplingError.ts"

/**
 * What a client declared that matters here. A capability is declared when its key is present.
 *
 * Source: MCP 2025-11-25, `ClientCapabilities`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientCapabilities {
  readonly sampling?: {
    readonly tools?: object | undefined
    readonly context?: object | undefined
  } | undefined
  readonly elicitation?: {
    readonly form?: object | undefined
    readonly url?: object | undefined
  } | undefined
  readonly roots?: object | undefined
}

/**
 * A request to the client, in wire form. `key` is the name that the author gave it: in rounds it is its key on the wire.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientRequest {
  readonly method: "sampling/createMessage" | "elicitation/create" | "roots/list"
  readonly params: object
  readonly key?: string | undefined
}

/**
 * The client of the request that is being handled.
 *
 * **Details**
 *
 * - `protocolVersion`: the negotiated MCP revision, for example `2025-11-25`; undefined where the adapter cannot know.
 * - `unreachable`: why the client cannot be asked while it waits for this request, and what to change; undefined when
 *   it can.
 * - `ask`: sends a request and gives the bare, unchecked result. Interruption cancels the request.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientConnection {
  readonly client: { readonly name: string; readonly version: string } | undefined
  readonly protocolVersion: string | undefined
  readonly capabilities: ClientCapabilities
  readonly unreachable: string | undefined
  readonly ask: (request: ClientRequest) => Effect.Effect<unknown, SamplingError>
}

/**
 * The connection of the current fiber: undefined unless an adapter set it around the handler that runs.
 *
 * **Details**
 *
 * It is a `Context.Reference`, so `ClientSampler.layer` needs no service to be built, and concurrent requests of
 * different clients keep their own.
 *
 * @category references
 * @since 0.1.0
 */
export const ClientConnection = Context.Reference<ClientConnection | undefined>(
  "@effect-sampling/core/ClientConnection",
  { defaultValue: () => undefined }
)

/**
 * The time after which an unanswered request to the client fails with `SamplingTimeout`. Default: 10 minutes, because
 * people approve samples. Provide it to the server, not to single calls.
 *
 * **Details**
 *
 * It counts up to MCP 2025-11-25: later clients are asked in rounds, and nothing waits. On the official SDKs progress that
 * the client reports starts the time anew.
 *
 * **Example** (Waiting at most two minutes)
 *
 * ```ts
 * import { ClientConnection } from "@effect-sampling/core"
 * import { Duration, Layer } from "effect"
 *
 * const layer = Layer.succeed(ClientConnection.AskTimeout, Duration.minutes(2))
 * Layer.isLayer(layer) // => true
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const AskTimeout = Context.Reference<Duration.Duration>("@effect-sampling/core/ClientConnection/AskTimeout", {
  defaultValue: () => Duration.minutes(10)
})

/**
 * What a server knows about who sent the request that it handles.
 *
 * **Details**
 *
 * - `header`: the value of an HTTP header, whatever the case of its name; undefined where there is none, and on stdio.
 * - `authInfo`: what a verifier of tokens in front of the server found out, as the official SDKs name it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Caller {
  readonly header: (name: string) => string | undefined
  readonly authInfo: { readonly clientId: string; readonly extra?: Readonly<Record<string, unknown>> } | undefined
}

/**
 * Names the caller of a request. A session over HTTP serves the principal that opened it and nobody else, and the state of
 * a call that is answered in rounds (MCP 2026-07-28) continues for its principal only. Undefined where nobody
 * authenticates.
 *
 * **Details**
 *
 * Default: the client id of `authInfo` and, where there is one, the subject of its token (`extra.sub`). Without `authInfo`
 * it is the `Authorization` header as it was sent, so that nobody continues with other credentials.
 *
 * **Gotchas**
 *
 * With the default, a client whose access token is renewed has to open a new session. Where a gateway verifies tokens,
 * provide a function that reads the name of the user, which stays the same.
 *
 * **Example** (Taking the caller from a header that a gateway sets)
 *
 * ```ts
 * import { ClientConnection } from "@effect-sampling/core"
 * import { Layer } from "effect"
 *
 * const layer = Layer.succeed(ClientConnection.Principal, (caller) => caller.header("x-forwarded-user"))
 * Layer.isLayer(layer) // => true
 * ```
 *
 * Source: MCP 2025-11-25, security best practices, "Session Hijacking": servers should bind sessions to the user. MCP
 * 2026-07-28, multi round-trip requests: the state should be bound to the principal.
 *
 * @category references
 * @since 0.1.0
 */
export const Principal = Context.Reference<(caller: Caller) => string | undefined>(
  "@effect-sampling/core/ClientConnection/Principal",
  {
    defaultValue: () => ({ authInfo, header }) => {
      if (authInfo === undefined) {
        const credentials = header("authorization")
        return credentials === undefined ? undefined : JSON.stringify(["authorization", credentials])
      }
      const subject = authInfo.extra?.["sub"]
      return typeof subject === "string" ? JSON.stringify([authInfo.clientId, subject]) : authInfo.clientId
    }
  }
)

/**
 * The client's name and version for messages: quoted, and cut to a readable length because the client chose it.
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = (connection: ClientConnection): string =>
  connection.client === undefined
    ? "the client"
    : `the client ${quote(`${connection.client.name} ${connection.client.version}`)}`
