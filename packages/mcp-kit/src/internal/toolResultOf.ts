import * as Result from "effect/Result"

/** Why the value that a tool returned is not a result: a text for the host, and one for the log of the server. */
interface Refusal {
  readonly problem: string
  readonly advice: string
}

/**
 * Turns what a tool returned into the result of its call. Fails if a tool may not return it. The value of a tool with an
 * output schema is its structured content, unless it is a whole result.
 *
 * Source: MCP 2025-11-25, tools, "Structured Content": the same JSON is repeated as text, for older clients.
 */
export const toolResultOf = (value: unknown, hasOutputSchema: boolean): Result.Result<object, Refusal> => {
  if (isResult(value)) return Result.succeed(value)
  // The SDK reports that the structured content is missing.
  if (value === undefined || value === null) return Result.succeed({ content: [] })
  if (hasOutputSchema) {
    return Result.succeed({ content: [{ type: "text", text: JSON.stringify(value) }], structuredContent: value })
  }
  if (typeof value === "string") return Result.succeed({ content: [{ type: "text", text: value }] })
  const blocks: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
  const stranger = blocks.find((block) => !isBlock(block))
  return stranger === undefined
    ? Result.succeed({ content: blocks.map(toAllowed) })
    : Result.fail(refusal(Array.isArray(value) ? `an array with ${kindOf(stranger)}` : kindOf(stranger)))
}

const refusal = (kind: string): Refusal => ({
  problem: `The tool returned ${kind}, which is not a valid result.`,
  advice:
    "Return a string, a content block, an array of content blocks, a result with \"content\", or nothing. A tool " +
    "with an outputSchema returns a value of it, or a result."
})

interface Block {
  readonly type: string
}

const blockTypes = new Set(["text", "image", "audio", "resource_link", "resource", "tool_use", "tool_result"])

const isBlock = (u: unknown): u is Block =>
  typeof u === "object" && u !== null && "type" in u && typeof u.type === "string" && blockTypes.has(u.type)

const isResult = (u: unknown): u is object =>
  typeof u === "object" && u !== null && "content" in u && Array.isArray(u.content) && u.content.every(isBlock)

/** A tool's result cannot hold the calls of tools, so they become texts, as with `Content.toModelOutput`. */
const toAllowed = (block: unknown): unknown =>
  isBlock(block) && (block.type === "tool_use" || block.type === "tool_result")
    ? { type: "text", text: JSON.stringify(block) }
    : block

const kindOf = (value: unknown): string => {
  if (typeof value !== "object") return value === undefined ? "undefined" : `a ${typeof value}`
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  const names = Object.keys(value).slice(0, 3).map((name) => JSON.stringify(name))
  return names.length === 0 ? "an empty object" : `an object with ${names.join(", ")}`
}
