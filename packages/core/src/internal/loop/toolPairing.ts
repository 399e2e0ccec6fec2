import { blocks } from "../../Content.ts"
import type { Content } from "../../Content.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import type { SamplingResponse } from "../../SamplingResponse.ts"
import { quote } from "../quote.ts"
import { isTooDeep, maxDepth } from "../request/nesting.ts"

export const isToolBlock = (block: Content): boolean => block.type === "tool_use" || block.type === "tool_result"

/**
 * Returns whether only a source that accepts tools can answer: the request offers tools, or its history holds calls or
 * results.
 */
export const needsTools = (request: SamplingRequest): boolean =>
  request.tools !== undefined || request.toolChoice !== undefined ||
  request.messages.some((message) => blocks(message.content).some(isToolBlock))

/**
 * Returns the first breach of the rules for tool content, or undefined.
 *
 * MCP 2025-11-25, sampling, "Tool Use in Sampling" and "Message Content Constraints": a user message with tool results
 * holds nothing else; every `tool_use` of an assistant message is answered by exactly one `tool_result` with its id in
 * the next message; results answer only the message before them.
 */
export const findPairingProblem = (messages: ReadonlyArray<SamplingMessage>): string | undefined => {
  let open: Set<string> | undefined
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index]!
    const uses = new Set<string>()
    const results = new Set<string>()
    let others = 0
    for (const block of blocks(message.content)) {
      if (block.type === "tool_use") {
        if (message.role !== "assistant") return `messages[${index}]: only an assistant message may hold tool_use`
        if (uses.has(block.id)) return `messages[${index}]: two tool_use blocks share the id ${quote(block.id)}`
        uses.add(block.id)
      } else if (block.type === "tool_result") {
        if (message.role !== "user") return `messages[${index}]: only a user message may hold tool_result`
        if (results.has(block.toolUseId)) {
          return `messages[${index}]: two results for the tool_use ${quote(block.toolUseId)}`
        }
        results.add(block.toolUseId)
      } else others++
    }
    if (results.size > 0 && others > 0) {
      return `messages[${index}]: a message with tool results must hold nothing else`
    }
    for (const id of results) {
      if (open?.has(id) !== true) {
        return `messages[${index}]: the result for ${quote(id)} has no matching tool_use in the message before it`
      }
    }
    for (const id of open ?? []) {
      if (!results.has(id)) {
        return `messages[${index}]: the tool_use ${quote(id)} of the message before it is not answered`
      }
    }
    open = uses.size > 0 ? uses : undefined
  }
  for (const id of open ?? []) return `messages[${messages.length - 1}]: the tool_use ${quote(id)} is not answered`
  return undefined
}

/**
 * Returns why no valid conversation can continue from this answer, or undefined.
 *
 * MCP 2025-11-25, sampling, "Tool Use in Sampling": an answer may call the tools of its request, each call by an id of
 * its own; results come from the server.
 */
export const findPairingBreach = (request: SamplingRequest, response: SamplingResponse): string | undefined => {
  const uses = new Set<string>()
  for (const block of blocks(response.content)) {
    if (block.type === "tool_result") return "it holds a tool_result, which only a request may hold"
    if (block.type !== "tool_use") continue
    if (request.tools === undefined || request.tools.length === 0) {
      return "it calls a tool, but the request offered no tools"
    }
    if (uses.has(block.id)) return `two tool_use blocks share the id ${quote(block.id)}`
    uses.add(block.id)
    if (isTooDeep(block.input)) return `the arguments of a call are nested more than ${maxDepth} levels deep`
  }
  return undefined
}
