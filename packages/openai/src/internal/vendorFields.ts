import type { Content, ToolUseContent } from "@effect-sampling/core/Content"
import { vendorFields, withVendorFields } from "@effect-sampling/core/ProviderSampler"
import * as Predicate from "effect/Predicate"
import type { ChatRequest } from "./ChatRequest.ts"
import type { Failure } from "./failure.ts"

type Fields = Readonly<Record<string, unknown>>

/** The server that fields come from, and the only one that gets them back. */
export interface Vendor {
  readonly provider: string
  readonly endpoint: string
}

/** The members of a reply's message that Chat Completions defines or that have no place in a request. */
const messageMembers = new Set([
  "role",
  "content",
  "refusal",
  "tool_calls",
  "function_call",
  "name",
  "annotations",
  "audio",
  "images",
  "citations",
  "context",
  "parsed",
  "index"
])

const callMembers = new Set(["id", "type", "function", "index"])

/**
 * Adds the members that a server wrote into a message and its calls, beyond Chat Completions, to the calls. DeepSeek
 * wants `reasoning_content` back within a tool loop, and Gemini wants `extra_content` of each call.
 */
export const keepFields = (
  { endpoint, provider }: Vendor,
  message: unknown,
  calls: ReadonlyArray<readonly [use: ToolUseContent, written: unknown]>
): ReadonlyArray<ToolUseContent> =>
  calls.map(([use, written], index) => {
    const ofMessage = index === 0 ? others(message, messageMembers) : undefined
    const ofCall = others(written, callMembers)
    return ofMessage === undefined && ofCall === undefined
      ? use
      : withVendorFields(use, provider, {
        endpoint,
        ...(ofMessage !== undefined && { message: ofMessage }),
        ...(ofCall !== undefined && { call: ofCall })
      })
  })

const others = (value: unknown, known: ReadonlySet<string>): Fields | undefined => {
  if (!Predicate.isObject(value)) return undefined
  const entries = Object.entries(value).filter(([key, member]) => !known.has(key) && Predicate.isNotNullish(member))
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** Returns the members that a block gives back to the server: those of its message, and those of its own call. */
export const fieldsOf = (
  { endpoint, provider }: Vendor,
  block: Content
): { readonly message: Fields; readonly call: Fields } => {
  const fields = vendorFields(block, provider)
  const { call, message } = fields?.["endpoint"] === endpoint ? fields : {}
  return { message: Predicate.isObject(message) ? message : {}, call: Predicate.isObject(call) ? call : {} }
}

/**
 * Removes these members from a request whose server refuses one of them, although it wrote it itself. Returns undefined
 * if the failure has another cause.
 */
export const withoutRefusedFields = (request: ChatRequest, failure: Failure): ChatRequest | undefined => {
  if (failure.status !== 400 && failure.status !== 422) return undefined
  const text = `${failure.param ?? ""} ${failure.text ?? ""}`
  const names = request.messages.flatMap((message) =>
    message.role === "assistant"
      ? [message, ...message.tool_calls ?? []].flatMap((part, index) =>
        Object.keys(others(part, index === 0 ? messageMembers : callMembers) ?? {})
      )
      : []
  )
  return names.some((name) => text.includes(name)) ? withoutFields(request) : undefined
}

const withoutFields = (request: ChatRequest): ChatRequest => ({
  ...request,
  messages: request.messages.map((message) => {
    if (message.role !== "assistant" || message.tool_calls === undefined) return message
    const { content = null, role, tool_calls: calls } = message
    return {
      role,
      content,
      tool_calls: calls.flatMap((call) =>
        call.type === "function" ? [{ id: call.id, type: call.type, function: call.function }] : []
      )
    }
  })
})
