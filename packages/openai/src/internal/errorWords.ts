import type { ProviderErrorReason } from "@effect-sampling/core/SamplingError"

/**
 * How servers say that a prompt does not fit the model. Each pattern was written for the texts behind it, and the words
 * in it are what these texts share.
 */
const contextPatterns: ReadonlyArray<RegExp> = [
  // OpenAI, Azure, vLLM, SGLang, DeepSeek, Mistral, Fireworks, OpenRouter: "This model's maximum context length is …".
  // llama.cpp: "the request exceeds the available context size". Anthropic: "… exceed context limit".
  // MiniMax: "context window exceeds limit". Ollama: "exceeds the context length".
  /context[ _-]?(?:length|window|size|limit|overflow)|\bn_ctx\b/,
  // Anthropic: "prompt is too long: 210000 tokens > 200000 maximum". Bedrock: "Input is too long for requested model."
  // Ollama: "prompt too long". vLLM: "The decoder prompt (length 9000) is longer than the maximum model length of 4096".
  // Moonshot: "Input token length too long". llama.cpp: "input is too large to process".
  /\b(?:prompt|inputs?|request|text|conversation|messages?)(?: (?:tokens?|length|size|text|prompt|is|are|was|\([^)]*\)))* (?:too (?:long|large)|longer than)/,
  // xAI: "This model's maximum prompt length is 131072". NVIDIA NIM: "Prompt length (9000) exceeds maximum input length".
  // vLLM: "maximum model length". Doubao: "exceed max message tokens". Zhipu: "Prompt exceeds max length".
  /max(?:imum)? (?:prompt|input|model|message|request)s? (?:length|tokens?|size)|prompt exceeds max/,
  // Gemini: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048575)."
  // Vertex AI: "the input token count is 9000 but model only supports up to 8192". Copilot: "prompt token count of 70000
  // exceeds the limit of 64000".
  /(?:input|prompt) token count .{0,40}(?:exceed|only supports)/,
  // Amazon Nova: "Input Tokens Exceeded: Number of input tokens exceeds maximum length."
  // SGLang: "Requested token count exceeds". Moonshot: "Your request exceeded model token limit: 8192".
  /(?:input|prompt|requested|request)[ _]tokens?.{0,40}exceed|exceed(?:s|ed)? (?:the )?(?:model(?:'s)? )?token limit/,
  // Cohere: "too many tokens: total number of tokens in the prompt cannot exceed 4081", "size limit exceeded by".
  /too many (?:input |prompt )?tokens/,
  // Hugging Face TGI and Together: "`inputs` tokens + `max_new_tokens` must be <= 4096", "`inputs` must have less than".
  /`?inputs`? (?:tokens )?(?:\+ `?max_new_tokens`? )?must (?:be <=|have less than)/,
  // Groq and Cerebras: "Please reduce the length of the messages or completion." vLLM: "reduce the length of the input".
  /reduce the length of the (?:messages?|prompt|input)|reduce your (?:prompt|message size)/,
  // Bedrock: "expected maxLength: 200000, actual: 300000, please reformat your input".
  /expected maxlength: \d+, actual: \d+/,
  // Alibaba DashScope: "Range of input length should be [1, 30720]".
  /range of input length should be/,
  // LM Studio: "The number of tokens to keep from the initial prompt is greater than the context length".
  /tokens to keep from the initial prompt|keep the first \d+ tokens/,
  // OpenAI: "Invalid 'messages[0].content': string too long. Expected a string with maximum length 10485760".
  /messages\W*\d+\W*content[^.]{0,40}string too long/,
  // Zhipu: "Prompt 超长".
  /超长|过长/
]

/**
 * The same for servers that we have not heard of: the prompt, or all tokens, exceed a limit. Texts about other lengths
 * use these words too.
 */
const anyOverflow = [
  /\b(?:prompt|input|total|request|sequence|message)s?(?:_|\b)[^.]{0,60}(?:tokens?|length|limit)[^.]{0,60}(?:exceed|must (?:be less|not)|greater than|longer than|too (?:long|many|large))/,
  /\btokens?\b[^.]{0,40}(?:prompt|input|model|total)[^.]{0,60}(?:exceed|must (?:be less|not)|greater than|too (?:long|many))/,
  /exceed[^.]{0,40}\b(?:allowed|max(?:imum)?|model(?:'s)?|token)s? (?:tokens?|limit)/
]
const otherLength =
  /\b(?:tools?|images?|audio|files?|names?|ids?|stop|schemas?|metadata|array)\b|\b(?:output|new)[ _]tokens|^(?!.*(?:prompt|input)).*completion[ _]tokens/

/** A request that is larger than what an account may send in a minute: waiting does not help (OpenAI, Groq). */
const tooLargeForMinute = /request too large for|must be reduced in order to run/

/** Returns whether the text of an error says that the prompt does not fit the model. */
export const saysContextLength = (text: string, isRateLimit: boolean): boolean => {
  const lower = text.toLowerCase()
  if (tooLargeForMinute.test(lower)) return true
  return !isRateLimit && !/rate limit|per[ -](?:minute|day|hour)/.test(lower) &&
    (contextPatterns.some((pattern) => pattern.test(lower)) ||
      (!otherLength.test(lower) && anyOverflow.some((pattern) => pattern.test(lower))))
}

/** A part of the request that a server did not take, as far as its words tell. */
export interface Refused {
  readonly part: "roles" | "system" | "tools" | "media" | "settings"
  readonly pattern: RegExp
  /** For the sentence "The provider did not accept …". */
  readonly what: string
  readonly advice: string
}

/**
 * How servers and chat templates say which part of a request they do not take. The first that fits counts: texts about
 * alternating roles mention the optional system message as well.
 */
const refusals: ReadonlyArray<Refused> = [
  {
    // Templates of Llama, Mistral, Gemma: "Conversation roles must alternate user/assistant/…". Anthropic: "first message
    // must use the "user" role", "does not support assistant message prefill". Gemini: "multiturn requests alternate
    // between user and model", "function call turn comes immediately after". DeepSeek: "successive user or assistant
    // messages". Perplexity: "Last message must have role `user`". Mistral: "Expected last role", "Unexpected role".
    part: "roles",
    pattern: new RegExp(
      [
        "alternat(?:e|ing)|interleav",
        "(?:first|last) (?:message|role|turn)[^.]{0,60}\\b(?:must|should|to be)\\b|expected last role",
        "(?:successive|consecutive|multiple) (?!system)[^.]{0,30}(?:messages|roles?|turns)\\b|same role|in a row",
        "unexpected role '(?:user|assistant|tool)'|assistant message prefill",
        "(?:start|begin|end)s? with (?:an? |the )?(?:role )?['\"`]?(?:user|assistant|tool)",
        "(?:message|role)s? (?:order|sequence)|user['\"`]? (?:message|role|turn)s? [^.]{0,20}(?:follow|after|before)",
        "multiturn requests?|turn comes immediately after|no user (?:query|message)"
      ].join("|")
    ),
    what: "the roles of the messages (user and assistant must alternate)",
    advice:
      "Start with a user message, let user and assistant take turns, and end with a user message; or use another model."
  },
  {
    // Gemma: "System role not supported". Ministral: "Only user, assistant and tool roles are supported, got system".
    // Gemini: "Developer instruction is not enabled for models/gemma-3-27b-it". OpenAI: "'messages[0].role' does not
    // support 'system' with this model". Bedrock: "This model doesn't support system messages". Qwen: "System message
    // must be at the beginning". Anthropic: "Unexpected role "system"".
    part: "system",
    pattern: new RegExp(
      [
        "\\b(?:system|developer)[ _'\"`]*(?:role|message|prompt|instruction)s?\\b",
        "\\bsystem\\b[^.]{0,30}(?:not |un)support",
        "(?:be|of|are):? ['\"`]?user['\"`]?(?:,| or| and) ?['\"`]?(?:assistant|model)",
        "\\brole[s'\"`: ]+[^.]{0,40}['\"`]?(?:system|developer)\\b",
        "roles? (?:are|is) supported|(?:support|got|accept)s?:? ['\"`]?(?:system|developer)\\b"
      ].join("|")
    ),
    what: "the system prompt",
    advice: "Move systemPrompt into the first user message, or use another model."
  },
  {
    // OpenRouter: "No endpoints found that support tool use". Ollama: "llama2 does not support tools". vLLM: ""auto" tool
    // choice requires --enable-auto-tool-choice".
    part: "tools",
    pattern:
      /support(?:s|ed)? (?:for )?(?:tool|function)|(?:tool|function)[ _-]?(?:use|call(?:ing|s)?|choice)?s? (?:is|are) (?:not|un)|(?:tools?|tool[ _](?:use|choice)|function[ _]calling)\b[^.]{0,40}(?:not (?:supported|enabled|available)|unsupported|requires)/,
    what: "tools",
    advice: "Send no tools, or use a model that supports them."
  },
  {
    // OpenRouter: "No endpoints found that support image input". Groq and vLLM: "… is not a multimodal model".
    part: "media",
    pattern:
      /support(?:s|ed)? (?:for )?(?:image|vision|audio|multi-?modal)|not (?:a|an) (?:multi-?modal|vision)|(?:image|vision|audio)s?\b[^.]{0,40}(?:not (?:supported|enabled|allowed)|unsupported)/,
    what: "images or audio",
    advice: "Remove the images and the audio, or use a model that takes them."
  },
  {
    // OpenRouter: "No endpoints found that can handle the requested parameters", "… matching your data policy".
    part: "settings",
    pattern: /no endpoints (?:found|available) (?:that|matching)|no allowed providers/,
    what: "the request under the settings of the account",
    advice:
      "Check that the model supports everything in the request (temperature, stop sequences, tools, images, responseFormat), and the settings of the account."
  }
]

/** Returns the part of the request that the server does not take, if its words name one. */
export const refusedPart = (text: string): Refused | undefined => {
  const lower = text.toLowerCase()
  return refusals.find(({ pattern }) => pattern.test(lower))
}

/**
 * The reason behind a status that says little, such as 200, 400 and 500. The first pattern that fits counts.
 */
const reasons: ReadonlyArray<readonly [pattern: RegExp, reason: ProviderErrorReason]> = [
  // DeepSeek: "Content Exists Risk". DashScope: "data may contain inappropriate content". xAI: "Content violates usage
  // guidelines". OpenRouter: "your input was flagged". Moonshot: "considered high risk".
  [
    /content exists risk|inappropriate content|(?:violat|breach)[^.]{0,40}(?:polic|guideline|terms)|content (?:management )?policy|\bflagged\b|high risk|safety[ _](?:check|system|filter)/,
    "contentFilter"
  ],
  // Anthropic: "Your credit balance is too low". xAI: "doesn't have any credits". DeepSeek and MiniMax: "insufficient
  // balance".
  [
    /insufficient[ _](?:balance|credit|fund|quota)|\bquota\b|credit balance|(?:\bno|any|more|enough|out of) credits?\b|payment required|good standing|arrear/,
    "quota"
  ],
  // Gemini answers 400 to a wrong key: "API key not valid. Please pass a valid API key." xAI too: "Incorrect API key".
  [
    /(?:invalid|incorrect|wrong|missing|malformed|expired|\bno|valid) (?:x-)?(?:api|access|auth|subscription)[ _-]?(?:key|token|credential)|api[ _-]?key (?:is |was |has )?(?:not |in|expired|missing|required|wrong)|unauthori[sz]ed|unauthenticated|authenticat\w+ (?:failed|error|required|fail)|not authenticated|invalid (?:token|credentials?|authorization)|(?:token|key) (?:has |is )?expired|credentials|access denied|not authorized|\bforbidden\b/,
    "auth"
  ],
  [/(?:rate|usage)[ _-]?limit|too many requests|requests? per (?:minute|second|day)|throttl/, "rateLimit"],
  // Mistral: "Invalid model: x". DeepSeek: "Model Not Exist". OpenRouter: "x is not a valid model ID". LM Studio: "Invalid
  // model identifier", and on a wrong path "Unexpected endpoint or method. (POST /chat/completions)".
  [
    /\bmodel\b[^.]{0,80}(?:not (?:found|exist)|does(?:n't| not) exist|unknown|not (?:a )?valid|not loaded|decommissioned|deprecated)|(?:unknown|invalid|no such|unsupported|not a valid) model\b|no models? (?:loaded|found)/,
    "notFound"
  ],
  [
    /(?:unexpected|unknown|invalid|unsupported|no such|no matching) (?:endpoint|path|route|url|uri|api)|(?:endpoint|path|route|url|page|resource|method)\b[^.]{0,60}not (?:found|allowed|supported|exist|matched)|no route|cannot post|^not found\.?$|no static resource|method not allowed/m,
    "notFound"
  ],
  [/overloaded|temporarily unavailable|at capacity|try again later|service unavailable/, "unavailable"],
  [/timed? ?out|deadline exceeded/, "timeout"]
]

/** Returns the reason that the words of an error tell, if any. */
export const reasonInWords = (text: string): ProviderErrorReason | undefined => {
  const lower = text.toLowerCase()
  return reasons.find(([pattern]) => pattern.test(lower))?.[1]
}
