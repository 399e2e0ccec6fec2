import { formatInstruction } from "@effect-sampling/core/ProviderSampler"
import type { ResponseFormat } from "@effect-sampling/core/SamplingRequest"
import type OpenAI from "openai"
import type { Failure } from "./failure.ts"
import { toJsonObject } from "./json.ts"
import type { ChatRequest } from "./toChatRequest.ts"

/**
 * Not `strict`: that refuses every schema with an optional key or an open object.
 *
 * Source: OpenAI API reference, "Create chat completion", `response_format`.
 */
export const toResponseFormat = ({ name, schema }: ResponseFormat): OpenAI.ResponseFormatJSONSchema => ({
  type: "json_schema",
  json_schema: { name: toName(name), schema: toJsonObject(schema), strict: false }
})

// OpenAI takes letters, digits, underscores and hyphens, up to 64.
const toName = (name: string): string => name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64) || "answer"

/** The request for a server that does not take `response_format`: the system prompt asks for it in words. */
export const inWords = ({ response_format: format, ...request }: ChatRequest): ChatRequest => {
  if (format?.type !== "json_schema") return request
  const instruction = formatInstruction(format.json_schema.schema ?? {})
  const [first, ...rest] = request.messages
  const messages: ChatRequest["messages"] = first?.role === "system" && typeof first.content === "string"
    ? [{ ...first, content: `${first.content}\n\n${instruction}` }, ...rest]
    : [{ role: "system", content: instruction }, ...request.messages]
  return { ...request, messages }
}

/**
 * Whether the server refused the format: for this schema only, or whatever the schema.
 *
 * OpenAI names the parameter; Groq, DeepSeek and vLLM only write about it.
 */
export const refusalOf = (failure: Failure): "schema" | "always" | undefined => {
  const text = failure.text ?? ""
  const isAboutIt = failure.param?.startsWith("response_format") === true ||
    /response[_ ]?format|json_schema|structured outputs?/i.test(text)
  if ((failure.status !== 400 && failure.status !== 422) || !isAboutIt) return undefined
  return /invalid schema|invalid json ?schema/i.test(text) || failure.code === "invalid_json_schema"
    ? "schema"
    : "always"
}
