/**
 * The HTTP streams that the calls of one session travel on: for adapters.
 *
 * @since 0.1.0
 */
import type { RequestId, Transport } from "../../Sdk.ts"
import { clearTimeout, setTimeout } from "../platform.ts"
import type { Timer } from "../platform.ts"

/**
 * It tells the asks of a call when the HTTP stream that carries the call is gone for good: nothing reaches the client on
 * it any more, and its result has nowhere to go.
 *
 * @category models
 * @since 0.1.0
 */
export interface LostStreams {
  /**
   * Calls `listener` once, at once if it is lost already. Returns a function that forgets the listener.
   */
  readonly onLost: (requestId: RequestId, listener: () => void) => () => void
  /**
   * A call that its client cancelled has ended: no response will ever end its stream, and the SDK keeps it open.
   */
  readonly cancelled: (requestId: RequestId) => void
}

const byTransport = new WeakMap<Transport, LostStreams>()

/**
 * Makes the streams of a transport known to its asks.
 *
 * @category watching
 * @since 0.1.0
 */
export const watch = (transport: Transport, streams: LostStreams): void => {
  byTransport.set(transport, streams)
}

/**
 * The streams of a transport, where they are watched.
 *
 * @category watching
 * @since 0.1.0
 */
export const find = (transport: Transport | undefined): LostStreams | undefined =>
  transport === undefined ? undefined : byTransport.get(transport)

/**
 * One HTTP response and the requests that are answered on it.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpStream {
  readonly requests: ReadonlyArray<RequestId>
  readonly listeners: Set<() => void>
  isOpen: boolean
}

/**
 * The responses that the calls of one session wait on. A dropped response does not cancel its call (MCP 2025-11-25,
 * transports, "Sending Messages to the Server": "Disconnection SHOULD NOT be interpreted as the client cancelling its
 * request"), but after a grace period the call can neither ask the client nor be answered.
 *
 * @category models
 * @since 0.1.0
 */
export class HttpStreams implements LostStreams {
  private readonly graceMillis: number
  private readonly endStream: (requestId: RequestId) => void
  private readonly streams = new Map<RequestId, HttpStream>()
  private readonly timers = new Set<Timer>()
  private isClosed = false

  constructor(graceMillis: number, endStream: (requestId: RequestId) => void) {
    this.graceMillis = graceMillis
    this.endStream = endStream
  }

  /** A response begins that will answer these requests: one, or those of a batch. */
  open(requests: ReadonlyArray<RequestId>): HttpStream {
    const stream: HttpStream = { requests, listeners: new Set(), isOpen: true }
    for (const id of requests) this.streams.set(id, stream)
    return stream
  }

  /** Whether the response that answers this request is still open. */
  isOpen(requestId: RequestId): boolean {
    return this.streams.get(requestId)?.isOpen === true
  }

  /** The response has closed: its requests were answered, or the connection dropped. */
  end(stream: HttpStream, isAnswered: boolean): void {
    stream.isOpen = false
    if (stream.requests.length === 0 || this.isClosed) return
    if (isAnswered) {
      this.forget(stream)
      return
    }
    const timer: Timer = setTimeout(
      () => {
        this.timers.delete(timer)
        this.forget(stream)
        for (const listener of stream.listeners) listener()
      },
      this.graceMillis,
      undefined
    )
    this.timers.add(timer)
  }

  onLost(requestId: RequestId, listener: () => void): () => void {
    const stream = this.streams.get(requestId)
    if (stream === undefined) listener()
    else stream.listeners.add(listener)
    return () => {
      stream?.listeners.delete(listener)
    }
  }

  cancelled(requestId: RequestId): void {
    if (this.streams.get(requestId)?.requests.length === 1) this.endStream(requestId)
  }

  close(): void {
    this.isClosed = true
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
    this.streams.clear()
  }

  /** A later request may have taken the id of one of these, after the connection of this response dropped. */
  private forget(stream: HttpStream): void {
    for (const id of stream.requests) {
      if (this.streams.get(id) === stream) this.streams.delete(id)
    }
  }
}
