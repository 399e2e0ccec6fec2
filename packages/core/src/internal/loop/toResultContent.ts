import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Content from "../../Content.ts"
import type { ToolResultContent } from "../../Content.ts"
import type { ToolOutcome } from "../../ToolDispatch.ts"
import { fromModelOutput } from "../effect-ai/fromModelOutput.ts"
import { isRecord } from "../objects/jsonSchema.ts"
import { visible } from "../quote.ts"
import { wellFormed } from "../wellFormed.ts"

/**
 * Converts the outcome of a call to the result that the model receives: the tool's content blocks if it returns any,
 * JSON otherwise.
 */
export const toToolResult = (toolUseId: string, outcome: ToolOutcome): Effect.Effect<ToolResultContent> =>
  Effect.suspend(() => {
    if (outcome.isFailure) return Effect.succeed(errorResult(toolUseId, toText(outcome.encodedResult)))
    if (outcome.modelOutput !== undefined) {
      // The data of a file may not be valid base64, which would make the whole next request invalid.
      const content = outcome.modelOutput.map(fromModelOutput)
      return Effect.orDie(validate({ type: "tool_result", toolUseId, content }))
    }
    const text = toText(wellFormed(outcome.encodedResult))
    const result: ToolResultContent = { type: "tool_result", toolUseId, content: [{ type: "text", text }] }
    // A schema such as Schema.Unknown lets values through that are not JSON, for example dates.
    const json: unknown = isRecord(outcome.encodedResult) ? JSON.parse(text) : undefined
    return Effect.succeed(isRecord(json) ? { ...result, structuredContent: json } : result)
  })

const validate = Schema.decodeEffect(Content.ToolResultContent)

export const errorResult = (toolUseId: string, text: string): ToolResultContent => ({
  type: "tool_result",
  toolUseId,
  content: [{ type: "text", text: visible(text) }],
  isError: true
})

const toText = (encoded: unknown): string => typeof encoded === "string" ? encoded : JSON.stringify(encoded) ?? "null"
