import { formatInstruction } from "@effect-sampling/core/ProviderSampler"
import type { ResponseFormat } from "@effect-sampling/core/SamplingRequest"
import type OpenAI from "openai"
import type { ChatRequest } from "./ChatRequest.ts"
import { refusedPart } from "./errorWords.ts"
import type { Failure } from "./failure.ts"
import { toJsonObject } from "./json.ts"
import { toReason } from "./providerError.ts"

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
 * Returns whether the server refused this format only (`"this"`) or every format (`"always"`). Returns undefined if the
 * failure has another cause. Where the server does not say what it refuses, the format may be the cause: it is what
 * servers fail at most, and Ollama and vLLM do so with status 500.
 *
 * OpenAI names the parameter in `param`; Groq, DeepSeek, Gemini and vLLM mention it only in the error text.
 */
export const refusalOf = (failure: Failure): "this" | "always" | undefined => {
  const { kind, param, status, text = "" } = failure
  const reason = toReason(failure)
  if (kind !== "status" || settled.has(reason)) return undefined
  if (param?.startsWith("response_format") === true || formatWords.test(text)) {
    return failure.code === "invalid_json_schema" || schemaWords.test(text) ? "this" : "always"
  }
  const part = refusedPart(text)?.part
  const hasOtherCause = part === "roles" || part === "system" || otherParameters.test(param ?? "")
  const isRefusal = reason === "badRequest" || status === 500 || status === 501
  return isRefusal && !hasOtherCause ? "this" : undefined
}

/** The reasons that do not depend on the format. */
const settled: ReadonlySet<string> = new Set([
  "auth",
  "quota",
  "rateLimit",
  "contextLength",
  "contentFilter",
  "timeout"
])

const formatWords =
  /response[_ -]?(?:format|mime|schema)|mime ?type|json[_ -]?(?:schema|mode|object)|structured[_ -]?(?:output|generation)|grammar|guided|outlines/i

/** A compiler of grammars or a validator of schemas speaks; it may take another schema (vLLM, llama.cpp, Ollama). */
const schemaWords =
  /invalid (?:json[ _]?)?schema|grammar|guided|outlines|schema (?:contains|error|is|has)|\bin schema|\bat ['"][^'"]*schema|compil/i

const otherParameters = /^(?:messages|model|max_tokens|max_completion_tokens|temperature|stop|metadata|store)\b/

/**
 * Returns a completion with what the model wrote, if a server refuses it because it is not the JSON that was asked for.
 * Whoever asked for the object tells the model what is wrong, as with any other answer that does not fit.
 *
 * Source: Groq API, "Structured Outputs", error `json_validate_failed` with `failed_generation`.
 */
export const generatedText = ({ code, failedGeneration, text = "" }: Failure): unknown =>
  code === "json_validate_failed"
    ? {
      choices: [{
        message: { content: failedGeneration ?? "" },
        finish_reason: /max(?:imum)?[ _](?:completion[ _])?tokens/i.test(text) ? "length" : "stop"
      }]
    }
    : undefined
