import * as AiError from "effect/ai/AiError"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ToolResultContent } from "../../Content.ts"
import type { ToolUseContent } from "../../Content.ts"
import type { InvalidRequest } from "../../SamplingError.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import type { ToolDefinition } from "../../SamplingRequest.ts"
import { CaptureContent } from "../../Telemetry.ts"
import { ToolApproval } from "../../ToolApproval.ts"
import * as ToolDispatch from "../../ToolDispatch.ts"
import type { Failure, StepOptions } from "../../ToolLoop.ts"
import { Sequential } from "../../ToolLoop.ts"
import { loggable } from "../../wire/Text.ts"
import { toPromptMessages } from "../effect-ai/toPrompt.ts"
import { decodeJson } from "../objects/jsonForm.ts"
import { inputSchema } from "../objects/jsonSchema.ts"
import { quote, truncate } from "../quote.ts"
import { invalidRequest } from "../request/validateRequest.ts"
import { digest } from "../rounds/digest.ts"
import { recorded } from "../rounds/recorded.ts"
import { CurrentRun } from "../rounds/RoundRun.ts"
import { toJson } from "../rounds/toJson.ts"
import { describeArguments, invalidArguments, unnamed } from "../toolArguments.ts"
import { resultContent } from "../trace/contentAttributes.ts"
import { errorResult, toToolResult } from "./toResultContent.ts"

/** A `ToolDispatch` whose tools are not known statically. */
interface Dispatch {
  readonly tools: Record<string, Tool.Any>
  readonly call: (
    name: string,
    parameters: unknown,
    options?: ToolDispatch.CallOptions
  ) => Effect.Effect<ToolDispatch.ToolOutcome, unknown, unknown>
}

/** The tools of a toolkit, ready for a loop. */
export interface Tools<E, R> {
  readonly definitions: ReadonlyArray<ToolDefinition>
  /**
   * Runs the calls of one reply and returns their results in call order. Any failure becomes an error result for the
   * model, except the declared failure of a tool with `failureMode: "error"`: that fails the effect.
   */
  readonly runCalls: (
    calls: ReadonlyArray<ToolUseContent>,
    history: ReadonlyArray<SamplingMessage>
  ) => Effect.Effect<ReadonlyArray<ToolResultContent>, E, R>
}

export const prepareTools = <All extends Record<string, Tool.Any>, ToolkitError, ToolkitServices>(
  { concurrency = 1, toolChoice, toolkit }: StepOptions<All, ToolkitError, ToolkitServices>
): Effect.Effect<
  Tools<Failure<All>, Tool.HandlerServices<All[keyof All]>>,
  InvalidRequest | ToolkitError,
  ToolkitServices
