import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { compiled } from "../compiled.ts"

/**
 * The record by which a later run recognizes an ask. `base` is its name or the digest of its content, and `occurrence`
 * distinguishes asks with the same base. `at` is the position among the handler's fibers at which it was asked. `about`
 * describes it to people in a few words.
 */
export interface AskRecord {
  readonly base: string
  readonly occurrence: number
  readonly at: string
  readonly about: string
}

/** An ask, with the client's answer as it arrived. `isNew`: no run has taken it so far. */
export interface AnswerRecord extends AskRecord {
  readonly answer: unknown
  readonly isNew: boolean
}

/** The outcome of a once-step, encoded by its Schema. */
export interface Outcome {
  readonly _tag: "Success" | "Failure"
  readonly value: unknown
}

/**
 * The outcome of a once-step, which must not run again. `occurrence` counts the uses of its key. `at` is the place of the
 * fiber that recorded it.
 */
export interface StepRecord {
  readonly key: string
  readonly occurrence: number
  readonly at: string
  readonly outcome: Outcome
}

export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

/** Everything that the runs of a handler have recorded so far. */
export interface Journal {
  /** The number of rounds that ended with open asks. */
  readonly rounds: number
  /** How much the last rounds in a row, in which nothing that the client had answered was taken, speak for a mismatch. */
  readonly doubts: number
  /** The time at which the first run started, in milliseconds of the server's clock. */
  readonly startedAt: number
  readonly seed: string | undefined
  readonly trace: TraceContext | undefined
  readonly answers: ReadonlyArray<AnswerRecord>
  /** The asks that the last round ended with. */
  readonly open: ReadonlyArray<AskRecord>
  readonly steps: ReadonlyArray<StepRecord>
}

/**
 * Returns the journal of a call that arrives without a state. If it brings answers, a round asked for them, so one
 * round has ended.
 */
export const emptyJournal = (startedAt: number, hasAnswers: boolean): Journal => ({
  rounds: hasAnswers ? 1 : 0,
  doubts: 0,
  startedAt,
  seed: undefined,
  trace: undefined,
  answers: [],
  open: [],
  steps: []
})

/** Returns whether the next run needs the journal. A run recognizes asks that have a name without it. */
export const needsState = (
  { answers, doubts, seed, steps, trace }: Journal,
  asks: ReadonlyArray<readonly [AskRecord, { readonly key?: string | undefined }]>
): boolean =>
  answers.length > 0 || steps.length > 0 || doubts > 0 || seed !== undefined || trace !== undefined ||
  asks.some(([, { key }]) => key === undefined)

/** Returns the key of an ask on the wire. Names hold no `#`, so the keys of different asks differ. */
export const wireKey = ({ base, occurrence }: Pick<AskRecord, "base" | "occurrence">): string =>
  occurrence === 1 ? base : `${base}#${occurrence}`

const AskTuple = Schema.Tuple([Schema.String, Schema.Int, Schema.String, Schema.String])

const Recorded = Schema.Struct({
  r: Schema.Int,
  i: Schema.optionalKey(Schema.Int),
  t: Schema.Finite,
  s: Schema.optionalKey(Schema.String),
  x: Schema.optionalKey(Schema.Tuple([Schema.String, Schema.String, Schema.Boolean])),
  a: Schema.Array(Schema.Tuple([...AskTuple.elements, Schema.optionalKey(Schema.Literal(1))])),
  o: Schema.Array(AskTuple),
  d: Schema.Array(Schema.Tuple([Schema.String, Schema.Int, Schema.String, Schema.Boolean, Schema.Unknown]))
})

type Recorded = typeof Recorded.Type

const decodeRecorded = Schema.decodeUnknownResult(compiled(Recorded))

const toTuple = ({ about, at, base, occurrence }: AskRecord): typeof AskTuple.Type => [base, occurrence, at, about]

const toAnswerTuple = ({ about, at, base, isNew, occurrence }: AnswerRecord): Recorded["a"][number] =>
  isNew ? [base, occurrence, at, about, 1] : [base, occurrence, at, about]

const fromTuple = ([base, occurrence, at, about]: typeof AskTuple.Type) => ({ base, occurrence, at, about })

/**
 * Encodes the journal as two texts of JSON: the answers, which the client knows, and everything else, which it must not
 * learn.
 */
export const toParts = (journal: Journal): { readonly answers: string; readonly rest: string } => ({
  answers: JSON.stringify(journal.answers.map(({ answer }) => answer)),
  rest: JSON.stringify(
    {
      r: journal.rounds,
      ...(journal.doubts > 0 && { i: journal.doubts }),
      t: journal.startedAt,
      ...(journal.seed !== undefined && { s: journal.seed }),
      ...(journal.trace !== undefined &&
        { x: [journal.trace.traceId, journal.trace.spanId, journal.trace.sampled] }),
      a: journal.answers.map(toAnswerTuple),
      o: journal.open.map(toTuple),
      d: journal.steps.map(({ at, key, occurrence, outcome }) =>
        [key, occurrence, at, outcome._tag === "Success", outcome.value ?? null] as const
      )
    } satisfies Recorded
  )
})

/** Decodes a journal. Returns undefined if the texts are not the parts of one. */
export const fromParts = (parts: { readonly answers: string; readonly rest: string }): Journal | undefined => {
  const answers = parse(parts.answers)
  const decoded = decodeRecorded(parse(parts.rest))
  if (Result.isFailure(decoded) || !Array.isArray(answers)) return undefined
  const { a, d, i = 0, o, r, s, t, x } = decoded.success
  return answers.length === a.length
    ? {
      rounds: r,
      doubts: i,
      startedAt: t,
      seed: s,
      trace: x === undefined ? undefined : { traceId: x[0], spanId: x[1], sampled: x[2] },
      answers: a.map(([base, occurrence, at, about, isNew], index) => ({
        base,
        occurrence,
        at,
        about,
        answer: answers[index],
        isNew: isNew === 1
      })),
      open: o.map(fromTuple),
      steps: d.map(([key, occurrence, at, isSuccess, value]) => ({
        key,
        occurrence,
        at,
        outcome: { _tag: isSuccess ? "Success" : "Failure", value }
      }))
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
