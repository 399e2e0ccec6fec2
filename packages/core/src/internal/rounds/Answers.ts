import type { ClientRequest } from "../../ClientConnection.ts"
import { aboutRequest } from "./aboutRequest.ts"
import { wireKey } from "./Journal.ts"
import type { AnswerRecord, AskRecord, Journal } from "./Journal.ts"
import { isInside } from "./Place.ts"
import type { Place } from "./Place.ts"

/** An answer, to be taken once. One that arrived without a state has no position until an ask takes it. */
export type Recorded = Omit<AnswerRecord, "at"> & {
  at: string | undefined
  isTaken: boolean
}

/** An ask of a run: its key or the digest of its content, and the position among the handler's fibers. */
export interface Ask {
  readonly base: string
  readonly at: string
  readonly request: ClientRequest
}

/** The answers of a call: those that earlier runs have recorded, and those that the client has just sent. */
export class Answers {
  /** The number of answers that the run took. */
  taken = 0
  /** The run took something that the client has answered and that no run took before, perhaps inside a once-step. */
  tookNew = false
  /** The client answered none of the asks of the last round. */
  readonly isSilent: boolean
  private readonly recorded = new Map<string, Array<Recorded>>()
  /** The asks of the last round that the client did not answer. */
  private readonly unanswered = new Map<string, Array<AskRecord>>()

  constructor({ answers, open }: Journal, responses: ReadonlyMap<string, unknown>) {
    for (const answer of answers) push(this.recorded, { ...answer, isTaken: false })
    let count = 0
    for (const ask of open) {
      const key = wireKey(ask)
      if (!responses.has(key)) push(this.unanswered, ask)
      else {
        push(this.recorded, { ...ask, answer: responses.get(key), isTaken: false, isNew: true })
        count++
      }
    }
    // Without a state it is unknown what was asked, but asks that have a name can still find their answers.
    if (open.length === 0) {
      for (const [key, answer] of responses) {
        push(this.recorded, { ...fromWireKey(key), answer, isTaken: false, isNew: false })
      }
    }
    this.isSilent = count === 0
  }

  /** Returns the first free answer for this key or digest that fits. */
  find(base: string, fits: (answer: Recorded) => boolean): Recorded | undefined {
    return this.recorded.get(base)?.find((answer) => !answer.isTaken && fits(answer))
  }

  /** The round that brought an answer may have kept it without taking it. */
  take(answer: Recorded, at: string): void {
    answer.isTaken = true
    answer.at = at
    this.tookNew ||= answer.isNew
    this.taken++
  }

  /** Returns whether the call has asked for this key or digest once only. */
  isOnly(base: string): boolean {
    return (this.recorded.get(base)?.length ?? 0) + (this.unanswered.get(base)?.length ?? 0) === 1
  }

  /** Drops what was answered inside a once-step, whose outcome is now recorded, so no other ask takes it. */
  dropInside(place: Place): void {
    for (const [base, answers] of this.recorded) {
      if (answers.some(({ at }) => isInside(at, place))) {
        this.recorded.set(base, answers.filter(({ at }) => !isInside(at, place)))
      }
    }
  }

  /** An answer of the client that no run has taken so far. */
  get untaken(): Recorded | undefined {
    for (const answers of this.recorded.values()) {
      const untaken = answers.find(({ isNew, isTaken }) => isNew && !isTaken)
      if (untaken !== undefined) return untaken
    }
    return undefined
  }

  /** The answers that the next run needs. */
  get all(): ReadonlyArray<AnswerRecord> {
    const all: Array<AnswerRecord> = []
    for (const answers of this.recorded.values()) {
      for (const { about, answer, at, base, isNew, isTaken, occurrence } of answers) {
        if (at !== undefined) all.push({ base, occurrence, at, about, answer, isNew: isNew && !isTaken })
      }
    }
    return all
  }

  /** Numbers the asks with which a round ends. An ask that the client did not answer keeps its number. */
  toRecords(asks: ReadonlyArray<Ask>): ReadonlyArray<readonly [AskRecord, ClientRequest]> {
    const again = new Map([...this.unanswered].map(([base, asks]) => [base, [...asks]]))
    const highest = new Map<string, number>()
    return asks.map(({ at, base, request }) => {
      const same = again.get(base) ?? []
      const [known] = same.splice(Math.max(0, same.findIndex((ask) => ask.at === at)), 1)
      const occurrence = known?.occurrence ?? (highest.get(base) ?? this.highest(base)) + 1
      if (known === undefined) highest.set(base, occurrence)
      return [{ base, occurrence, at, about: aboutRequest(request) }, request]
    })
  }

  private highest(base: string): number {
    const asked = (this.recorded.get(base) ?? []).filter(({ at }) => at !== undefined)
    return Math.max(0, ...[...asked, ...(this.unanswered.get(base) ?? [])].map(({ occurrence }) => occurrence))
  }
}

const push = <A extends { readonly base: string }>(byBase: Map<string, Array<A>>, record: A): void => {
  const same = byBase.get(record.base)
  if (same === undefined) byBase.set(record.base, [record])
  else same.push(record)
}

const fromWireKey = (key: string): { base: string; occurrence: number; at: undefined; about: string } => {
  const [, base, occurrence] = /^([^#]*)#(\d{1,9})$/.exec(key) ?? []
  return base === undefined
    ? { base: key, occurrence: 1, at: undefined, about: key }
    : { base, occurrence: Number(occurrence), at: undefined, about: key }
}
