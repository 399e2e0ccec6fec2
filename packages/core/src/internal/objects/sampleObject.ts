import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Content from "../../Content.ts"
import type { ToolResultContent, ToolUseContent } from "../../Content.ts"
import { StructuredOutputError } from "../../SamplingError.ts"
import type { StructuredAttempt } from "../../SamplingError.ts"
import type { SamplingRequest, ToolDefinition } from "../../SamplingRequest.ts"
import { withAdvice } from "../advice.ts"
import type { Answer, Judgement, Offer } from "../loop/runLoop.ts"
import { errorResult } from "../loop/toResultContent.ts"
import { truncate } from "../quote.ts"
import { invalidArguments } from "../toolArguments.ts"
import { decodeText } from "./structuredOutput.ts"
import type { Target } from "./structuredOutput.ts"

/**
 * The way in which the source is asked for an object: by the `responseFormat` of the request (the source's own JSON
 * mode, or an instruction in its place), or by a final tool that the model must call.
 */
export type Rung = "format" | "tool"

export interface Plan<A, R> {
  readonly request: SamplingRequest
  readonly offer: (offer: Offer, isLast: boolean) => Offer
  readonly judge: (answer: Answer) => Effect.Effect<Judgement<A>, StructuredOutputError, R>
}

export interface PlanOptions<A, R> {
  readonly rung: Rung
  readonly target: Target<A, R>
  readonly request: SamplingRequest
  readonly name: string
  readonly maxRepairs: number
  readonly tools: ReadonlyArray<ToolDefinition>
}

/** Builds the plan of one call. A plan counts attempts, so every call needs a new one. */
export const makePlan = <A, R>(options: PlanOptions<A, R>): Plan<A, R> => {
  const repair = makeRepair(options)
  return options.rung === "tool" ? finalTool(options, repair) : format(options, repair)
}

/** Records an answer that does not fit, and fails if no repair is left. */
type Repair = <B>(
  answer: Answer,
  text: string,
  problem: string,
  next: (problem: string) => B
) => Effect.Effect<B, StructuredOutputError>

const makeRepair = ({ maxRepairs, request }: Pick<PlanOptions<unknown, unknown>, "maxRepairs" | "request">): Repair => {
  const attempts: Array<StructuredAttempt> = []
  return ({ isLast, response }, text, wrong, next) => {
    const problem = response.stopReason === "maxTokens"
      ? `It was cut off at maxTokens (${request.maxTokens}); be shorter. ${wrong}`
      : wrong
    attempts.push({ answer: truncate(text, 2000), problem })
    return attempts.length <= maxRepairs && !isLast
      ? Effect.sync(() => next(`Your answer does not fit: ${problem}.`))
      : Effect.fail(exhausted(attempts))
  }
}

const format = <A, R>({ name, request, target }: PlanOptions<A, R>, repair: Repair): Plan<A, R> => ({
  request: { ...request, responseFormat: { name, schema: target.jsonSchema } },
  offer: (offer) => offer,
  judge: (answer) =>
    answer.calls.length > 0
      ? Effect.succeed({ _tag: "GoOn" })
      : judgeText(
        target,
        answer,
        repair,
        (problem) => `${problem} Answer with the whole corrected JSON and nothing else.`
      )
})

const finalTool = <A, R>({ name, request, target, tools }: PlanOptions<A, R>, repair: Repair): Plan<A, R> => {
  const final: ToolDefinition = {
    name: freeName(`final_${name}`, tools),
    description: "Call this to give your final answer, once you have everything that you need for it.",
    inputSchema: target.jsonSchema
  }
  return {
    request,
    offer: (offer, isLast) => ({
      tools: isLast ? [final] : [...offer.tools ?? [], final],
      toolChoice: { mode: "required" }
    }),
    judge: (answer) => {
      const finals = answer.calls.filter((call) => call.name === final.name)
      return answer.calls.length === 0
        ? judgeText(target, answer, repair, (problem) => `${problem} Give it by calling the tool "${final.name}".`)
        : finals.length === 0
        ? Effect.succeed({ _tag: "GoOn" })
        : judgeCalls(target, answer, finals, repair)
    }
  }
}

const judgeText = <A, R>(
  target: Target<A, R>,
  answer: Answer,
  repair: Repair,
  say: (problem: string) => string
): Effect.Effect<Judgement<A>, StructuredOutputError, R> => {
  const text = Content.text(answer.response.content)
  return Effect.matchEffect(decodeText(target, text), {
    onSuccess: (value) => Effect.succeed<Judgement<A>>({ _tag: "Done", value }),
    onFailure: (wrong) => repair<Judgement<A>>(answer, text, wrong, (problem) => ({ _tag: "GoOn", say: say(problem) }))
  })
}

/** Accepts the first call of the final tool that fits. If none fits, every call is answered with what is wrong. */
const judgeCalls = <A, R>(
  target: Target<A, R>,
  answer: Answer,
  finals: ReadonlyArray<ToolUseContent>,
  repair: Repair
): Effect.Effect<Judgement<A>, StructuredOutputError, R> =>
  Effect.flatMap(Effect.forEach(finals, (call) => Effect.result(decodeCall(target, call))), (decoded) => {
    const fitting = decoded.findIndex(Result.isSuccess)
    const value = decoded[fitting]
    if (value !== undefined && Result.isSuccess(value)) {
      return Effect.succeed<Judgement<A>>({
        _tag: "Done",
        value: value.success,
        answers: new Map([[finals[fitting]!.id, accepted(finals[fitting]!)]])
      })
    }
    const wrong = decoded.map((each) => Result.isFailure(each) ? each.failure : "").join("; ")
    return repair<Judgement<A>>(
      answer,
      JSON.stringify(finals.map((call) => invalidArguments(call) ?? call.input)),
      wrong,
      (problem) => ({
        _tag: "GoOn",
        answers: new Map(
          finals.map((
            call
          ) => [call.id, errorResult(call.id, `${problem} Call it again with the whole corrected answer.`)])
        )
      })
    )
  })

/** Arguments that are not a JSON object may still hold one, as a text may. */
const decodeCall = <A, R>(target: Target<A, R>, call: ToolUseContent): Effect.Effect<A, string, R> => {
  const invalid = invalidArguments(call)
  return invalid === undefined ? target.decode(call.input) : decodeText(target, invalid)
}

const accepted = (call: ToolUseContent): ToolResultContent => ({
  type: "tool_result",
  toolUseId: call.id,
  content: [{ type: "text", text: "Accepted" }]
})

/** Returns a name that no other tool has, because a user's tool may already have the wanted name. */
const freeName = (wanted: string, tools: ReadonlyArray<ToolDefinition>): string => {
  let name = wanted
  for (let index = 2; tools.some((tool) => tool.name === name); index++) name = `${wanted}_${index}`
  return name
}

const exhausted = (attempts: ReadonlyArray<StructuredAttempt>): StructuredOutputError =>
  withAdvice(
    new StructuredOutputError({
      attempts,
      message: `The model returned no answer that fits the schema in ${attempts.length} attempts. The last problem: ` +
        `${attempts.at(-1)?.problem ?? "none"}.`
    }),
    "Make the schema or the prompt simpler, raise maxRepairs, maxTurns or maxTokens, or use a stronger model."
  )
