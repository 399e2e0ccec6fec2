import { SamplingMessage } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { image, text } from "./fixtures/domain.ts"

const decode = Schema.decodeUnknownResult(SamplingMessage.SamplingMessage)

describe("SamplingMessage", () => {
  it("SamplingMessage.user accepts a string, a block or several blocks", () => {
    assert.deepStrictEqual(SamplingMessage.user("hi"), { role: "user", content: text("hi") })
    assert.deepStrictEqual(SamplingMessage.user(image), { role: "user", content: image })
    assert.deepStrictEqual(SamplingMessage.user([text("hi"), image]), { role: "user", content: [text("hi"), image] })
  })

  it("SamplingMessage.assistant accepts a string, a block or several blocks", () => {
    assert.deepStrictEqual(SamplingMessage.assistant("hi"), { role: "assistant", content: text("hi") })
    assert.deepStrictEqual(SamplingMessage.assistant([image]), { role: "assistant", content: [image] })
  })

  it.prop("a sampling message encodes to itself, because the domain is the wire JSON", [
    SamplingMessage.SamplingMessage
  ], ([message]) => {
    assert.deepStrictEqual(Schema.encodeSync(SamplingMessage.SamplingMessage)(message), message)
    const wire: unknown = JSON.parse(JSON.stringify(message))
    assert.deepStrictEqual<unknown>(Schema.decodeUnknownSync(SamplingMessage.SamplingMessage)(wire), wire)
  })

  it("a sampling message keeps _meta, and drops unknown fields", () => {
    const wire = { role: "user", content: [text("hi")], _meta: { a: 1 } }
    assert.deepStrictEqual<unknown>(Result.getOrThrow(decode({ ...wire, extra: true })), wire)
  })

  it.each<[string, unknown]>([
    ["a string", "hi"],
    ["a system role", { role: "system", content: text("hi") }],
    ["no role", { content: text("hi") }],
    ["no content", { role: "user" }],
    ["content as a string", { role: "user", content: "hi" }],
    ["no block at all", { role: "user", content: [] }],
    ["an array with a wrong block", { role: "user", content: [text("hi"), "there"] }],
    ["nested arrays", { role: "user", content: [[text("hi")]] }]
  ])("the sampling message schema refuses %s", (_, wire) => {
    assert.isTrue(Result.isFailure(decode(wire)))
  })
})
