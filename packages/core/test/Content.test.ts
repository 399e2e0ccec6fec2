import { Content } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { McpSchema } from "effect/ai"
import { audio, image, text, toolResult, toolUse } from "./fixtures/domain.ts"

const decode = Schema.decodeUnknownResult(Content.Content)
const roundTrip = (wire: unknown) => Schema.encodeSync(Content.Content)(Schema.decodeUnknownSync(Content.Content)(wire))

const full = {
  text: { ...text("hi"), annotations: { audience: ["user"] }, _meta: { a: 1 } },
  image: { ...image, annotations: { priority: 1 }, _meta: {} },
  audio: { ...audio, _meta: { a: null } },
  toolUse: { ...toolUse("1"), _meta: { a: [1] } },
  toolResult: {
    type: "tool_result",
    toolUseId: "1",
    content: [
      text("hi"),
      image,
      audio,
      {
        type: "resource_link",
        uri: "file:///a",
        name: "a",
        title: "A",
        description: "d",
        mimeType: "text/plain",
        size: 3,
        icons: [{ src: "https://example.com/a.png", sizes: ["48x48"] }],
        annotations: { priority: 0.5 },
        _meta: { a: 1 }
      },
      { type: "resource", resource: { uri: "file:///a", mimeType: "text/plain", text: "a", _meta: { a: 1 } } },
      { type: "resource", resource: { uri: "file:///b", blob: "AAAA", _meta: { a: 1 } }, annotations: {}, _meta: {} }
    ],
    structuredContent: { celsius: 21 },
    isError: false,
    _meta: { a: 1 }
  }
}

describe("Content", () => {
  it.each(Object.entries(full))("a content block keeps every field that MCP defines for %s", (_, wire) => {
    assert.deepStrictEqual<unknown>(roundTrip(wire), wire)
  })

  it.prop("a content block encodes to itself, because the domain is the wire JSON", [Content.Content], ([content]) => {
    assert.deepStrictEqual(Schema.encodeSync(Content.Content)(content), content)
    const wire: unknown = JSON.parse(JSON.stringify(content))
    assert.deepStrictEqual<unknown>(roundTrip(wire), wire)
  })

  it.prop(
    "content blocks of an independent MCP schema decode without loss",
    [McpSchema.SamplingMessageContentBlock],
    ([block]) => {
      const wire: unknown = JSON.parse(JSON.stringify(encodeMcp(block)))
      // Only revision 2026-07-28 allows structured content that is not an object.
      if (hasOtherStructuredContent(wire)) return
      assert.deepStrictEqual<unknown>(roundTrip(wire), wire)
    }
  )

  it("a content block drops unknown fields", () => {
    assert.deepStrictEqual<unknown>(roundTrip({ ...text("hi"), extra: 1 }), text("hi"))
  })

  it("a tool input keeps a key named __proto__ as data", () => {
    const wire: unknown = JSON.parse(`{"type":"tool_use","id":"1","name":"n","input":{"__proto__":{"admin":true}}}`)
    const block = Schema.decodeUnknownSync(Content.ToolUseContent)(wire)
    assert.strictEqual(block.input["admin"], undefined)
    assert.deepStrictEqual(Object.keys(block.input), ["__proto__"])
  })

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a string", "hi"],
    ["an array", [text("hi")]],
    ["no type", { text: "hi" }],
    ["an unknown type", { type: "video", data: "AAAA" }],
    ["text that is not a string", { type: "text", text: 1 }],
    ["text without text", { type: "text" }],
    ["an image that is not base64", { ...image, data: "not base64!" }],
    ["an image with a data URL", { ...image, data: "data:image/png;base64,AAAA" }],
    ["an image without mimeType", { type: "image", data: "AAAA" }],
    ["audio that is not base64", { ...audio, data: "A" }],
    ["a tool_use without id", { type: "tool_use", name: "n", input: {} }],
    ["a tool_use whose input is an array", { ...toolUse("1"), input: [] }],
    ["a tool_use whose input is text", { ...toolUse("1"), input: "{}" }],
    ["a tool_result without toolUseId", { type: "tool_result", content: [] }],
    ["a tool_result whose content is one block", { ...toolResult("1"), content: text("hi") }],
    ["a tool_result that holds a tool_use", { ...toolResult("1"), content: [toolUse("2")] }],
    ["a tool_result with isError as text", { ...toolResult("1"), isError: "no" }],
    ["a resource with neither text nor blob", {
      ...toolResult("1"),
      content: [{ type: "resource", resource: { uri: "a" } }]
    }],
    ["_meta that is not an object", { ...text("hi"), _meta: [] }],
    ["annotations that are not an object", { ...text("hi"), annotations: "x" }]
  ])("the content schema refuses %s", (_, wire) => {
    assert.isTrue(Result.isFailure(decode(wire)))
  })

  it("an image of 10 MB of base64 decodes without overflowing the stack", () => {
    assert.isTrue(Result.isSuccess(decode({ ...image, data: "A".repeat(10_000_000) })))
  })

  describe("blocks", () => {
    it("Content.blocks returns an array for one block, and the array itself for several", () => {
      const several = [text("a"), image]
      assert.deepStrictEqual(Content.blocks(text("a")), [text("a")])
      assert.strictEqual(Content.blocks(several), several)
      assert.deepStrictEqual(Content.blocks([]), [])
    })
  })

  describe("text", () => {
    it("Content.text joins the text blocks without a separator, and skips the others", () => {
      assert.strictEqual(Content.text([text("a"), image, text("b"), toolUse("1")]), "ab")
      assert.strictEqual(Content.text(text("a")), "a")
      assert.strictEqual(Content.text(image), "")
      assert.strictEqual(Content.text([]), "")
    })

    it.effect.prop(
      "Content.text of several blocks is the concatenation of the text of each",
      [Schema.Array(Content.Content)],
      ([blocks]) =>
        Effect.sync(() => {
          assert.strictEqual(Content.text(blocks), blocks.map((block) => Content.text(block)).join(""))
        })
    )
  })
})

const encodeMcp = Schema.encodeUnknownSync(Schema.toCodecJson(McpSchema.SamplingMessageContentBlock))

const hasOtherStructuredContent = (wire: unknown): boolean =>
  typeof wire === "object" && wire !== null && "structuredContent" in wire &&
  (typeof wire.structuredContent !== "object" || wire.structuredContent === null ||
    Array.isArray(wire.structuredContent))
