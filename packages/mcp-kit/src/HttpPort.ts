/**
 * The port to the HTTP transports of one SDK.
 *
 * @since 0.1.0
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { NewServer, RequestId, Sdk, SdkTypes, Transport } from "./Sdk.ts"

/**
 * One session: a server of the SDK with its HTTP transport.
 *
 * **Details**
 *
 * - `closeStream` ends the response stream of a request that the SDK will not answer.
 * - `handle` receives the parsed body in `messages`, or undefined for a GET or DELETE request.
 *
 * @category models
 * @since 0.1.0
 */
export interface SdkSession {
  readonly transport: Transport & { readonly sessionId?: string | undefined }
  readonly connect: () => Promise<void>
  readonly close: () => Promise<void>
  readonly closeStream: (requestId: RequestId) => void
  readonly handle: (
    request: IncomingMessage,
    response: ServerResponse,
    messages: object | undefined
  ) => Promise<void>
}

/**
 * Serves the requests that belong to no session (MCP 2026-07-28). `handle` returns whether it handled the request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stateless {
  readonly handle: (
    request: IncomingMessage,
    response: ServerResponse,
    messages: object
  ) => Promise<boolean>
  readonly close: () => Promise<void>
}

/**
 * The port through which the kit serves HTTP on one SDK.
 *
 * **Details**
 *
 * - `openSession` creates the server and the transport of a session, which call `onInitialized` and `onClosed`.
 * - `isInitialize` returns whether the messages start a session.
 * - `stateless` is absent if the SDK serves sessions only.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpPort<T extends SdkTypes> {
  readonly sdk: Sdk<T>
  readonly newServer: NewServer<T>
  readonly openSession: (
    makeServer: () => T["Server"],
    onInitialized: (sessionId: string) => void,
    onClosed: () => void
  ) => SdkSession
  readonly isInitialize: (messages: unknown) => boolean
  readonly stateless?: (makeServer: () => T["Server"], onError: (error: Error) => void) => Stateless
}
