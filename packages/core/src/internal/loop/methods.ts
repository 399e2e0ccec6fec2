import type * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { ToolResultContent } from "../../Content.ts"
import type { InvalidRequest, SamplingError } from "../../SamplingError.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import * as SamplingPrompt from "../../SamplingPrompt.ts"
import type { SamplingRequest, ToolDefinition } from "../../SamplingRequest.ts"
import type { SamplingResponse } from "../../SamplingResponse.ts"
import type * as ToolLoop from "../../ToolLoop.ts"
import { makePlan } from "../objects/sampleObject.ts"
import type { Rung } from "../objects/sampleObject.ts"
import { makeTarget } from "../objects/structuredOutput.ts"
import type { Target } from "../objects/structuredOutput.ts"
import { truncate } from "../quote.ts"
import { invalidRequest } from "../request/validateRequest.ts"
import type {
  Methods,
  ObjectOptions,
  ObjectToolOptions,
  Primitive,
  Sample,
  SampleOptions,
  Step,
  StepOptions
} from "../sampleTypes.ts"
import { turnAttributes } from "../trace/spanAttributes.ts"
import { prepareTools } from "./runCalls.ts"
import { answer, append, runLoop, toolUses } from "./runLoop.ts"
import type { Offer } from "./runLoop.ts"
import { toRequest, toSample } from "./toSample.ts"

type AnyTools = Record<string, Tool.Any>

