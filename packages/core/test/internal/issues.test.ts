import { SamplingRequest } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { formatIssue } from "../../src/internal/issues.ts"
import { validateRequest } from "../../src/internal/request/validateRequest.ts"
import { hello, text } from "../fixtures/domain.ts"

const format = (schema: Schema.ConstraintDecoder<unknown>, value: unknown): string => {
  const decoded = Schema.decodeUnknownResult(schema, { errors: "all" })(value)
  return Result.isFailure(decoded) ? formatIssue(decoded.failure.issue) : ""
}

describe("formatIssue", () => {
  it("formatIssue writes places as property accesses", () => {
    assert.strictEqual(
      format(SamplingRequest.SamplingRequest, { messages: [{ role: "user", content: [text("a"), { type: "text" }] }] }),
      "messages[0].content[1].text: Missing key; maxTokens: Missing key"
    )
  })

  it("formatIssue omits the place when the whole value is wrong", () => {
    assert.strictEqual(format(SamplingRequest.SamplingRequest, "hi"), "Expected object")
  })

  it("formatIssue shows eight problems, and counts the others", () => {
    const message = format(Schema.Array(Schema.String), Array.from({ length: 1000 }, (_, index) => index))
    assert.match(message, /^\[0\]: Expected string; .*\[7\]: Expected string; and 992 more$/)
  })

  it("formatIssue truncates long places", () => {
    const message = format(Schema.Record(Schema.String, Schema.String), { ["k".repeat(1_000_000)]: 1 })
    assert.isBelow(message.length, 300)
  })

  it("formatIssue lists the types of a content block", () => {
    const message = format(SamplingRequest.SamplingRequest, { ...hello, messages: [{ role: "user", content: "hi" }] })
    assert.strictEqual(
      message,
      "messages[0].content: Expected a content block (text, image, audio, tool_use or tool_result) or an array of them"
    )
  })

  it.prop("formatIssue is bounded and holds no rejected value for arbitrary JSON", [Schema.Json], ([value]) => {
    const marked = mark(value)
    const message = format(SamplingRequest.SamplingRequest, { messages: [marked], maxTokens: marked })
    assert.isBelow(message.length, 2000)
    assert.notInclude(message, "SECRET")
  })
})

describe("validateRequest", () => {
  it.prop("validateRequest never throws on arbitrary JSON, and its message is bounded", [Schema.Json], ([value]) => {
    for (const request of [value, { messages: value, maxTokens: value }, { ...hello, messages: [value] }]) {
      const result = validateRequest(request)
      if (Result.isFailure(result)) assert.isBelow(result.failure.message.length, 2000)
    }
  })

  it.prop(
    "validateRequest returns a request unchanged, or refuses it",
    [SamplingRequest.SamplingRequest],
    ([request]) => {
      const result = validateRequest(request)
      // Lone surrogates are replaced, and empty texts left out. JSON writes both so that the text shows which requests
      // hold one.
      if (Result.isSuccess(result) && !/\\ud|"text":"(?:\s|\\[nrtfu])*(?:000b)?"/.test(JSON.stringify(request))) {
        assert.deepStrictEqual(result.success, request)
      }
    }
  )
})

/** Returns a value of the same shape, with every string replaced. */
const mark = (value: Schema.Json): unknown =>
  typeof value === "string"
    ? "SECRET"
    : Array.isArray(value)
    ? value.map(mark)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mark(inner)]))
    : value
