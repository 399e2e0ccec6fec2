import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Tool } from "effect/ai"

const tool = Tool.make("summarise", { success: Schema.String })

const hints = (annotated: Tool.Any) => {
  const { destructiveHint, readOnlyHint } = ToolResult.definition(annotated).annotations
  return { destructiveHint, readOnlyHint }
}

describe("Annotations of tools", () => {
  it("a tool that only reads is not listed as destructive, although that is Effect's default", () => {
    assert.deepStrictEqual(hints(tool), { destructiveHint: true, readOnlyHint: false })
    assert.deepStrictEqual(hints(tool.annotate(Tool.Readonly, true)), { destructiveHint: false, readOnlyHint: true })
    assert.deepStrictEqual(
      hints(tool.annotate(Tool.Destructive, false)),
      { destructiveHint: false, readOnlyHint: false }
    )
  })
})
