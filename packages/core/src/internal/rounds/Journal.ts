import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { compiled } from "../compiled.ts"
import type { Past } from "./attempts.ts"

/**
 * An ask, as it is found again. `base` is its name, or the digest of its content; `occurrence` tells apart several with
 * the same base. `at` is the position in the fibers of the handler where it was asked, `about` a few words for people.
 */
export interface AskRecord {
  readonly base: string
  readonly occurrence: number
  readonly at: string
  readonly about: string
}

/** An ask with the answer of the client, as it came. */
export interface AnswerRecord extends AskRecord {
  readonly answer: unknown
}

/** The outcome of something that must not run again. */
export interface StepRecord {
  readonly name: string
  readonly at: string
  readonly value: unknown
  /** Kept where it took several attempts. */
  readonly past?: Past | undefined
}

export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

/** What the runs of a handler so far have come to. */
export interface Journal {
  /** How many rounds have ended with open asks. */
  readonly rounds: number
  /** When the first run started, in milliseconds of the server's clock. */
  readonly startedAt: number
  readonly seed: string | undefined
  readonly trace: TraceContext | undefined
  readonly answers: ReadonlyArray<AnswerRecord>
  /** The asks that the last round ended with. */
  readonly open: ReadonlyArray<AskRecord>
  readonly steps: ReadonlyArray<StepRecord>
}

/** The journal of a call that comes without one. Who answers was asked: then there was a round. */
export const emptyJournal = (startedAt: number, hasAnswers: boolean): Journal => ({
  rounds: hasAnswers ? 1 : 0,
  startedAt,
  seed: undefined,
  trace: undefined,
  answers: [],
  open: [],
  steps: []
})

/** Whether the next run needs it: asks that have a name are found again without. */
export const needsState = (
  { answers, seed, steps, trace }: Journal,
  asks: ReadonlyArray<readonly [AskRecord, { readonly key?: string | undefined }]>
): boolean =>
  answers.length > 0 || steps.length > 0 || seed !== undefined || trace !== undefined ||
  asks.some(([, { key }]) => key === undefined)

/** The key of an ask on the wire. Names hold no `#`. */
export const wireKey = ({ base, occurrence }: Pick<AskRecord, "base" | "occurrence">): string =>
  occurrence === 1 ? base : `${base}#${occurrence}`

const AskTuple = Schema.Tuple([Schema.String, Schema.Int, Schema.String, Schema.String])

const Recorded = Schema.Struct({
  r: Schema.Int,
  t: Schema.Finite,
  s: Schema.optionalKey(Schema.String),
  x: Schema.optionalKey(Schema.Tuple([Schema.String, Schema.String, Schema.Boolean])),
  a: Schema.Array(AskTuple),
  o: Schema.Array(AskTuple),
  d: Schema.Array(
    Schema.Tuple([
      Schema.String,
      Schema.String,
      Schema.Unknown,
      Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Int)))
    ])
  )
})

type Recorded = typeof Recorded.Type

const decodeRecorded = Schema.decodeUnknownResult(compiled(Recorded))

const toTuple = ({ about, at, base, occurrence }: AskRecord): typeof AskTuple.Type => [base, occurrence, at, about]

const fromTuple = ([base, occurrence, at, about]: typeof AskTuple.Type) => ({ base, occurrence, at, about })

/** The journal as two texts of JSON: the answers, which the client knows, and everything else, which it must not learn. */
export const toParts = (journal: Journal): { readonly answers: string; readonly rest: string } => ({
  answers: JSON.stringify(journal.answers.map(({ answer }) => answer)),
  rest: JSON.stringify(
    {
      r: journal.rounds,
      t: journal.startedAt,
      ...(journal.seed !== undefined && { s: journal.seed }),
      ...(journal.trace !== undefined &&
        { x: [journal.trace.traceId, journal.trace.spanId, journal.trace.sampled] }),
      a: journal.answers.map(toTuple),
      o: journal.open.map(toTuple),
      d: journal.steps.map(({ at, name, past, value }) =>
        past === undefined ? [name, at, value] : [name, at, value, past]
      )
    } satisfies Recorded
  )
})

/** The journal again, or undefined when these are not the parts of one. */
export const fromParts = (parts: { readonly answers: string; readonly rest: string }): Journal | undefined => {
  const answers = parse(parts.answers)
  const decoded = decodeRecorded(parse(parts.rest))
  if (Result.isFailure(decoded) || !Array.isArray(answers)) return undefined
  const { a, d, o, r, s, t, x } = decoded.success
  return answers.length === a.length
    ? {
      rounds: r,
      startedAt: t,
      seed: s,
      trace: x === undefined ? undefined : { traceId: x[0], spanId: x[1], sampled: x[2] },
      answers: a.map((tuple, index): AnswerRecord => Object.assign(fromTuple(tuple), { answer: answers[index] })),
      open: o.map(fromTuple),
      steps: d.map(([name, at, value, past]) => ({ name, at, value, past }))
    }
    : undefined
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
