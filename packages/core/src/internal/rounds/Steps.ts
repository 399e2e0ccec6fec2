import type { Branch } from "./Branch.ts"
import type { StepRecord } from "./Journal.ts"
import { escapeName } from "./Scope.ts"

/** The uses of one name in a run: how many there were, and the branch of the fiber that made the last one. */
interface Uses {
  count: number
  by: Branch
}

/** A use of a name: its number, and what is recorded for it. */
export interface Use {
  readonly key: string
  readonly occurrence: number
  readonly id: string
  readonly record: StepRecord | undefined
}

/**
 * The once-steps of a run. A once-step is its name: the n-th use of a name in a run finds what the n-th use in an
 * earlier run recorded, whichever fiber it is.
 */
export class Steps {
  private readonly records = new Map<string, StepRecord>()
  /** The places of the fibers that took records in this run, by the ids of the records. */
  private readonly takers = new Map<string, string>()
  private readonly uses = new Map<string, Uses>()

  constructor(records: ReadonlyArray<StepRecord>) {
    for (const record of records) this.records.set(idOf(record.key, record.occurrence), record)
  }

  get all(): ReadonlyArray<StepRecord> {
    return [...this.records.values()]
  }

  /** The key of a name inside the once-step with this id, if there is one, and below the author's scopes. */
  keyOf(inside: string | undefined, scope: string, name: string): string {
    return `${inside === undefined ? "" : `${inside}/`}${scope}${escapeName(name)}`
  }

  /**
   * Returns whether the fiber of a branch must not use the name now, because a fiber beside it uses the name as well: one
   * that was alive with it in this run, or one that took what it had recorded in an earlier run.
   */
  isClash(key: string, by: Branch): boolean {
    const uses = this.uses.get(key)
    if (uses === undefined) return false
    if (uses.by.isBeside(by)) return true
    for (let occurrence = 1; occurrence <= uses.count; occurrence++) {
      const id = idOf(key, occurrence)
      const taker = this.takers.get(id)
      if (this.records.get(id)?.at === by.place.path && taker !== undefined && areSiblings(taker, by.place.path)) {
        return true
      }
    }
    return false
  }

  /** Counts a use of a name by the fiber of a branch. */
  use(key: string, by: Branch): Use {
    const uses = this.uses.get(key) ?? { count: 0, by }
    this.uses.set(key, uses)
    const occurrence = ++uses.count
    uses.by = by
    const id = idOf(key, occurrence)
    const record = this.records.get(id)
    if (record !== undefined) this.takers.set(id, by.place.path)
    return { key, occurrence, id, record }
  }

  /** Returns whether an outcome of the use is recorded. */
  has({ id }: Use): boolean {
    return this.records.has(id)
  }

  /** Takes back a use without an outcome, such as an attempt that timed out: the next attempt is the same use. */
  giveBack({ key, occurrence }: Use): void {
    const uses = this.uses.get(key)
    if (uses?.count === occurrence) uses.count--
  }

  /** Records an outcome. What was recorded inside the once-step is no longer needed. */
  record({ id, key, occurrence }: Use, at: string, outcome: StepRecord["outcome"]): void {
    for (const inner of this.records.keys()) if (inner.startsWith(`${id}/`)) this.records.delete(inner)
    this.records.set(id, { key, occurrence, at, outcome })
  }
}

/** Returns whether two places are those of fibers that one operation started, or that were forked beside each other. */
const areSiblings = (one: string, other: string): boolean => one !== other && siblings(one) === siblings(other)

const siblings = (path: string): string => path.replace(/(_\d+|f\d+)$/, "")

const idOf = (key: string, occurrence: number): string => `${key}#${occurrence}`
