import type OpenAI from "openai"
import type { ChatRequest } from "./ChatRequest.ts"
import type { Failure } from "./failure.ts"

type Part = OpenAI.Chat.ChatCompletionContentPart

/** Returns the text that stands before the images and audio of a tool's result in the user message that holds them. */
export const mediaHeading = (id: string): string => `${heading} ${id}:`

const heading = "From the result of tool call"

/**
 * Replaces the images and audio of tool results by words, for a server or a model that takes none: the model should
 * know that its tool worked. Returns undefined if the failure has another cause.
 */
export const withoutRefusedMedia = (request: ChatRequest, failure: Failure): ChatRequest | undefined => {
  const { status, text = "" } = failure
  const isAboutMedia = (status === 400 || status === 404 || status === 415 || status === 422) &&
    /image|vision|audio|multi-?modal|content.{0,40}(?:string|text)/i.test(text)
  if (!isAboutMedia || !request.messages.some(holdsResultMedia)) return undefined
  return {
    ...request,
    messages: request.messages.map((message) =>
      holdsResultMedia(message) ? { role: "user", content: message.content.map(inWords).join("\n") } : message
    )
  }
}

const holdsResultMedia = (
  message: OpenAI.Chat.ChatCompletionMessageParam
): message is { readonly role: "user"; readonly content: Array<Part> } => {
  const first = message.role === "user" && typeof message.content === "object" ? message.content[0] : undefined
  return first?.type === "text" && first.text.startsWith(heading)
}

const inWords = (part: Part): string => {
  switch (part.type) {
    case "text":
      return part.text
    case "image_url":
      return "[an image, which this model cannot see]"
    case "input_audio":
      return "[audio, which this model cannot hear]"
    case "file":
      return "[a file, which this model cannot read]"
  }
}
