import { formatInstruction } from "@effect-sampling/core/ProviderSampler"
import type { ResponseFormat } from "@effect-sampling/core/SamplingRequest"
import type OpenAI from "openai"
import type { ChatRequest } from "./ChatRequest.ts"
import type { Failure } from "./failure.ts"
import { toJsonObject } from "./json.ts"

/**
 * Converts the format to OpenAI's JSON mode. The mode is not `strict`, because OpenAI refuses a strict schema that has
 * an optional key or an open object.
 *
 * Source: OpenAI API reference, "Create chat completion", `response_format`.
 */
export const toResponseFormat = ({ name, schema }: ResponseFormat): OpenAI.ResponseFormatJSONSchema => ({
  type: "json_schema",
  json_schema: { name: toName(name), schema: toJsonObject(schema), strict: false }
})

// OpenAI accepts a name of up to 64 letters, digits, underscores and hyphens.
const toName = (name: string): string => name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64) || "answer"

/** Moves `response_format` into the system prompt, in words, for a server that refuses the parameter. */
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
 * Returns whether the server refused this schema only (`"schema"`) or `response_format` as such (`"always"`). Returns
 * undefined if the failure has another cause.
 *
 * OpenAI names the parameter in `param`; Groq, DeepSeek and vLLM mention it only in the error text.
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
