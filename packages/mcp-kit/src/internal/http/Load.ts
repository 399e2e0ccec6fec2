/** Counts what an HTTP server handles at the same time, in total and for each caller. */

/**
 * The limits of a server. `callerShare` is the part of each limit that one caller may use.
 */
export interface Limits {
  readonly maxCalls: number
  readonly maxBytesInFlight: number
  readonly callerShare: number
}

interface Usage {
  calls: number
  bytes: number
}

export class Load {
  readonly limits: Limits
  readonly total: Usage = { calls: 0, bytes: 0 }
  private readonly callers = new Map<string, Usage & { leases: number }>()

  constructor(limits: Limits) {
    this.limits = limits
  }

  /** Opens the account of one HTTP request. */
  lease(caller: string): Lease {
    const usage = this.callers.get(caller) ?? { calls: 0, bytes: 0, leases: 0 }
    usage.leases++
    this.callers.set(caller, usage)
    return new Lease(this, usage, () => {
      if (--usage.leases === 0) this.callers.delete(caller)
    })
  }
}

/** What one HTTP request uses. */
export class Lease {
  private readonly load: Load
  private readonly caller: Usage
  private readonly used: Usage = { calls: 0, bytes: 0 }
  private readonly onRelease: () => void
  private size = 0
  private isReleased = false

  constructor(load: Load, caller: Usage, onRelease: () => void) {
    this.load = load
    this.caller = caller
    this.onRelease = onRelease
  }

  /** Adds bytes of a body. Returns false, and adds nothing, if the limits leave no room for them. */
  addBytes(count: number): boolean {
    this.size += count
    // Answers are mostly small. If they had to wait for room, the calls that wait for them could not end.
    const bytes = Math.min(count, this.size - freeBytes)
    return bytes <= 0 || this.add("bytes", bytes, this.load.limits.maxBytesInFlight)
  }

  /** Adds calls. Returns false, and adds nothing, if the limits leave no room for them. */
  addCalls(count: number): boolean {
    return count === 0 || this.add("calls", count, this.load.limits.maxCalls)
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    for (const usage of [this.load.total, this.caller]) {
      usage.calls -= this.used.calls
      usage.bytes -= this.used.bytes
    }
    this.onRelease()
  }

  private add(kind: keyof Usage, count: number, limit: number): boolean {
    const { caller, load, used } = this
    if (load.total[kind] + count > limit) return false
    // A caller may always have one request, because its share may be smaller than that.
    const others = caller[kind] - used[kind]
    if (others > 0 && caller[kind] + count > limit * load.limits.callerShare) return false
    for (const usage of [load.total, caller, used]) usage[kind] += count
    return true
  }
}

/** The first bytes of each body do not count. */
const freeBytes = 64 * 1024
