import type * as Response from "effect/ai/Response"

/**
 * A stop reason of MCP, or one of those that every source of this library uses where MCP has none:
 *
 * - `contentFilter`: a content filter ended the generation
 * - `refusal`: the model refused
 * - `error`: the generation failed, so the reply is incomplete
 * - `pause`: the model will continue when it is asked again
 */
export type StopReason =
  | "endTurn"
  | "stopSequence"
  | "maxTokens"
  | "toolUse"
  | "contentFilter"
  | "refusal"
  | "error"
  | "pause"

/**
 * The words that clients, vendors and servers use for each stop reason, without case and punctuation: `MAX_TOKENS` and
 * `max_tokens` are the same word as `maxTokens`.
 *
 * From the API references of OpenAI, Anthropic, Gemini, Mistral, Cohere, Bedrock, DeepSeek and Z.ai, and from vLLM,
 * llama.cpp, TGI, Ollama and OpenRouter.
 */
const words: Readonly<Record<StopReason, ReadonlyArray<string>>> = {
  endTurn: [
    "endturn",
    "stop",
    "stopped",
    "end",
    "eos",
    "eostoken",
    "endofsequence",
    "endofturn",
    "endoftext",
    "complete",
    "completed",
    "done",
    "finish",
    "finished",
    "success"
  ],
  stopSequence: ["stopsequence", "stopsequences", "stopword", "stopstring", "customstop"],
  maxTokens: [
    "maxtokens",
    "maxtoken",
    "maxoutputtokens",
    "maxcompletiontokens",
    "maxnewtokens",
    "maxlength",
    "maxtokensreached",
    "length",
    "lengthlimit",
    "modellength",
    "outputlimit",
    "tokenlimit",
    "tokenlimitreached",
    "limit",
    "truncated",
    "contextlength",
    "contextlengthexceeded",
    "contextwindow",
    "contextwindowexceeded",
    "modelcontextwindowexceeded",
    "errorlimit"
  ],
  toolUse: ["tooluse", "tooluses", "toolcall", "toolcalls", "functioncall", "functioncalls"],
  contentFilter: [
    "contentfilter",
    "contentfiltered",
    "filtered",
    "filter",
    "safety",
    "imagesafety",
    "safetyblocked",
    "blocked",
    "blocklist",
    "prohibitedcontent",
    "imageprohibitedcontent",
    "recitation",
    "imagerecitation",
    "spii",
    "language",
    "sensitive",
    "moderation",
    "contentmoderation",
    "contentpolicy",
    "contentpolicyviolation",
    "guardrail",
    "guardrails",
    "guardrailintervened",
    "errortoxic"
  ],
  refusal: ["refusal", "refuse"],
  error: [
    "error",
    "errored",
    "fail",
    "failed",
    "failure",
    "networkerror",
    "connectionerror",
    "servererror",
    "internalerror",
    "internalservererror",
    "modelerror",
    "engineerror",
    "providererror",
    "upstreamerror",
    "unknownerror",
    "systemerror",
    "timeout",
    "overloaded",
    "insufficientsystemresource",
    "abort",
    "aborted",
    "interrupted",
    "cancel",
    "canceled",
    "cancelled",
    "usercancel",
    "malformedfunctioncall",
    "malformedresponse",
    "unexpectedtoolcall",
    "toomanytoolcalls"
  ],
  pause: ["pause", "paused", "pauseturn"]
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Object.entries` widens the keys of `words`, which are exactly these
const entries = Object.entries(words) as ReadonlyArray<[StopReason, ReadonlyArray<string>]>

const byWord: ReadonlyMap<string, StopReason> = new Map(
  entries.flatMap(([reason, all]) => all.map((word) => [word, reason] as const))
)

const own: ReadonlySet<string> = new Set(Object.keys(words))

/** Returns the stop reason that a word stands for, or undefined if the word is not known. */
export const toStopReason = (word: string): StopReason | undefined => {
  if (isStopReason(word)) return word
  const letters = word.slice(0, 100).toLowerCase().replaceAll(/[^a-z]/g, "").replace(/^(finish|stop)reason/, "")
  // Gateways append the vendor's own word: "content_filter: PROHIBITED_CONTENT".
  return byWord.get(letters) ?? (letters.startsWith("contentfilter") ? "contentFilter" : undefined)
}

const isStopReason = (word: string): word is StopReason => own.has(word)

const finishReasons: Readonly<Record<StopReason, Response.FinishReason>> = {
  endTurn: "stop",
  stopSequence: "stop",
  maxTokens: "length",
  toolUse: "tool-calls",
  contentFilter: "content-filter",
  refusal: "content-filter",
  error: "error",
  pause: "pause"
}

/** Returns the finish reason of `effect/ai` for a stop reason. */
export const toFinishReason = (stopReason: string): Response.FinishReason => {
  const known = toStopReason(stopReason)
  return known === undefined ? "other" : finishReasons[known]
}