/** Builds everything that a `Sampler` offers on top of its primitive. */
export const makeMethods = (primitive: Primitive): Methods => {
  const sampleOnce = plain(primitive)
  const sampleWithTools = withTools(primitive)
  const sampleAnObject = sampleObject(primitive)
  const methods = {
    sample: (
      prompt: SamplingPrompt.Input,
      options: SampleOptions & Partial<ToolLoop.Options<AnyTools, unknown, unknown, unknown, unknown>> = {}
    ) => hasToolkit(options) ? sampleWithTools(prompt, options) : sampleOnce(prompt, options),
    step: step(primitive),
    sampleObject: (
      schema: Schema.Constraint,
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ObjectOptions & Partial<ObjectToolOptions<AnyTools, unknown, unknown>> = {}
    ) => sampleAnObject(schema, prompt, options)
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- overloads: the errors and services depend on whether there is a toolkit
  return methods as Methods
}

const plain =
  ({ createMessage }: Primitive) =>
  (prompt: SamplingPrompt.Input, options: SampleOptions): Effect.Effect<Sample, SamplingError> =>
    // One `suspend`, not a chain: each suspended frame stays on the heap until the client answers.
    Effect.suspend(() => {
      const request = resolveRequest(prompt, options)
      return Result.isFailure(request)
        ? Effect.fail(request.failure)
        : Effect.map(createMessage(request.success), toSampleAfter(request.success.messages))
    })

const toSampleAfter = (messages: ReadonlyArray<SamplingMessage>) => (response: SamplingResponse): Sample =>
  toSample(response, { history: append(messages, response), turns: 1, usage: response.usage })

const withTools = ({ createMessage }: Primitive) =>
  Effect.fnUntraced(
    function*<Tools extends AnyTools, E, R, ToolkitError, ToolkitServices>(
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ToolLoop.Options<Tools, E, R, ToolkitError, ToolkitServices>
    ) {
      const request = yield* requestOf(prompt, options)
      const maxTurns = yield* atLeast(1, "maxTurns", options.maxTurns ?? defaultMaxTurns)
      const tools = yield* prepareTools(options)
      const { onTurn } = options
      const ended = yield* runLoop<
        undefined,
        ToolLoop.Failure<Tools> | E,
        Tool.HandlerServices<Tools[keyof Tools]> | R
      >({
        name: "Sampler.sample",
        createMessage,
        request,
        maxTurns,
        offer: ({ index, isLast }) => toolOffer(tools.definitions, options.toolChoice, index, isLast),
        judge: ({ calls }) =>
          Effect.succeed(calls.length === 0 ? { _tag: "Done", value: undefined } : { _tag: "GoOn" }),
        runCalls: tools.runCalls,
        afterTurn: (turn) =>
          onTurn === undefined
            ? Effect.undefined
            : Effect.map(onTurn(turn), (next) => next === "stop" ? { value: undefined } : undefined)
      })
      return toSample(ended.response, ended)
    }
  )

const step = ({ createMessage }: Primitive) =>
  Effect.fnUntraced(
    function*<Tools extends AnyTools, ToolkitError, ToolkitServices>(
      prompt: SamplingPrompt.Input,
      options: StepOptions<Tools, ToolkitError, ToolkitServices>
    ) {
      const request = yield* requestOf(prompt, options)
      const tools = yield* prepareTools(options)
      const response = yield* createMessage({
        ...request,
        ...toolOffer(tools.definitions, options.toolChoice, 1, false)
      })
      const calls = toolUses(response)
      const asked = append(request.messages, response)
      const results = options.execute === false || calls.length === 0
        ? []
        : yield* tools.runCalls(calls, asked)
      yield* Effect.annotateCurrentSpan(turnAttributes(response, calls))
      const sampled = toSample(response, { history: answer(asked, results), turns: 1, usage: response.usage })
      return { ...sampled, calls, results } satisfies Step
    },
    Effect.withSpan("Sampler.step", {}, { captureStackTrace: false })
  )

const sampleObject = ({ capabilities, createMessage }: Primitive) =>
  Effect.fnUntraced(
    function*<S extends Schema.Constraint, Tools extends AnyTools, ToolkitError, ToolkitServices>(
      schema: S,
      prompt: SamplingPrompt.Input,
      options: SampleOptions & ObjectOptions & Partial<ObjectToolOptions<Tools, ToolkitError, ToolkitServices>>
    ) {
      const request = yield* requestOf(prompt, options)
      const tools = options.toolkit === undefined
        ? noTools
        : yield* prepareTools({ ...options, toolkit: options.toolkit })
      const maxRepairs = yield* atLeast(0, "maxRepairs", options.maxRepairs ?? 2)
      const hasTools = tools.definitions.length > 0
      const maxTurns = yield* atLeast(1, "maxTurns", options.maxTurns ?? (hasTools ? defaultMaxTurns : maxRepairs + 1))
      const plan = makePlan({
        rung: rungOf(yield* capabilities, hasTools),
        target: yield* targetOf(schema),
        request,
        name: toName(options.objectName ?? "answer"),
        maxRepairs,
        tools: tools.definitions
      })
      const ended = yield* runLoop({
        name: "Sampler.sampleObject",
        createMessage,
        request: plan.request,
        maxTurns,
        offer: ({ index, isLast }) => plan.offer(toolOffer(tools.definitions, undefined, index, isLast), isLast),
        judge: plan.judge,
        runCalls: tools.runCalls,
        afterTurn: () => Effect.undefined
      })
      return { ...toSample(ended.response, ended), value: ended.value }
    }
  )

const hasToolkit = <Options extends { readonly toolkit?: unknown }>(
  options: Options
): options is Options & Required<Pick<Options, "toolkit">> => options.toolkit !== undefined

const requestOf = (
  prompt: SamplingPrompt.Input,
  options: SampleOptions
): Effect.Effect<SamplingRequest, InvalidRequest> =>
  Effect.suspend(() => Effect.fromResult(resolveRequest(prompt, options)))

const resolveRequest = (
  prompt: SamplingPrompt.Input,
  options: SampleOptions
): Result.Result<SamplingRequest, InvalidRequest> =>
  Result.map(SamplingPrompt.resolve(prompt), (resolved) => toRequest(resolved, options))

const atLeast = (minimum: number, name: string, value: number): Effect.Effect<number, InvalidRequest> =>
  Number.isInteger(value) && value >= minimum
    ? Effect.succeed(value)
    : Effect.fail(invalidRequest(`${name}: Expected an integer of at least ${minimum}`))

/** Fails with an `InvalidRequest` if the schema has no JSON form, because that is the caller's mistake. */
const targetOf = <S extends Schema.Constraint>(
  schema: S
): Effect.Effect<Target<S["Type"], S["DecodingServices"]>, InvalidRequest> =>
  Effect.try({
    try: () => makeTarget(schema),
    catch: (cause) => invalidRequest(`schema: It has no JSON form (${truncate(String(cause), 200)})`)
  })

const defaultMaxTurns = 16

const noTools: {
  readonly definitions: ReadonlyArray<ToolDefinition>
  readonly runCalls: () => Effect.Effect<ReadonlyArray<ToolResultContent>>
} = { definitions: [], runCalls: () => Effect.succeed([]) }

/**
 * Returns the tools and the tool choice of a turn. In the last turn the model must answer without tools. If there are
 * no tools, no choice is sent either.
 */
const toolOffer = (
  definitions: ReadonlyArray<ToolDefinition>,
  toolChoice: ToolLoop.ToolChoice<AnyTools> | undefined,
  index: number,
  isLast: boolean
): Offer => {
  if (definitions.length === 0) return {}
  if (isLast) return { tools: definitions, toolChoice: { mode: "none" } }
  if (toolChoice === "none") return { tools: definitions, toolChoice: { mode: "none" } }
  if (toolChoice === undefined || index > 1) return { tools: definitions }
  return typeof toolChoice === "object"
    ? { tools: definitions.filter(({ name }) => name === toolChoice.tool), toolChoice: { mode: "required" } }
    : { tools: definitions, toolChoice: { mode: toolChoice } }
}

const rungOf = (
  capabilities: { readonly tools: boolean; readonly jsonSchema: boolean },
  hasTools: boolean
): Rung => !capabilities.jsonSchema && (capabilities.tools || hasTools) ? "tool" : "format"

/** Converts a name to one that providers accept: letters, digits, underscores and hyphens. */
const toName = (name: string): string => name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 48) || "answer"
