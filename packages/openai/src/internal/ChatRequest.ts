import type OpenAI from "openai"

/** The body of a request without the token limit, because the name of that parameter depends on the server. */
export type ChatRequest = Omit<
  OpenAI.Chat.ChatCompletionCreateParamsNonStreaming,
  "max_tokens" | "max_completion_tokens"
>
