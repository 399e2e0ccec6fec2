import { clearTimeout, setTimeout } from "../platform.ts"
import type { Timer } from "../platform.ts"

/** A request to the client that waits for its answer. */
export interface Pending {
  readonly id: number
  /** When it was sent, or when the client last said that it works on it. */
  since: number
  /** No answer came in time. It removes itself. */
  readonly expire: () => void
}

/**
 * The asks that have the same limit of time: in the order in which they end, so one timer serves all of them. A timer for
 * each would hold more than the rest of an ask.
 */
export class PendingAsks<Ask extends Pending> {
  private readonly limitMillis: number
  private readonly asks = new Map<number, Ask>()
  private timer: Timer | undefined

  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }

  get(id: number): Ask | undefined {
    return this.asks.get(id)
  }

  values(): Iterable<Ask> {
    return this.asks.values()
  }

  /** Its time starts now, also where it started before. */
  start(ask: Ask): void {
    this.asks.delete(ask.id)
    ask.since = now()
    this.asks.set(ask.id, ask)
    if (this.timer === undefined) this.timer = setTimeout(expire, this.limitMillis, this)
    else if (this.asks.size === 1) this.timer.ref?.()
  }

  /** The timer goes on, to serve the next ask; without one the process need not wait for it. */
  remove(ask: Ask): boolean {
    const removed = this.asks.delete(ask.id)
    if (this.asks.size === 0) this.timer?.unref?.()
    return removed
  }

  /** Nothing will be asked any more. */
  close(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  expire(): void {
    const due = now() - this.limitMillis
    for (const ask of this.asks.values()) {
      if (ask.since > due) break
      ask.expire()
    }
    const [first] = this.asks.values()
    this.timer = first && setTimeout(expire, first.since - due, this)
  }
}

const expire = (asks: PendingAsks<Pending>): void => asks.expire()

/** Whole milliseconds, which V8 keeps within the object. */
const now = (): number => Math.floor(performance.now())
