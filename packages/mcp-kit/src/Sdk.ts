/**
 * What an official SDK brings: the port that an adapter implements, and the shapes that the kit needs of its objects.
 *
 * @since 0.1.0
 */
import type { Caller, ClientCapabilities } from "@effect-sampling/core/ClientConnection"
import type * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import type * as Context from "effect/Context"

/**
 * The id of a JSON-RPC request.
 *
 * @category models
 * @since 0.1.0
 */
export type RequestId = string | number

/**
 * What the kit needs of the transport of an SDK's server.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transport {
  onclose?: (() => void) | undefined
  onmessage?: OnMessage | undefined
  send(message: unknown, options?: { readonly relatedRequestId?: RequestId }): Promise<void>
}

/**
 * Declared as a method, because methods compare their parameters bivariantly: the transports of the SDKs declare
 * narrower message types.
 */
type OnMessage = { onmessage(message: unknown, extra?: unknown): void }["onmessage"]

/**
 * What the kit needs of an SDK's low-level server.
 *
 * @category models
 * @since 0.1.0
 */
export interface SdkServer {
  readonly transport?: Transport | undefined
  onerror?: ((error: Error) => void) | undefined
  getClientVersion(): { readonly name: string; readonly version: string } | undefined
  getClientCapabilities(): ClientCapabilities | undefined
  assertCanSetRequestHandler(method: string): void
  registerCapabilities(capabilities: Capabilities): void
  close(): Promise<void>
}

/**
 * The kinds of things that a server offers, as capabilities.
 *
 * @category models
 * @since 0.1.0
 */
export interface Capabilities {
  tools?: Record<string, never>
  prompts?: Record<string, never>
  resources?: Record<string, never>
}

/**
 * The types of an SDK that users of its adapter meet. `InputRequired` is `never` where the SDK knows no rounds.
 *
 * @category models
 * @since 0.1.0
 */
export interface SdkTypes {
  readonly Server: SdkServer
  readonly Request: unknown
  readonly ToolResult: object
  readonly PromptResult: object
  readonly ResourceResult: object
  readonly InputRequired: object
}

/**
 * The server itself, or the SDK's convenient server on top of one.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyServer<T extends SdkTypes> = T["Server"] | { readonly server: T["Server"] }

/**
 * The requests that a server handles.
 *
 * @category models
 * @since 0.1.0
 */
export type Method =
  | "tools/list"
  | "tools/call"
  | "prompts/list"
  | "prompts/get"
  | "resources/list"
  | "resources/templates/list"
  | "resources/read"

/**
 * Parameters of these requests. The SDK has checked those that a method has.
 *
 * @category models
 * @since 0.1.0
 */
export interface Params {
  readonly name: string
  readonly uri: string
  readonly arguments?: unknown
}

/**
 * A request that the server is handling, as the kit needs it.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestInfo {
  readonly id: RequestId
  /**
   * Aborted when the client cancels the request or leaves.
   */
  readonly signal: AbortSignal
  readonly progressToken: RequestId | undefined
}

/**
 * How an SDK answers a call in rounds (MCP 2026-07-28).
 *
 * @category models
 * @since 0.1.0
 */
export interface Rounds<T extends SdkTypes> {
  readonly isAnsweredInRounds: (server: T["Server"]) => boolean
  readonly callerOf: (request: T["Request"]) => Caller
  readonly toCall: (
    method: RoundRunner.Call["method"],
    principal: string | undefined,
    request: T["Request"]
  ) => RoundRunner.Call
  readonly toInputRequired: (round: RoundRunner.InputRequired) => T["InputRequired"]
}

/**
 * The port to one SDK: everything that the handlers of a server need of it.
 *
 * **Details**
 *
 * - `prepare` applies the adapter's workarounds to a server that is not connected yet. It may be called more than once.
 * - `handle` sets the handler of a method. A handler throws errors that have a JSON-RPC `code`.
 * - `infoOf` reads what the kit needs from the SDK's context of a request, `protocolVersion` and `unreachable` what
 *   `ClientConnection` says about the client. They are called often and keep nothing.
 * - `matchUri` parses an address or an RFC 6570 template, and returns a function that matches addresses: the variables of
 *   one that fits, undefined for another one. Undefined when the address has no variables.
 * - `withRequest` adds what handlers may ask for about their request. Default: nothing.
 * - `rounds` is left out where the SDK knows no rounds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sdk<T extends SdkTypes> {
  readonly prepare: (server: T["Server"]) => void
  readonly handle: (
    server: T["Server"],
    method: Method,
    handler: (params: Params, request: T["Request"]) => object | Promise<object>
  ) => void
  readonly infoOf: (request: T["Request"]) => RequestInfo
  readonly protocolVersion: (server: T["Server"], request: T["Request"]) => string | undefined
  readonly unreachable: (server: T["Server"], request: T["Request"]) => string | undefined
  readonly notifyProgress: (
    request: T["Request"],
    params: { readonly progressToken: RequestId; readonly progress: number; readonly message: string }
  ) => Promise<void>
  readonly matchUri: (uri: string) => ((uri: string) => Variables | undefined) | undefined
  readonly resourceNotFound: (uri: string) => Error
  readonly withRequest?: (context: Context.Context<never>, request: T["Request"]) => Context.Context<never>
  readonly rounds?: Rounds<T>
}

/**
 * The variables of an address that matches a template.
 *
 * @category models
 * @since 0.1.0
 */
export type Variables = Readonly<Record<string, string | Array<string>>>

/**
 * What a server is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerSettings {
  readonly name: string
  readonly version: string
  readonly instructions: string | undefined
  /**
   * Undefined: the features that will be installed add theirs.
   */
  readonly capabilities: Capabilities | undefined
}

/**
 * Makes a server of the SDK.
 *
 * @category models
 * @since 0.1.0
 */
export type NewServer<T extends SdkTypes> = (settings: ServerSettings) => T["Server"]
