import * as Effect from "effect/Effect"
import type { ToolResultContent, ToolUseContent } from "../../Content.ts"
import { blocks } from "../../Content.ts"
import { TurnLimitExceeded } from "../../SamplingError.ts"
import type { SamplingError } from "../../SamplingError.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import type { SamplingRequest, ToolDefinition } from "../../SamplingRequest.ts"
import type { SamplingResponse, Usage } from "../../SamplingResponse.ts"
import type { Turn } from "../../ToolLoop.ts"
import { withAdvice } from "../advice.ts"
import { join, withoutEmptyBlocks } from "../request/emptyContent.ts"
import { loopAttributes, turnAttributes } from "../trace/spanAttributes.ts"
import { errorResult } from "./toResultContent.ts"

/** The tools that a turn offers to the model. */
export interface Offer {
  readonly tools?: ReadonlyArray<ToolDefinition>
  readonly toolChoice?: NonNullable<SamplingRequest["toolChoice"]>
}

/** A reply, as `judge` receives it. */
export interface Answer {
  readonly response: SamplingResponse
  readonly calls: ReadonlyArray<ToolUseContent>
  readonly isLast: boolean
}

/**
 * The consequence of a reply: it ends the loop with a value, or the loop continues. `answers` holds results for some of
 * the calls. The other calls run, or, when the loop ends, are answered as not run. `say` is the next user message, for
 * a reply without calls.
 */
export type Judgement<A> =
  | { readonly _tag: "Done"; readonly value: A; readonly answers?: Answers }
  | { readonly _tag: "GoOn"; readonly answers?: Answers; readonly say?: string }

/** Results, by the ids of their calls. */
type Answers = ReadonlyMap<string, ToolResultContent>

export interface Loop<A, E, R> {
  /** The name of the public function that the loop serves. It names the span. */
  readonly name: string
  readonly createMessage: (request: SamplingRequest) => Effect.Effect<SamplingResponse, SamplingError>
  /** The request, with the messages to start from. */
  readonly request: SamplingRequest
  readonly offer: (turn: { readonly index: number; readonly isLast: boolean }) => Offer
  readonly judge: (answer: Answer) => Effect.Effect<Judgement<A>, E, R>
  readonly runCalls: (
    calls: ReadonlyArray<ToolUseContent>,
    history: ReadonlyArray<SamplingMessage>
  ) => Effect.Effect<ReadonlyArray<ToolResultContent>, E, R>
  readonly maxTurns: number
  /** Runs after each turn in which the loop continues. A value ends the loop. */
  readonly afterTurn: (turn: Turn) => Effect.Effect<{ readonly value: A } | undefined, E, R>
}

export interface LoopResult<A> {
  readonly value: A
  readonly response: SamplingResponse
  readonly history: ReadonlyArray<SamplingMessage>
  readonly turns: number
  /** The sum over all turns. */
  readonly usage: Usage | undefined
}

/**
 * Asks, runs the calls, appends their results, and asks again until the loop ends. Every history that it builds follows
 * the pairing rules.
 */
export const runLoop = <A, E, R>(loop: Loop<A, E, R>) =>
  Effect.gen(function*() {
    let messages = loop.request.messages
    let usage: Usage | undefined
    for (let index = 1;; index++) {
      const turn = yield* Effect.withSpan(runTurn(loop, index, messages), "Sampler.turn", {
        captureStackTrace: false,
        attributes: { "sampling.turn.index": index }
      })
      messages = turn.history
      usage = addUsage(usage, turn.response.usage)
      yield* Effect.annotateCurrentSpan(loopAttributes(index, usage))
      if (turn.ended !== undefined) {
        return { value: turn.ended.value, response: turn.response, history: messages, turns: index, usage }
      }
    }
  }).pipe(Effect.withSpan(loop.name, {}, { captureStackTrace: false }))

const runTurn = Effect.fnUntraced(function*<A, E, R>(
  loop: Loop<A, E, R>,
  index: number,
  messages: ReadonlyArray<SamplingMessage>
) {
  const isLast = index >= loop.maxTurns
  const response = yield* loop.createMessage({ ...loop.request, messages, ...loop.offer({ index, isLast }) })
  const calls = toolUses(response)
  yield* Effect.annotateCurrentSpan(turnAttributes(response, calls))
  const asked = append(messages, response)
  const judgement = yield* loop.judge({ response, calls, isLast })
  const answers = judgement.answers ?? new Map<string, ToolResultContent>()
  const close = () => answer(asked, calls.map((call) => answers.get(call.id) ?? notRun(call)))
  if (judgement._tag === "Done") return { response, history: close(), ended: { value: judgement.value } }
  if (isLast) return yield* turnLimit(loop.maxTurns, close())
  const open = calls.filter((call) => !answers.has(call.id))
  const ran = open.length === 0 ? [] : yield* loop.runCalls(open, asked)
  const byId = new Map([...answers, ...ran.map((result) => [result.toolUseId, result] as const)])
  const results = calls.map((call) => byId.get(call.id) ?? notRun(call))
  const history = calls.length === 0 && judgement.say !== undefined
    ? say(asked, judgement.say)
    : answer(asked, results)
  return { response, history, ended: yield* loop.afterTurn({ index, response, calls, results, history }) }
})

export const toolUses = (response: SamplingResponse): ReadonlyArray<ToolUseContent> =>
  blocks(response.content).filter((block) => block.type === "tool_use")

/** Appends a reply, without its empty texts. A reply without content is left out: no source accepts an empty message. */
export const append = (
  messages: ReadonlyArray<SamplingMessage>,
  response: SamplingResponse
): ReadonlyArray<SamplingMessage> => {
  const content = withoutEmptyBlocks(response.content)
  return content === undefined ? messages : [...messages, { role: "assistant", content }]
}

export const answer = (
  history: ReadonlyArray<SamplingMessage>,
  results: ReadonlyArray<ToolResultContent>
): ReadonlyArray<SamplingMessage> => results.length === 0 ? history : [...history, { role: "user", content: results }]

const say = (history: ReadonlyArray<SamplingMessage>, text: string): ReadonlyArray<SamplingMessage> => {
  const message: SamplingMessage = { role: "user", content: { type: "text", text } }
  const last = history.at(-1)
  // The reply in between was left out if it was empty.
  const joined = last === undefined ? undefined : join(last, message)
  return joined === undefined ? [...history, message] : [...history.slice(0, -1), joined]
}

const notRun = (call: ToolUseContent): ToolResultContent => errorResult(call.id, "The call was not run")

const turnLimit = (maxTurns: number, history: ReadonlyArray<SamplingMessage>): TurnLimitExceeded =>
  withAdvice(
    new TurnLimitExceeded({
      maxTurns,
      history,
      message: `The model did not finish within ${maxTurns} turns. Ask for less at once.`
    }),
    "Raise maxTurns, or continue from the history of this error."
  )

const addUsage = (total: Usage | undefined, usage: Usage | undefined): Usage | undefined => {
  if (total === undefined || usage === undefined) return total ?? usage
  const inputTokens = add(total.inputTokens, usage.inputTokens)
  const outputTokens = add(total.outputTokens, usage.outputTokens)
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens })
  }
}

const add = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? a ?? b : a + b
