import { blocks } from "../../Content.ts"
import type { Content, TextContent, ToolResultContent } from "../../Content.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"

/**
 * Removes what strict servers refuse to read: text blocks without text, and assistant messages without content. Models
 * write both, beside a call or in place of an answer, and a history holds them for ever. User messages that a removed
 * one has separated become one, because many servers want the roles to alternate.
 *
 * A user message without any text stays, because its author wrote it. Returns the messages themselves if nothing is
 * empty.
 */
export const withoutEmpty = (messages: ReadonlyArray<SamplingMessage>): ReadonlyArray<SamplingMessage> => {
  if (!messages.some(holdsEmpty)) return messages
  const kept: Array<SamplingMessage> = []
  let isAfterGap = false
  for (const message of messages) {
    const content = withoutEmptyBlocks(message.content)
    if (content === undefined && message.role === "assistant") {
      isAfterGap = true
      continue
    }
    const clean = content === undefined ? message : { ...message, content }
    const last = isAfterGap ? kept.at(-1) : undefined
    const joined = last === undefined ? undefined : join(last, clean)
    if (joined === undefined) kept.push(clean)
    else if (content !== undefined) kept.splice(-1, 1, joined)
    isAfterGap = false
  }
  return kept
}

/** Returns the content without empty text blocks, or undefined if nothing is left of it. */
export const withoutEmptyBlocks = (
  content: Content | ReadonlyArray<Content>
): Content | ReadonlyArray<Content> | undefined => {
  if ("type" in content) return isEmptyText(content) ? undefined : withoutEmptyResults(content)
  if (!content.some(isEmpty)) return content.length === 0 ? undefined : content
  const kept: Array<Content> = []
  for (const block of content) {
    const last = kept.at(-1)
    if (!isEmptyText(block)) kept.push(withoutEmptyResults(block))
    // Space between two texts belongs to one of them.
    else if (last?.type === "text") kept.splice(-1, 1, { ...last, text: last.text + block.text })
  }
  return kept.length === 0 ? undefined : kept
}

/** Joins two user messages to one, or returns undefined if that is not possible: tool results stand alone. */
export const join = (one: SamplingMessage, other: SamplingMessage): SamplingMessage | undefined =>
  [one, other].every((message) => message.role === "user" && blocks(message.content).every(isNoResult))
    ? { ...one, ...other, content: [...blocks(one.content), ...blocks(other.content)] }
    : undefined

const holdsEmpty = ({ content }: SamplingMessage): boolean =>
  "type" in content ? isEmpty(content) : content.length === 0 || content.some(isEmpty)

const isEmpty = (block: Content): boolean =>
  isEmptyText(block) || block.type === "tool_result" && block.content.some(isEmptyText)

const isEmptyText = (
  block: Content | ToolResultContent["content"][number]
): block is TextContent => block.type === "text" && block.text.trim() === ""

const isNoResult = (block: Content): boolean => block.type !== "tool_result"

const withoutEmptyResults = (block: Content): Content =>
  isEmpty(block) && block.type === "tool_result"
    ? { ...block, content: block.content.filter((each) => !isEmptyText(each)) }
    : block
