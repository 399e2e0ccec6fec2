import { blocks } from "../../Content.ts"
import type { Content } from "../../Content.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import type { SamplingResponse } from "../../SamplingResponse.ts"

/**
 * Returns the texts of a request as span attributes. Use them only if `CaptureContent` is true. Images and audio are
 * mentioned, but their data is not recorded.
 *
 * Source: OpenTelemetry GenAI semantic conventions, `gen_ai.input.messages` and `gen_ai.output.messages`.
 */
export const inputAttributes = (request: SamplingRequest): Record<string, unknown> => ({
  ...(request.systemPrompt !== undefined && {
    "gen_ai.system_instructions": JSON.stringify([{ type: "text", content: request.systemPrompt }])
  }),
  "gen_ai.input.messages": JSON.stringify(request.messages.map(toMessage))
})

export const outputAttributes = (response: SamplingResponse): Record<string, unknown> => ({
  "gen_ai.output.messages": JSON.stringify([{
    ...toMessage({ role: "assistant", content: response.content }),
    ...(response.stopReason !== undefined && { finish_reason: response.stopReason })
  }])
})

const toMessage = ({ content, role }: SamplingMessage) => {
  const all = blocks(content)
  return { role: all.some(({ type }) => type === "tool_result") ? "tool" : role, parts: all.map(toPart) }
}

const toPart = (block: Content) => {
  switch (block.type) {
    case "text":
      return { type: "text", content: block.text }
    case "image":
    case "audio":
      return { type: "blob", modality: block.type, mime_type: block.mimeType }
    case "tool_use":
      return { type: "tool_call", id: block.id, name: block.name, arguments: block.input }
    case "tool_result":
      return { type: "tool_call_response", id: block.toolUseId, response: resultContent(block.content) }
  }
}

/** Returns the content of a tool result without the data of images and audio. */
export const resultContent = (content: ReadonlyArray<{ readonly type: string }>): ReadonlyArray<unknown> =>
  content.map((block) => "data" in block ? { ...block, data: undefined } : block)
