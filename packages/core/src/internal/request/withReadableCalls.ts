import { isRecord } from "../objects/jsonSchema.ts"
import { toToolUse } from "../toolArguments.ts"

/**
 * Rewrites the tool calls of a client's answer whose id, name or input has another type than MCP says: clients pass on
 * what their models write. The loop answers such a call with an error, and the rest of the answer stays.
 */
export const withReadableCalls = (answer: unknown): unknown => {
  const content = isRecord(answer) ? answer["content"] : undefined
  if (!isRecord(answer) || typeof content !== "object" || content === null) return answer
  if (!Array.isArray(content)) {
    const readable = toReadable(content, 0)
    return readable === content ? answer : { ...answer, content: readable }
  }
  return content.every((block, index) => toReadable(block, index) === block)
    ? answer
    : { ...answer, content: content.map(toReadable) }
}

const toReadable = (block: unknown, index: number): unknown => {
  if (!isRecord(block) || block["type"] !== "tool_use") return block
  const { id, input, name } = block
  if (typeof id === "string" && typeof name === "string" && isRecord(input)) return block
  const { _meta, ...call } = toToolUse({ id, name, arguments: input }, `call_${index}`)
  const meta = { ...(isRecord(block["_meta"]) && block["_meta"]), ..._meta }
  return { ...block, ...call, _meta: meta }
}
