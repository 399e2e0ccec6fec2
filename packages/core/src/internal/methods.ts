import type * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Methods, ObjectOptions, Sample, SampleOptions, Step } from "../Sample.ts"
import type { InvalidRequest, SamplingError } from "../SamplingError.ts"
import * as SamplingPrompt from "../SamplingPrompt.ts"
import type { SamplingRequest, ToolDefinition } from "../SamplingRequest.ts"
import type { SamplingResponse } from "../SamplingResponse.ts"
import type * as ToolLoop from "../ToolLoop.ts"
import { prepareTools } from "./runCalls.ts"
import { toRequest, toSample } from "./sample.ts"
import { makePlan } from "./sampleObject.ts"
import type { Rung } from "./sampleObject.ts"
import { makeTarget } from "./structuredOutput.ts"
import { answer, append, runLoop, toolUses } from "./toolLoop.ts"
import type { Offer } from "./toolLoop.ts"
import { invalidRequest } from "./validateRequest.ts"

interface Primitive {
  readonly createMessage: (request: SamplingRequest) => Effect.Effect<SamplingResponse, SamplingError>
  readonly capabilities: Effect.Effect<{ readonly tools: boolean; readonly jsonSchema: boolean }>
}

type AnyTools = Record<string, Tool.Any>

/** Everything that a `Sampler` offers on top of its primitive. */
export const makeMethods = ({ capabilities, createMessage }: Primitive): Methods => {
  const plain = (prompt: SamplingPrompt.Input, options: SampleOptions): Effect.Effect<Sample, SamplingError> =>
    Effect.flatMap(
      requestOf(prompt, options),
      (request) =>
        Effect.map(
          createMessage(request),
          (response) =>
            toSample(response, { history: append(request.messages, response), turns: 1, usage: response.usage })
        )
    )

  const withTools = Effect.fnUntraced(
    function*<Tools extends AnyTools, E, R>(
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ToolLoop.Options<Tools, E, R>
    ) {
      const request = yield* requestOf(prompt, options)
      const maxTurns = yield* positive("maxTurns", options.maxTurns ?? 16)
      const tools = yield* prepareTools(options.toolkit)
      const { onTurn } = options
      const ended = yield* runLoop<undefined, ToolLoop.Failure<Tools> | E, Tool.HandlerServices<Tools[keyof Tools]> | R>({
        createMessage,
        request,
        maxTurns,
        offer: ({ index, isLast }) => toolOffer(tools.definitions, options.toolChoice, index, isLast),
        judge: (_, calls) =>
          Effect.succeed(calls.length === 0 ? { _tag: "Done" as const, value: undefined } : { _tag: "GoOn" as const }),
        runCalls: (calls, history) => tools.runCalls(calls, history, options.concurrency ?? 1),
        afterTurn: (turn) =>
          onTurn === undefined
            ? Effect.undefined
            : Effect.map(onTurn(turn), (next) => next === "stop" ? { value: undefined } : undefined)
      })
      return toSample(ended.response, ended)
    }
  )

  const step = Effect.fnUntraced(
    function*<Tools extends AnyTools>(
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ToolLoop.StepOptions<Tools> & { readonly execute?: boolean | undefined }
    ) {
      const request = yield* requestOf(prompt, options)
      const tools = yield* prepareTools(options.toolkit)
      const response = yield* createMessage({
        ...request,
        ...toolOffer(tools.definitions, options.toolChoice, 1, false)
      })
      const calls = toolUses(response)
      const asked = append(request.messages, response)
      const results = options.execute === false || calls.length === 0
        ? []
        : yield* tools.runCalls(calls, asked, options.concurrency ?? 1)
      const sampled = toSample(response, { history: answer(asked, results), turns: 1, usage: response.usage })
      return { ...sampled, calls, results } satisfies Step
    }
  )

  const sampleObject = Effect.fnUntraced(
    function*<S extends Schema.Constraint, Tools extends AnyTools>(
      schema: S,
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ObjectOptions & Partial<ToolLoop.Options<Tools>>
    ) {
      const given = yield* requestOf(prompt, options)
      const tools = options.toolkit === undefined ? undefined : yield* prepareTools(options.toolkit)
      const definitions = tools?.definitions ?? []
      const maxRepairs = options.maxRepairs ?? 2
      const maxTurns = yield* positive("maxTurns", options.maxTurns ?? (tools === undefined ? maxRepairs + 1 : 16))
      const plan = makePlan({
        rung: rungOf(yield* capabilities, definitions),
        target: makeTarget(schema),
        request: given,
        name: options.objectName ?? "answer",
        maxRepairs,
        tools: definitions
      })
      const ended = yield* runLoop({
        createMessage,
        request: plan.request,
        maxTurns,
        offer: ({ index, isLast }) =>
          plan.offer(definitions.length === 0 ? {} : toolOffer(definitions, "auto", index, isLast), isLast),
        judge: plan.judge,
        runCalls: (calls, history) =>
          tools === undefined ? Effect.succeed([]) : tools.runCalls(calls, history, options.concurrency ?? 1),
        afterTurn: () => Effect.undefined
      })
      return { ...toSample(ended.response, ended), value: ended.value }
    }
  )

  const methods = {
    sample: (
      prompt: SamplingPrompt.Input,
      options: SampleOptions & Partial<ToolLoop.Options<AnyTools, unknown, unknown>> = {}
    ) => hasToolkit(options) ? withTools(prompt, options) : plain(prompt, options),
    step,
    sampleObject: (
      schema: Schema.Constraint,
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ObjectOptions & Partial<ToolLoop.Options<AnyTools>> = {}
    ) => sampleObject(schema, prompt, options)
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- overloads: which errors and services there are follows from whether there is a toolkit
  return methods as Methods
}

const hasToolkit = <Options extends { readonly toolkit?: unknown }>(
  options: Options
): options is Options & Required<Pick<Options, "toolkit">> => options.toolkit !== undefined

const requestOf = (
  prompt: SamplingPrompt.Input,
  options: SampleOptions
): Effect.Effect<SamplingRequest, InvalidRequest> =>
  Effect.suspend(() =>
    Effect.fromResult(Result.map(SamplingPrompt.resolve(prompt), (resolved) => toRequest(resolved, options)))
  )

const positive = (name: string, value: number): Effect.Effect<number, InvalidRequest> =>
  Number.isInteger(value) && value > 0
    ? Effect.succeed(value)
    : Effect.fail(invalidRequest(`${name}: Expected a positive integer`))

/** What a turn offers. In the last one the model must answer without tools. */
const toolOffer = (
  definitions: ReadonlyArray<ToolDefinition>,
  toolChoice: ToolLoop.ToolChoice<AnyTools> | undefined,
  index: number,
  isLast: boolean
): Offer => {
  if (isLast && index > 1) return { tools: definitions, toolChoice: { mode: "none" } }
  if (toolChoice === undefined) return { tools: definitions }
  if (typeof toolChoice === "object") {
    return index === 1
      ? { tools: definitions.filter(({ name }) => name === toolChoice.tool), toolChoice: { mode: "required" } }
      : { tools: definitions }
  }
  return index === 1 || toolChoice === "none"
    ? { tools: definitions, toolChoice: { mode: toolChoice } }
    : { tools: definitions }
}

const rungOf = (
  capabilities: { readonly tools: boolean; readonly jsonSchema: boolean },
  tools: ReadonlyArray<ToolDefinition>
): Rung => capabilities.jsonSchema ? "native" : capabilities.tools || tools.length > 0 ? "tool" : "instruction"
