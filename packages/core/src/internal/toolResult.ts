import * as Schema from "effect/Schema"
import * as Content from "../Content.ts"
import type { ToolResultContent } from "../Content.ts"
import type { Outcome } from "../ToolDispatch.ts"

/**
 * The result of a call as the model gets it: content blocks where the tool gives them, JSON otherwise. Throws where the
 * tool gives what is neither.
 */
export const toToolResult = (toolUseId: string, outcome: Outcome): ToolResultContent => {
  if (outcome.isFailure) return errorResult(toolUseId, toText(outcome.encodedResult))
  if (outcome.modelOutput !== undefined) {
    return validate({ type: "tool_result", toolUseId, content: outcome.modelOutput.map(Content.fromModelOutput) })
  }
  const result: ToolResultContent = {
    type: "tool_result",
    toolUseId,
    content: [{ type: "text", text: toText(outcome.encodedResult) }]
  }
  return isRecord(outcome.encodedResult) ? { ...result, structuredContent: outcome.encodedResult } : result
}

export const errorResult = (toolUseId: string, text: string): ToolResultContent => ({
  type: "tool_result",
  toolUseId,
  content: [{ type: "text", text }],
  isError: true
})

// Files may be no base64, which would make the whole next request invalid.
const validate = Schema.decodeUnknownSync(Content.ToolResultContent)

const toText = (encoded: unknown): string => typeof encoded === "string" ? encoded : JSON.stringify(encoded) ?? "null"

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)
