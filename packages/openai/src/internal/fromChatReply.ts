import type { Content, ToolUseContent } from "@effect-sampling/core/Content"
import { stopReason, toolUses } from "@effect-sampling/core/ProviderSampler"
import type { Reply, WrittenCall } from "@effect-sampling/core/ProviderSampler"
import { InvalidResponse } from "@effect-sampling/core/SamplingError"
import type { SamplingRequest } from "@effect-sampling/core/SamplingRequest"
import type { Usage } from "@effect-sampling/core/SamplingResponse"
import { withAdvice } from "@effect-sampling/core/wire/Advice"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parseJson } from "./json.ts"
import type { ToolNames } from "./toolNames.ts"
import { keepFields } from "./vendorFields.ts"
import type { Vendor } from "./vendorFields.ts"

const nullish = <S extends Schema.Constraint>(schema: S) => Schema.optional(Schema.NullOr(schema))

/**
 * The fields that we read. The schema is lenient where compatible servers differ: they omit fields, send null, or add
 * fields of their own.
 */
const ChatReply = Schema.Struct({
  model: nullish(Schema.String),
  choices: Schema.NonEmptyArray(Schema.Struct({
    finish_reason: nullish(Schema.String),
    // From vLLM: the stop sequence that ended the text, or a token id.
    stop_reason: Schema.optional(Schema.Unknown),
    // From OpenRouter: the error that ended the generation.
    error: nullish(Schema.Record(Schema.String, Schema.Unknown)),
    message: nullish(Schema.Struct({
      content: nullish(Schema.Union([
        Schema.String,
        Schema.Array(Schema.Struct({ type: Schema.String, text: nullish(Schema.Unknown) }))
      ])),
      refusal: nullish(Schema.String),
      // What a model writes here is read call by call, because one bad call must not spoil the reply.
      tool_calls: nullish(Schema.Array(Schema.Unknown)),
      function_call: Schema.optional(Schema.Unknown)
    }))
  })),
  usage: nullish(Schema.Struct({
    prompt_tokens: Schema.optional(Schema.Unknown),
    completion_tokens: Schema.optional(Schema.Unknown)
  }))
})
type ChatReply = typeof ChatReply.Type
type Message = NonNullable<ChatReply["choices"][0]["message"]>

/** A choice with a message, which a server may leave out if it has withheld the reply. */
interface Choice extends Pick<ChatReply["choices"][0], "finish_reason" | "stop_reason"> {
  readonly message: Message
}

const decode = Schema.decodeUnknownResult(ChatReply)

interface ReplyContext extends Vendor {
  readonly model: string
  readonly request: SamplingRequest
  readonly names: ToolNames
}

export const fromChatReply = (context: ReplyContext, body: unknown): Result.Result<Reply, InvalidResponse> =>
  Result.gen(function*() {
    const decoded = decode(body)
    if (Result.isFailure(decoded)) return yield* Result.fail(malformed(context, body))
    const { choices: [first], model, usage } = decoded.success
    const choice = toChoice(first)
    if (choice === undefined) return yield* Result.fail(malformed(context, body))
    const calls = toCalls(context, choice, rawMessage(body))
    const text = toText(choice)
    const refusal = choice.message.refusal ?? ""
    const content: ReadonlyArray<Content> = [
      ...(text !== "" || (refusal === "" && calls.length === 0) ? [{ type: "text" as const, text }] : []),
      ...(refusal !== "" ? [{ type: "text" as const, text: refusal }] : []),
      ...calls
    ]
    return {
      content: content.length === 1 && calls.length === 0 ? content[0]! : content,
      model: model === undefined || model === null || model === "" ? context.model : model,
      stopReason: toStopReason(context.request, choice, calls.length > 0),
      usage: toUsage(usage ?? {})
    }
  })

