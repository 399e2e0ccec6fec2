/**
 * The port between `ClientSampler` and the connection to a client. Adapters implement it for each request.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import { quote } from "./internal/quote.ts"
import type { InvalidResponse, SamplingError, SamplingRejected } from "./SamplingError.ts"

/**
 * The capabilities of a client that decide what a handler may ask it. A capability is declared when its key is present.
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
 * A request to the client, in wire form.
 *
 * **Details**
 *
 * - `key`: the name that the author gave to the ask; in rounds it is the ask's key on the wire.
 * - `silenceMillis`: the time without an answer or progress after which the request is given up, if that is sooner than
 *   {@link AskTimeout}, in milliseconds. In rounds no request waits, so it has no meaning there.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientRequest {
  readonly method: "sampling/createMessage" | "elicitation/create" | "roots/list"
  readonly params: object
  readonly key?: string | undefined
  readonly silenceMillis?: number | undefined
}

/**
 * The client of the request that is being handled.
 *
 * **Details**
 *
 * - `protocolVersion`: the negotiated MCP revision, for example `2025-11-25`; undefined if the adapter cannot know it.
 * - `unreachable`: the reason why the server cannot ask the client before it has answered this request; undefined if it
 *   can. `remedy`: what the operator of the server can change about that. It goes to the log.
 * - `ask`: sends a request and returns the decoded answer. `decode` fails if the answer is not a valid result, or says
 *   that the user refused. In rounds, an answer that is not a valid result fails the client's request instead, and the
 *   handler does not go on. Interruption cancels the request.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientConnection {
  readonly client: { readonly name: string; readonly version: string } | undefined
  readonly protocolVersion: string | undefined
  readonly capabilities: ClientCapabilities
  readonly unreachable: string | undefined
  readonly remedy?: string | undefined
  readonly ask: <A>(
    request: ClientRequest,
    decode: (answer: unknown) => Result.Result<A, InvalidResponse | SamplingRejected>
  ) => Effect.Effect<A, SamplingError>
}

/**
 * The client connection of the current fiber. It is undefined unless an adapter provided it to the running handler.
 *
 * **Details**
 *
 * It is a `Context.Reference`, so `ClientSampler.layer` needs no service to be built, and concurrent requests of
 * different clients each see their own connection.
 *
 * @category references
 * @since 0.1.0
 */
export const ClientConnection = Context.Reference<ClientConnection | undefined>(
  "@effect-sampling/core/ClientConnection",
  { defaultValue: () => undefined }
)

/**
 * The time after which an unanswered request to the client fails with `SamplingTimeout`. Default: 10 minutes, because a
 * person may have to approve the request. Provide it to the server, not to single calls.
 *
 * **Details**
 *
 * It applies to clients up to MCP 2025-11-25. Later clients are asked in rounds, where no request waits. On the
 * official SDKs, progress that the client reports restarts the timeout, up to {@link AskTotalTimeout} in total.
 *
 * **Example** (Waiting at most two minutes)
 *
 * ```ts
 * import { ClientConnection } from "@effect-sampling/core"
 * import { Layer } from "effect"
 *
 * const layer = Layer.succeed(ClientConnection.AskTimeout, "2 minutes")
 * Layer.isLayer(layer) // => true
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const AskTimeout = Context.Reference<Duration.Input>("@effect-sampling/core/ClientConnection/AskTimeout", {
  defaultValue: () => Duration.minutes(10)
})

/**
 * The time up to which a client can prolong an ask by reporting progress. Default: 1 hour. Progress that would let an ask
 * last longer does not restart {@link AskTimeout}. Provide it to the server, not to single calls.
 *
 * @category references
 * @since 0.1.0
 */
export const AskTotalTimeout = Context.Reference<Duration.Input>(
  "@effect-sampling/core/ClientConnection/AskTotalTimeout",
  { defaultValue: () => Duration.hours(1) }
)

/**
 * The facts that a server knows about the sender of the request being handled.
 *
 * **Details**
 *
 * - `header`: returns the value of an HTTP header; the case of the name does not matter. The value is undefined if the
 *   request has no such header, and on stdio.
 * - `authInfo`: the findings of a token verifier in front of the server, under the name that the official SDKs use.
 *
 * @category models
 * @since 0.1.0
 */
export interface Caller {
  readonly header: (name: string) => string | undefined
  readonly authInfo: { readonly clientId: string; readonly extra?: Readonly<Record<string, unknown>> } | undefined
}

/**
 * Returns the principal of a request, which is the name of its caller, or undefined if the caller is not authenticated.
 * An HTTP session of `StreamableHttpServer` serves only the principal that opened it. A call that is answered in rounds (MCP 2026-07-28)
 * continues only for the principal that started it.
 *
 * **Details**
 *
 * Default: the client id of `authInfo` and the subject of its token (`extra.sub`). Many users share the client id of a
 * public client, so without a subject the default is the `Authorization` header as it was sent: nobody can continue with
 * other credentials. Without that header too, it is the client id alone.
 *
 * **Gotchas**
 *
 * Where the default is the `Authorization` header, a client that renews its access token has to open a new session. If
 * a gateway verifies tokens, provide a function that reads the name of the user, which stays the same.
 *
 * **Example** (Reading the caller from a header that a gateway sets)
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
      const credentials = header("authorization")
      const presented = credentials === undefined ? undefined : JSON.stringify(["authorization", credentials])
      if (authInfo === undefined) return presented
      const subject = authInfo.extra?.["sub"]
      return typeof subject === "string" || typeof subject === "number"
        ? JSON.stringify(["subject", authInfo.clientId, subject])
        : presented ?? JSON.stringify(["client", authInfo.clientId])
    }
  }
)

/**
 * Returns the client's name and version for use in messages: quoted, and cut to a readable length, because the client
 * chose them.
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = (connection: ClientConnection): string =>
  connection.client === undefined
    ? "the client"
    : `the client ${quote(`${connection.client.name} ${connection.client.version}`)}`
