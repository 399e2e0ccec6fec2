/** Tracks the HTTP streams that carry the calls of one session. */
import type { RequestId, Transport } from "../../Sdk.ts"
import { clearTimeout, setTimeout } from "../platform.ts"
import type { Timer } from "../platform.ts"

/**
 * Reports to the asks of a call that the HTTP stream of the call is lost for good. Nothing can reach the client on a
 * lost stream, neither an ask nor the result of the call.
 */
export interface LostStreams {
  /**
   * Calls `listener` once when the stream is lost, or immediately if it is already lost. Returns a function that
   * removes the listener.
   */
  readonly onLost: (requestId: RequestId, listener: () => void) => () => void
  /**
   * Closes the stream of a call that ended because its client cancelled it. The call has no response that would end the
   * stream, and the SDK keeps the stream open. A stream that also answers other requests of a batch stays open.
   */
  readonly cancelled: (requestId: RequestId) => void
}

const byTransport = new WeakMap<Transport, LostStreams>()

/** Registers the streams of a transport, so that asks on the transport can find them. */
export const watch = (transport: Transport, streams: LostStreams): void => {
  byTransport.set(transport, streams)
}

/** Returns the streams of a transport, or undefined if none were registered. */
export const find = (transport: Transport | undefined): LostStreams | undefined =>
  transport === undefined ? undefined : byTransport.get(transport)

/** One HTTP response, with the requests that it answers. */
export interface HttpStream {
  readonly requests: ReadonlyArray<RequestId>
  readonly listeners: Set<() => void>
  /** The requests that are neither answered nor cancelled. */
  readonly remaining: Set<RequestId>
  hasCancelled: boolean
  isOpen: boolean
}

/**
 * The HTTP responses that answer the calls of one session. A dropped response does not cancel its call (MCP 2025-11-25,
 * transports, "Sending Messages to the Server": "Disconnection SHOULD NOT be interpreted as the client cancelling its
 * request"). After a grace period, however, the call can neither ask the client nor be answered.
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

  /** Records a new response that will answer these requests: a single one, or those of a batch. */
  open(requests: ReadonlyArray<RequestId>): HttpStream {
    const stream: HttpStream = {
      requests,
      listeners: new Set(),
      remaining: new Set(requests),
      hasCancelled: false,
      isOpen: true
    }
    for (const id of requests) this.streams.set(id, stream)
    return stream
  }

  /** Returns whether the response that answers this request is still open. */
  isOpen(requestId: RequestId): boolean {
    return this.streams.get(requestId)?.isOpen === true
  }

  /** Records that the response closed, because its requests were answered or because the connection dropped. */
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

  /** Records that the response of a request was sent. */
  answered(requestId: RequestId): void {
    this.settle(requestId)
  }

  cancelled(requestId: RequestId): void {
    const stream = this.streams.get(requestId)
    if (stream !== undefined) stream.hasCancelled = true
    this.settle(requestId)
  }

  close(): void {
    this.isClosed = true
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
    this.streams.clear()
  }

  /** The SDK ends a response whose requests were all answered, and no other. */
  private settle(requestId: RequestId): void {
    const stream = this.streams.get(requestId)
    if (stream === undefined || !stream.remaining.delete(requestId)) return
    if (stream.remaining.size === 0 && stream.hasCancelled) this.endStream(requestId)
  }

  /**
   * Forgets the requests of a response. The identity check matters: after the connection of this response dropped, a
   * later request may have reused one of the ids.
   */
  private forget(stream: HttpStream): void {
    for (const id of stream.requests) {
      if (this.streams.get(id) === stream) this.streams.delete(id)
    }
  }
}
