import { clearTimeout, setTimeout } from "../platform.ts"
import type { Timer } from "../platform.ts"

/** How long an ask may wait for its answer or for progress, and how long in total. */
export interface AskLimits {
  readonly timeoutMillis: number
  readonly totalMillis: number
}

/** A request to the client that waits for its answer. */
export interface Pending {
  readonly id: number
  /** The time when the request was sent. */
  begun: number
  /** The time when the request was sent, or when the client last reported progress. */
  since: number
  /** Called when no answer came in time. The implementation removes the ask. */
  readonly expire: () => void
}

/**
 * The open asks with the same time limits. They are kept in the order in which they expire, so one timer serves all of
 * them. A timer for each ask would use more memory than the rest of the ask.
 */
export class PendingAsks<Ask extends Pending> {
  readonly limits: AskLimits
  private readonly asks = new Map<number, Ask>()
  private timer: Timer | undefined

  constructor(limits: AskLimits) {
    this.limits = limits
  }

  get(id: number): Ask | undefined {
    return this.asks.get(id)
  }

  values(): Iterable<Ask> {
    return this.asks.values()
  }

  /** Adds an ask, whose time starts now. */
  start(ask: Ask): void {
    ask.begun = now()
    this.add(ask, ask.begun)
  }

  /** Starts the time of an ask again, unless it could then take longer than an ask may take in total. */
  restart(ask: Ask): void {
    const since = now()
    if (since + this.limits.timeoutMillis <= ask.begun + this.limits.totalMillis && this.asks.delete(ask.id)) {
      this.add(ask, since)
    }
  }

  /** Removes an ask. The timer keeps running for later asks, but it does not keep the process alive without any ask. */
  remove(ask: Ask): boolean {
    const removed = this.asks.delete(ask.id)
    if (this.asks.size === 0) this.timer?.unref?.()
    return removed
  }

  /** Stops the timer. No ask may start afterwards. */
  close(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  private add(ask: Ask, since: number): void {
    ask.since = since
    this.asks.set(ask.id, ask)
    if (this.timer === undefined) this.timer = setTimeout(expire, this.limits.timeoutMillis, this)
    else if (this.asks.size === 1) this.timer.ref?.()
  }

  expire(): void {
    const due = now() - this.limits.timeoutMillis
    for (const ask of this.asks.values()) {
      if (ask.since > due) break
      ask.expire()
    }
    const [first] = this.asks.values()
    this.timer = first && setTimeout(expire, first.since - due, this)
  }
}

const expire = (asks: PendingAsks<Pending>): void => asks.expire()

/** Returns whole milliseconds, because V8 stores a small integer inside the object and a fraction outside of it. */
const now = (): number => Math.floor(performance.now())