const toChoice = (
  { error, finish_reason: reason, message, ...rest }: ChatReply["choices"][0]
): Choice | undefined => {
  const finishReason = Predicate.isNullish(error) ? reason : "error"
  if (!Predicate.isNullish(message)) return { ...rest, finish_reason: finishReason, message }
  return Predicate.isNullish(finishReason) ? undefined : { ...rest, finish_reason: finishReason, message: {} }
}

const malformed = ({ provider }: ReplyContext, body: unknown): InvalidResponse =>
  Predicate.isObject(body) && Array.isArray(body["choices"]) && body["choices"].length === 0
    ? withAdvice(
      new InvalidResponse({
        message:
          `The provider "${provider}" answered with an empty list of choices, so there is no reply. Try again later.`
      }),
      "Check that the model exists and that its filters let the prompt through."
    )
    : withAdvice(
      new InvalidResponse({ message: `The provider "${provider}" did not answer with a chat completion.` }),
      "Check that baseUrl points to an OpenAI-compatible Chat Completions API (the URL often ends in /v1)."
    )

const toText = ({ message: { content } }: Choice): string =>
  typeof content === "string"
    ? content
    : (content ?? []).map((part) => part.type === "text" && typeof part.text === "string" ? part.text : "").join("")

/**
 * Converts the finish reason. `stop` with tool calls becomes `toolUse`, because some compatible servers never send
 * `tool_calls`. A reply that the token limit cut short stays `maxTokens`, even with tool calls.
 */
const toStopReason = (request: SamplingRequest, choice: Choice, hasCalls: boolean): string | undefined => {
  const reason = stopReason(choice.finish_reason ?? "")
  const refused = (choice.message.refusal ?? "") !== ""
  switch (reason) {
    case "":
      return refused ? "refusal" : hasCalls ? "toolUse" : undefined
    case "endTurn":
      if (refused) return "refusal"
      if (hasCalls) return "toolUse"
      return request.stopSequences?.some((sequence) => sequence === choice.stop_reason) === true
        ? "stopSequence"
        : "endTurn"
    case "toolUse":
      return hasCalls ? "toolUse" : refused ? "refusal" : "endTurn"
    default:
      return reason
  }
}

/** Returns the message as the server sent it, with the members that we do not read. */
const rawMessage = (body: unknown): unknown => {
  const choices = Predicate.isObject(body) ? body["choices"] : undefined
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  return Predicate.isObject(choice) ? choice["message"] : undefined
}

const toCalls = (
  context: ReplyContext,
  { finish_reason, message }: Choice,
  raw: unknown
): ReadonlyArray<ToolUseContent> => {
  const legacy = Predicate.isNullish(message.function_call) ? [] : [{ function: message.function_call }]
  const written = [...message.tool_calls ?? [], ...legacy].filter(Predicate.isNotNullish)
  const isCut = stopReason(finish_reason ?? "") === "maxTokens"
  // The token limit cut the arguments short. The stop reason `maxTokens` already says that the reply is incomplete.
  const calls = written.map((call) => [toCall(call, context.names), call] as const)
    .filter(([call]) => !isCut || !isCutShort(call))
  const uses = toolUses(calls.map(([call]) => call))
  return keepFields(context, raw, uses.map((use, index) => [use, calls[index]?.[1]]))
}

const toCall = (call: unknown, names: ToolNames): WrittenCall => {
  const { function: called, id } = Predicate.isObject(call) ? call : {}
  if (!Predicate.isObject(called)) return { id }
  const { arguments: input, name } = called
  return { id, name: typeof name === "string" ? names.fromWire(name) : name, arguments: input }
}

const isCutShort = (call: WrittenCall): boolean =>
  typeof call.arguments === "string" && call.arguments.trim() !== "" && parseJson(call.arguments) === undefined

const toUsage = (
  usage: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown }
): Usage | undefined => {
  const inputTokens = toCount(usage.prompt_tokens)
  const outputTokens = toCount(usage.completion_tokens)
  if (inputTokens === undefined && outputTokens === undefined) return undefined
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens })
  }
}

const toCount = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined
