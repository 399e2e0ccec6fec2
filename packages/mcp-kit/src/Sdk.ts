/**
 * The port that the adapter of an official SDK implements, and the structural types of the SDK's objects that the kit
 * uses.
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
 * The members of an SDK's transport that the kit uses.
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
 * The type comes from a method, because TypeScript compares the parameters of methods bivariantly. The transports of
 * the SDKs declare narrower message types, and would not be assignable otherwise.
 */
type OnMessage = { onmessage(message: unknown, extra?: unknown): void }["onmessage"]

/**
 * The streams of an SDK's HTTP transport, by the ids of the requests whose messages travel on them.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestStreams {
  get(requestId: RequestId): unknown
  set(requestId: RequestId, stream: unknown): unknown
}

/**
 * The members of an SDK's low-level server that the kit uses.
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
  connect(transport: never): Promise<void>
  close(): Promise<void>
}

/**
 * The capabilities that a server declares for its features.
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
 * The types of an SDK that appear in the API of its adapter. `InputRequired` is `never` if the SDK does not support
 * rounds.
 *
 * @category models
 * @since 0.1.0
 */
export interface SdkTypes {
  readonly Server: SdkServer
  readonly Request: unknown
  readonly ToolResult: object
  readonly ToolBlock: object
  readonly PromptResult: object
  readonly ResourceResult: object
  readonly InputRequired: object
}

/**
 * The SDK's low-level server, or its high-level server (`McpServer`), which holds a low-level one.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyServer<T extends SdkTypes> = T["Server"] | { readonly server: T["Server"] }

/**
 * The methods of the requests that the kit handles.
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
 * The parameters of these requests. The SDK has validated the ones that a method has, and the kit reads no others.
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
 * The facts about a request in progress that the kit uses.
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
 * The part of the port that answers calls in rounds (MCP 2026-07-28).
 *
 * **Details**
 *
 * - `isAnsweredInRounds` returns whether the client of this server speaks a revision with rounds.
 * - `callerOf` returns the caller, from whom the principal is derived.
 * - `toCall` converts a request to the input of the round runner.
 * - `toInputRequired` converts the end of a round to the SDK's result.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rounds<T extends SdkTypes> {
  readonly isAnsweredInRounds: (server: T["Server"]) => boolean
  readonly callerOf: (request: T["Request"]) => Caller
  readonly toCall: (
    method: RoundRunner.Call["method"],
    request: T["Request"]
  ) => Omit<RoundRunner.Call, "principal">
  readonly toInputRequired: (round: RoundRunner.InputRequired) => T["InputRequired"]
}

/**
 * The port to one SDK, on which features and handlers are built.
 *
 * **Details**
 *
 * - `prepare` applies the adapter's workarounds to a server that is not connected yet. Several calls have the effect of
 *   one.
 * - `handle` sets the handler of a method. A handler fails by throwing, or rejecting with, an error with a JSON-RPC
 *   `code`.
 * - `infoOf` reads a request. `protocolVersion` and `unreachable` supply the fields of `ClientConnection` with these
 *   names. The kit calls all three often and does not cache their results.
 * - `parseUriTemplate` parses an RFC 6570 template, and returns undefined for a plain URI without variables. The parsed
 *   template is a function from a URI to the values of its variables, or to undefined if the URI does not match.
 * - `requestStreams` returns the streams of the SDK's HTTP transport, and undefined for every other transport.
 * - `withRequest` adds services about the request to the context of its handler. Default: adds nothing.
 * - `rounds` is absent if the SDK does not support rounds.
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
  readonly unreachable: (
    server: T["Server"],
    request: T["Request"]
  ) => { readonly reason: string; readonly remedy: string } | undefined
  readonly notifyProgress: (
    request: T["Request"],
    params: { readonly progressToken: RequestId; readonly progress: number; readonly message: string }
  ) => Promise<void>
  readonly parseUriTemplate: (template: string) => ((uri: string) => Variables | undefined) | undefined
  readonly resourceNotFound: (uri: string) => Error
  readonly requestStreams: (transport: Transport) => RequestStreams | undefined
  readonly withRequest?: (context: Context.Context<never>, request: T["Request"]) => Context.Context<never>
  readonly rounds?: Rounds<T>
}

/**
 * The values of a template's variables in a URI that matches it.
 *
 * @category models
 * @since 0.1.0
 */
export type Variables = Readonly<Record<string, string | Array<string>>>

/**
 * The settings of a new server.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerSettings {
  readonly name: string
  readonly version: string
  readonly instructions: string | undefined
  /**
   * The capabilities that the server declares. If undefined, the features that are installed later add theirs.
   */
  readonly capabilities: Capabilities | undefined
}

/**
 * Creates a low-level server of the SDK.
 *
 * @category models
 * @since 0.1.0
 */
export type NewServer<T extends SdkTypes> = (settings: ServerSettings) => T["Server"]
