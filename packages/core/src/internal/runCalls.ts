import * as AiError from "effect/ai/AiError"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CaptureContent } from "../CaptureContent.ts"
import type { ToolResultContent, ToolUseContent } from "../Content.ts"
import type { SamplingMessage } from "../SamplingMessage.ts"
import type { ToolDefinition } from "../SamplingRequest.ts"
import { ToolApproval } from "../ToolApproval.ts"
import * as ToolDispatch from "../ToolDispatch.ts"
import type { Failure } from "../ToolLoop.ts"
import { Sequential } from "../ToolLoop.ts"
import { cut, quote } from "./quote.ts"
import { errorResult, toToolResult } from "./toolResult.ts"
import { toPromptMessages } from "./toPrompt.ts"

/** A dispatch of any tools. */
interface Dispatch {
  readonly tools: Record<string, Tool.Any>
  readonly call: (
    name: string,
    parameters: unknown,
    options?: ToolDispatch.CallOptions
  ) => Effect.Effect<ToolDispatch.Outcome, unknown, unknown>
}

/** The tools of a toolkit, ready for a loop. */
export interface Tools<E, R> {
  readonly definitions: ReadonlyArray<ToolDefinition>
  /**
   * Runs the calls of one reply and gives their results in call order. Whatever goes wrong becomes an error result for
   * the model, except the declared failure of a tool with `failureMode: "error"`, which fails.
   */
  readonly runCalls: (
    calls: ReadonlyArray<ToolUseContent>,
    history: ReadonlyArray<SamplingMessage>,
    concurrency: number | "unbounded"
  ) => Effect.Effect<ReadonlyArray<ToolResultContent>, E, R>
}

export const prepareTools = <All extends Record<string, Tool.Any>>(
  toolkit: Toolkit.Toolkit<All>
): Effect.Effect<
  Tools<Failure<All>, Tool.HandlerServices<All[keyof All]>>,
  never,
  Tool.HandlersFor<All>
> =>
  Effect.map(ToolDispatch.make(toolkit), (dispatch) => {
    const tools: Tools<unknown, unknown> = {
      definitions: Object.values(toolkit.tools).map(toDefinition),
      runCalls: (calls, history, concurrency) =>
        Effect.forEach(calls, (call) => runCall(dispatch, call, history), {
          concurrency: calls.some((call) => isSequential(dispatch, call)) ? 1 : concurrency
        })
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only declared failures of tools in mode "error" fail, and handlers and schemas need these services
    return tools as Tools<Failure<All>, Tool.HandlerServices<All[keyof All]>>
  })

const toDefinition = (tool: Tool.Any): ToolDefinition => {
  const description = Tool.getDescription(tool)
  return {
    name: tool.name,
    ...(description !== undefined && { description }),
    inputSchema: Tool.getJsonSchema(tool)
  }
}

const toolOf = (dispatch: Dispatch, call: ToolUseContent): Tool.Any | undefined =>
  Object.hasOwn(dispatch.tools, call.name) ? dispatch.tools[call.name] : undefined

const isSequential = (dispatch: Dispatch, call: ToolUseContent): boolean => {
  const tool = toolOf(dispatch, call)
  return tool !== undefined && Context.get(tool.annotations, Sequential)
}

const runCall = (
  dispatch: Dispatch,
  call: ToolUseContent,
  history: ReadonlyArray<SamplingMessage>
): Effect.Effect<ToolResultContent, unknown, unknown> =>
  Effect.flatMap(CaptureContent, (capture) => {
    const traced: Effect.Effect<ToolResultContent, unknown> = Effect.tap(
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the tool needs is part of `Tools`; a span does not touch it
      resultOf(dispatch, call, history) as Effect.Effect<ToolResultContent, unknown>,
      (result) =>
        Effect.annotateCurrentSpan({
          ...(result.isError === true && { "error.type": "tool_error" }),
          ...(capture && { "gen_ai.tool.call.result": JSON.stringify(result.content) })
        })
    )
    return Effect.withSpan(traced, `execute_tool ${cut(call.name, 100)}`, {
      captureStackTrace: false,
      attributes: {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": cut(call.name, 100),
        "gen_ai.tool.call.id": cut(call.id, 100),
        ...(capture && { "gen_ai.tool.call.arguments": JSON.stringify(call.input) })
      }
    })
  })

const resultOf = Effect.fnUntraced(
  function*(dispatch: Dispatch, call: ToolUseContent, history: ReadonlyArray<SamplingMessage>) {
    const tool = toolOf(dispatch, call)
    if (tool === undefined) {
      const known = Object.keys(dispatch.tools).join(", ")
      return errorResult(call.id, `There is no tool ${quote(call.name)}. The tools are: ${known}`)
    }
    if ((yield* needsApproval(tool, call, history)) && !(yield* isApproved(call))) {
      return errorResult(call.id, `The call of the tool "${tool.name}" was not approved`)
    }
    return yield* dispatch.call(tool.name, call.input, { toolCallId: call.id }).pipe(
      Effect.map((outcome) =>
        (outcome.isFailure ? failureResult(call, tool, outcome.result) : undefined) ?? toToolResult(call.id, outcome)
      ),
      Effect.catchCause((cause) => toErrorResult(call, tool, cause))
    )
  }
)

/** A function that cannot tell (because the arguments do not fit) is not asked: the call fails for its arguments. */
const needsApproval = Effect.fnUntraced(
  function*(tool: Tool.Any, call: ToolUseContent, history: ReadonlyArray<SamplingMessage>) {
    if (typeof tool.needsApproval !== "function") return tool.needsApproval === true
    const parameters = yield* Effect.exit(Schema.decodeUnknownEffect(tool.parametersSchema)(call.input))
    if (parameters._tag === "Failure") return false
    const needed = tool.needsApproval(parameters.value, { toolCallId: call.id, messages: toPromptMessages(history) })
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
    const result = failureResult(call, tool, failure.error)
    if (result !== undefined) return Effect.succeed(result)
    const origin = Context.get(Cause.reasonAnnotations(failure), Toolkit.FailureOrigin)
    if (origin === "handler" && Schema.is(tool.failureSchema)(failure.error)) return Effect.fail(failure.error)
  }
  return Effect.as(Effect.logError(`The tool "${tool.name}" failed`, cause), masked(call, tool))
}

/** What the model can act on, whatever the failure mode: wrong arguments. Of other failures of Effect it learns nothing. */
const failureResult = (call: ToolUseContent, tool: Tool.Any, error: unknown): ToolResultContent | undefined =>
  !AiError.isAiError(error)
    ? undefined
    : error.reason._tag === "ToolParameterValidationError"
    ? errorResult(call.id, `Invalid arguments for the tool "${tool.name}": ${error.reason.description}`)
    : masked(call, tool)

const masked = (call: ToolUseContent, tool: Tool.Any): ToolResultContent =>
  errorResult(call.id, `The tool "${tool.name}" failed`)