> =>
  Effect.flatMap(ToolDispatch.make(toolkit), (dispatch) => {
    if (concurrency !== "unbounded" && !(Number.isInteger(concurrency) && concurrency > 0)) {
      return Effect.fail(invalidRequest(`concurrency: Expected a positive integer or "unbounded"`))
    }
    if (typeof toolChoice === "object" && !Object.hasOwn(dispatch.tools, toolChoice.tool)) {
      return Effect.fail(invalidRequest(`toolChoice: The toolkit has no tool ${quote(toolChoice.tool)}`))
    }
    const foreign = Object.values<Tool.Any>(dispatch.tools).find(Tool.isProviderDefined)
    if (foreign !== undefined) {
      return Effect.fail(
        invalidRequest(`toolkit: The tool ${quote(foreign.name)} is defined by a provider, so it cannot be called here`)
      )
    }
    const tools: Tools<unknown, unknown> = {
      definitions: Object.values<Tool.Any>(dispatch.tools).map(toDefinition),
      runCalls: (calls, history) =>
        Effect.flatMap(conversationName(history), (conversation) =>
          Effect.forEach(calls, (call) =>
            runCallOnce(dispatch, call, history, conversation), {
            concurrency: calls.some((call) => isSequential(dispatch, call)) ? 1 : concurrency
          }))
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only declared failures of tools in mode "error" fail, and handlers and schemas need these services
    return Effect.succeed(tools as Tools<Failure<All>, Tool.HandlerServices<All[keyof All]>>)
  })

export const toDefinition = (tool: Tool.Any): ToolDefinition => {
  const description = Tool.getDescription(tool)
  return {
    name: tool.name,
    ...(description !== undefined && { description }),
    inputSchema: inputSchema(tool)
  }
}

const toolOf = (dispatch: Dispatch, call: ToolUseContent): Tool.Any | undefined =>
  Object.hasOwn(dispatch.tools, call.name) ? dispatch.tools[call.name] : undefined

const isSequential = (dispatch: Dispatch, call: ToolUseContent): boolean => {
  const tool = toolOf(dispatch, call)
  return tool !== undefined && Context.get(tool.annotations, Sequential)
}

/**
 * Returns what tells a conversation from others where the client is asked in rounds. Models use ids of calls again in
 * other conversations.
 */
const conversationName = (history: ReadonlyArray<SamplingMessage>): Effect.Effect<string> =>
  Effect.flatMap(CurrentRun, (run) => {
    const json = run === undefined ? undefined : toJson(history)
    return json === undefined ? Effect.succeed("") : digest(json)
  })

/** Runs a call and records its outcome. Where the client is asked in rounds, later rounds do not run the call again. */
const runCallOnce = (
  dispatch: Dispatch,
  call: ToolUseContent,
  history: ReadonlyArray<SamplingMessage>,
  conversation: string
): Effect.Effect<ToolResultContent, unknown, unknown> =>
  recorded(runCall(dispatch, call, history), {
    name: `call ${call.name} ${call.id} ${conversation}`,
    success: ToolResultContent,
    failure: toolOf(dispatch, call)?.failureSchema ?? Schema.Never,
    isShared: true
  })

const runCall = (
  dispatch: Dispatch,
  call: ToolUseContent,
  history: ReadonlyArray<SamplingMessage>
): Effect.Effect<ToolResultContent, unknown, unknown> => {
  const tool = toolOf(dispatch, call)
  if (tool === undefined) return withToolSpan(call, Effect.succeed(unknownTool(dispatch, call)))
  const invalid = invalidArguments(call)
  return invalid !== undefined
    ? withToolSpan(call, Effect.succeed(errorResult(call.id, badArguments(tool.name, describeArguments(invalid)))))
    : Effect.catchCause(
      // The span is inside, so it records the failure itself, before the failure becomes a result.
      withToolSpan(call, resultOf(dispatch, tool, call, history)),
      (cause) => toErrorResult(call, tool, cause)
    )
}

const withToolSpan = <E, R>(
  call: ToolUseContent,
  run: Effect.Effect<ToolResultContent, E, R>
): Effect.Effect<ToolResultContent, E, R> =>
  Effect.flatMap(CaptureContent, (capture) => {
    const attributes = {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": truncate(call.name, 100),
      "gen_ai.tool.call.id": truncate(call.id, 100),
      ...(capture && { "gen_ai.tool.call.arguments": JSON.stringify(call.input) })
    }
    return run.pipe(
      Effect.tap((result) =>
        Effect.annotateCurrentSpan({
          ...(result.isError === true && { "error.type": "tool_error" }),
          ...(capture && { "gen_ai.tool.call.result": JSON.stringify(resultContent(result.content)) })
        })
      ),
      Effect.withSpan(`execute_tool ${truncate(call.name, 100)}`, { attributes }, { captureStackTrace: false })
    )
  })

const unknownTool = (dispatch: Dispatch, call: ToolUseContent): ToolResultContent =>
  errorResult(
    call.id,
    `${call.name === unnamed ? "The call names no tool" : `There is no tool ${quote(call.name)}`}. The tools are: ${
      Object.keys(dispatch.tools).join(", ")
    }`
  )

const resultOf = Effect.fnUntraced(
  function*(dispatch: Dispatch, tool: Tool.Any, call: ToolUseContent, history: ReadonlyArray<SamplingMessage>) {
    if ((yield* needsApproval(tool, call, history)) && !(yield* isApproved(call))) {
      return errorResult(call.id, `The call of the tool "${tool.name}" was not approved`)
    }
    const outcome = yield* dispatch.call(tool.name, call.input, { toolCallId: call.id })
    return outcome.isFailure && !isDeclared(tool, outcome.result, outcome.failureOrigin)
      ? notDeclared(call, tool, outcome.result)
      : yield* toToolResult(call.id, outcome)
  }
)

/** Returns false for arguments that do not fit, because their call fails anyway and nobody should be asked about it. */
const needsApproval = Effect.fnUntraced(
  function*(tool: Tool.Any, call: ToolUseContent, history: ReadonlyArray<SamplingMessage>) {
    if (tool.needsApproval === undefined || tool.needsApproval === false) return false
    // A dynamic tool may have a plain JSON Schema, which cannot decode its parameters.
    const parameters = Schema.isSchema(tool.parametersSchema)
      ? yield* Effect.result(decodeJson(tool.parametersSchema)(call.input))
      : Result.succeed(call.input)
    if (Result.isFailure(parameters)) return false
    if (tool.needsApproval === true) return true
    const needed = tool.needsApproval(parameters.success, { toolCallId: call.id, messages: toPromptMessages(history) })
    return Effect.isEffect(needed) ? yield* needed : needed
  }
)

const isApproved = (call: ToolUseContent): Effect.Effect<boolean> =>
  Effect.flatMap(
    ToolApproval,
    (approve) => approve({ toolName: call.name, toolCallId: call.id, parameters: call.input })
  )

const toErrorResult = (
  call: ToolUseContent,
  tool: Tool.Any,
  cause: Cause.Cause<unknown>
): Effect.Effect<ToolResultContent, unknown> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
  const failure = Cause.hasDies(cause) ? undefined : cause.reasons.find(Cause.isFailReason)
  if (failure !== undefined) {
    const origin = Context.get(Cause.reasonAnnotations(failure), Toolkit.FailureOrigin)
    if (isDeclared(tool, failure.error, origin)) return Effect.fail(failure.error)
    if (isInvalidArguments(failure.error)) return Effect.succeed(notDeclared(call, tool, failure.error))
  }
  return Effect.as(Effect.logError(`The tool "${tool.name}" failed`, loggable(cause)), masked(call, tool))
}

const isDeclared = (tool: Tool.Any, error: unknown, origin: Tool.FailureOrigin | undefined): boolean =>
  origin === "handler" && Schema.is(tool.failureSchema)(error)

const isInvalidArguments = (
  error: unknown
): error is AiError.AiError & { readonly reason: AiError.ToolParameterValidationError } =>
  AiError.isAiError(error) && error.reason._tag === "ToolParameterValidationError"

/**
 * The model sees the reason for invalid arguments, in either failure mode. It learns nothing about any other failure.
 */
const notDeclared = (call: ToolUseContent, tool: Tool.Any, error: unknown): ToolResultContent =>
  isInvalidArguments(error)
    ? errorResult(call.id, badArguments(tool.name, truncate(error.reason.description, 2000)))
    : masked(call, tool)

const badArguments = (name: string, problem: string): string => `Invalid arguments for the tool "${name}": ${problem}`

const masked = (call: ToolUseContent, tool: Tool.Any): ToolResultContent =>
  errorResult(call.id, `The tool "${tool.name}" failed`)
