/**
 * The HTTP streams that the calls of one session travel on: for adapters.
 *
 * @since 0.1.0
 */
import { clearTimeout, setTimeout } from "../internal/platform.ts"
import type { Timer } from "../internal/platform.ts"
import type { RequestId, Transport } from "./ClientChannel.ts"

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
 * The responses that the calls of one session wait on. A dropped one is no cancellation (MCP 2025-11-25, transports,
 * "Sending Messages to the Server": "Disconnection SHOULD NOT be interpreted as the client cancelling its request"), but
 * after a grace its call can neither ask the client nor be answered.
 *
 * @category models
 * @since 0.1.0
 */
export class HttpStreams implements LostStreams {
  private readonly graceMillis: number
  private readonly listeners = new Map<RequestId, Set<() => void>>()
  private readonly timers = new Set<Timer>()
  private readonly endStream: (requestId: RequestId) => void
  /** The requests that share their stream with others: those of a batch. */
  private readonly batched = new Set<RequestId>()
  private closed = false

  constructor(graceMillis: number, endStream: (requestId: RequestId) => void) {
    this.graceMillis = graceMillis
    this.endStream = endStream
  }

  open(requests: ReadonlyArray<RequestId>): void {
    for (const id of requests) {
      this.listeners.set(id, new Set())
      if (requests.length > 1) this.batched.add(id)
    }
  }

  /** The response of these requests closed: they were answered, or the connection dropped. */
  end(requests: ReadonlyArray<RequestId>, answered: boolean): void {
    if (requests.length === 0 || this.closed) return
    for (const id of requests) this.batched.delete(id)
    if (answered) {
      for (const id of requests) this.listeners.delete(id)
      return
    }
    const timer: Timer = setTimeout(
      () => {
        this.timers.delete(timer)
        for (const id of requests) {
          const lost = this.listeners.get(id)
          this.listeners.delete(id)
          for (const listener of lost ?? []) listener()
        }
      },
      this.graceMillis,
      undefined
    )
    this.timers.add(timer)
  }

  onLost(requestId: RequestId, listener: () => void): () => void {
    const waiting = this.listeners.get(requestId)
    if (waiting === undefined) listener()
    else waiting.add(listener)
    return () => {
      waiting?.delete(listener)
    }
  }

  cancelled(requestId: RequestId): void {
    if (!this.batched.has(requestId)) this.endStream(requestId)
  }

  close(): void {
    this.closed = true
    for (const timer of this.timers) clearTimeout(timer)
    this.timers.clear()
    this.listeners.clear()
  }
}
