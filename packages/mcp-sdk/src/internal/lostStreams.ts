import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import type { RequestId } from "@modelcontextprotocol/sdk/types.js"

/**
 * The HTTP streams that calls travel on. It tells the asks of a call when the HTTP stream that carries the call is gone for good: nothing reaches the client on it
 * any more, and its result has nowhere to go.
 */
export interface LostStreams {
  /** Calls `listener` once, at once if it is lost already. Returns a function that forgets the listener. */
  readonly onLost: (requestId: RequestId, listener: () => void) => () => void
  /** A call that its client cancelled has ended: no response will ever end its stream, and the SDK keeps it open. */
  readonly cancelled: (requestId: RequestId) => void
}

const byTransport = new WeakMap<Transport, LostStreams>()

export const watchStreams = (transport: Transport, streams: LostStreams): void => {
  byTransport.set(transport, streams)
}

export const lostStreams = (transport: Transport | undefined): LostStreams | undefined =>
  transport === undefined ? undefined : byTransport.get(transport)
