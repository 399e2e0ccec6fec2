/**
 * The port between `ClientSampler` and whatever connects to the client: adapters implement it for each request.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
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
 * The client's name and version for messages: quoted, and cut to a readable length because the client chose it.
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = (connection: ClientConnection): string =>
  connection.client === undefined
    ? "the client"
    : `the client ${quote(`${connection.client.name} ${connection.client.version}`)}`
