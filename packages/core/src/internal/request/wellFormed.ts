import type { Content, ToolResultContent } from "../../Content.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import { mapChanged } from "../mapChanged.ts"

/**
 * Replaces lone surrogates in texts by U+FFFD, as every UTF-8 encoder does. Cutting a string in the middle of an emoji
 * leaves a lone surrogate, and some providers reject JSON that holds one.
 */
export const wellFormedRequest = (request: SamplingRequest): SamplingRequest => {
  const messages = mapChanged(request.messages, wellFormedMessage)
  const systemPrompt = request.systemPrompt?.toWellFormed()
  const stopSequences = request.stopSequences && mapChanged(request.stopSequences, (text) => text.toWellFormed())
  return messages === request.messages && systemPrompt === request.systemPrompt &&
      stopSequences === request.stopSequences
    ? request
    : {
      ...request,
      messages,
      ...(systemPrompt !== undefined && { systemPrompt }),
      ...(stopSequences !== undefined && { stopSequences })
    }
}

const wellFormedMessage = (message: SamplingMessage): SamplingMessage => {
  const content = message.content
  const clean = "type" in content ? wellFormedContent(content) : mapChanged(content, wellFormedContent)
  return clean === content ? message : { ...message, content: clean }
}

const wellFormedContent = (block: Content): Content => {
  if (block.type === "text") return wellFormedText(block)
  if (block.type !== "tool_result") return block
  const content = mapChanged(block.content, wellFormedResult)
  return content === block.content ? block : { ...block, content }
}

const wellFormedResult = (block: ToolResultContent["content"][number]): ToolResultContent["content"][number] => {
  if (block.type === "text") return wellFormedText(block)
  if (block.type !== "resource" || !("text" in block.resource)) return block
  const resource = wellFormedText(block.resource)
  return resource === block.resource ? block : { ...block, resource }
}

const wellFormedText = <A extends { readonly text: string }>(block: A): A =>
  block.text.isWellFormed() ? block : { ...block, text: block.text.toWellFormed() }
