import * as Effect from "effect/Effect"
import * as Content from "../Content.ts"
import type { ToolResultContent, ToolUseContent } from "../Content.ts"
import { StructuredOutputError } from "../SamplingError.ts"
import type { StructuredAttempt } from "../SamplingError.ts"
import type { SamplingRequest, ToolDefinition } from "../SamplingRequest.ts"
import type { SamplingResponse } from "../SamplingResponse.ts"
import { cut } from "./quote.ts"
import { joinPrompts } from "./sample.ts"
import { decodeText } from "./structuredOutput.ts"
import type { Target } from "./structuredOutput.ts"
import type { Judgement, Offer } from "./toolLoop.ts"
import { errorResult } from "./toolResult.ts"

/**
 * How the source is brought to answer with an object, best first: its own JSON mode, a tool that it must call in the end,
 * or an instruction.
 */
export type Rung = "native" | "tool" | "instruction"

export interface Plan<A, R> {
  readonly request: SamplingRequest
  readonly offer: (offer: Offer, isLast: boolean) => Offer
  readonly judge: (
    response: SamplingResponse,
    calls: ReadonlyArray<ToolUseContent>
  ) => Effect.Effect<Judgement<A>, StructuredOutputError, R>
}

export interface PlanOptions<A, R> {
  readonly rung: Rung
  readonly target: Target<A, R>
  readonly request: SamplingRequest
  readonly name: string
  readonly maxRepairs: number
  readonly tools: ReadonlyArray<ToolDefinition>
}

/** Counts the attempts of one call, so it is made anew for each. */
export const makePlan = <A, R>(options: PlanOptions<A, R>): Plan<A, R> => {
  const { name, request, rung, target, tools } = options
  const attempts: Array<StructuredAttempt> = []

  /** Notes an answer that does not fit; fails when no repair is left. */
  const repair = <B>(answer: string, problem: string, judgement: B): Effect.Effect<B, StructuredOutputError> => {
    attempts.push({ answer: cut(answer, 2000), problem })
    return attempts.length <= options.maxRepairs ? Effect.succeed(judgement) : Effect.fail(exhausted(attempts))
  }

  const judgeText = (response: SamplingResponse, say: (problem: string) => string) => {
    const text = Content.text(response.content)
    return Effect.matchEffect(decodeText(target, text), {
      onSuccess: (value) => Effect.succeed<Judgement<A>>({ _tag: "Done", value }),
      onFailure: (problem) => repair<Judgement<A>>(text, problem, { _tag: "GoOn", say: say(problem) })
    })
  }

  if (rung !== "tool") {
    return {
      request: rung === "native"
        ? { ...request, responseFormat: { name, schema: target.jsonSchema } }
        : withInstruction(request, target),
      offer: (offer) => offer,
      judge: (response, calls) =>
        calls.length > 0
          ? Effect.succeed({ _tag: "GoOn" })
          : judgeText(response, (problem) =>
            `${notFitting(problem)} Answer with the whole corrected JSON and nothing else.`)
    }
  }

  const final: ToolDefinition = {
    name: freeName(`final_${name}`, tools),
    description: "Call this to give your final answer, when you have all that you need for it.",
    inputSchema: target.jsonSchema
  }
  return {
    request,
    offer: (offer, isLast) => ({
      tools: isLast ? [final] : [...offer.tools ?? [], final],
      toolChoice: { mode: "required" }
    }),
    judge: (response, calls) => {
      const finals = calls.filter((call) => call.name === final.name)
      if (calls.length === 0) {
        return judgeText(response, (problem) => `${notFitting(problem)} Give it by calling the tool "${final.name}".`)
      }
      if (finals.length === 0) return Effect.succeed({ _tag: "GoOn" })
      return Effect.flatMap(Effect.forEach(finals, (call) => judgeCall(target, call)), (judged) => {
        const fitting = judged.find((each) => each._tag === "Fitting")
        const answers = new Map<string, ToolResultContent>(judged.map((each) => [each.result.toolUseId, each.result]))
        return fitting !== undefined
          ? Effect.succeed<Judgement<A>>({ _tag: "Done", value: fitting.value, answers })
          : repair<Judgement<A>>(
            JSON.stringify(finals.map((call) => call.input)),
            judged.map((each) => each._tag === "Wrong" ? each.problem : "").join("; "),
            { _tag: "GoOn", answers }
          )
      })
    }
  }
}

type Judged<A> =
  | { readonly _tag: "Fitting"; readonly value: A; readonly result: ToolResultContent }
  | { readonly _tag: "Wrong"; readonly problem: string; readonly result: ToolResultContent }

const judgeCall = <A, R>(target: Target<A, R>, call: ToolUseContent): Effect.Effect<Judged<A>, never, R> =>
  Effect.match(target.decode(call.input), {
    onSuccess: (value): Judged<A> => ({
      _tag: "Fitting",
      value,
      result: { type: "tool_result", toolUseId: call.id, content: [{ type: "text", text: "Accepted" }] }
    }),
    onFailure: (problem): Judged<A> => ({
      _tag: "Wrong",
      problem,
      result: errorResult(call.id, `${notFitting(problem)} Call it again with the whole corrected answer.`)
    })
  })

const notFitting = (problem: string): string => `Your answer does not fit: ${problem}.`

const withInstruction = <A, R>(request: SamplingRequest, target: Target<A, R>): SamplingRequest => ({
  ...request,
  systemPrompt: joinPrompts(
    request.systemPrompt,
    "Answer with one JSON value and nothing else: no explanation and no code fence. It must fit this JSON Schema:\n" +
      JSON.stringify(target.jsonSchema)
  )!
})

/** A user's tool may have any name. */
const freeName = (wanted: string, tools: ReadonlyArray<ToolDefinition>): string => {
  let name = wanted
  for (let index = 2; tools.some((tool) => tool.name === name); index++) name = `${wanted}_${index}`
  return name
}

const exhausted = (attempts: ReadonlyArray<StructuredAttempt>): StructuredOutputError =>
  new StructuredOutputError({
    attempts,
    message: `The model gave no answer that fits the schema in ${attempts.length} attempts. The last problem: ` +
      `${
        attempts.at(-1)?.problem ?? "none"
      }. Make the schema or the prompt simpler, raise maxRepairs or maxTokens, or ` +
      "use a stronger model."
  })
