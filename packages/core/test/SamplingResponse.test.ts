import { SamplingError, SamplingResponse } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { McpSchema } from "effect/ai"
import { answer, image, response, text } from "./fixtures/domain.ts"

const decode = Schema.decodeUnknownResult(SamplingResponse.CreateMessageResult)

describe("SamplingResponse", () => {
  describe("CreateMessageResult", () => {
    it.prop("a sampling result encodes to itself, because the domain is the wire JSON", [
      SamplingResponse.CreateMessageResult
    ], ([result]) => {
      assert.deepStrictEqual(Schema.encodeSync(SamplingResponse.CreateMessageResult)(result), result)
      const wire: unknown = JSON.parse(JSON.stringify(result))
      assert.deepStrictEqual<unknown>(Schema.decodeUnknownSync(SamplingResponse.CreateMessageResult)(wire), wire)
    })

    it.each<[string, unknown]>([
      ["one block", answer],
      ["several blocks", { ...answer, content: [text("a"), image] }],
      ["no block", { ...answer, content: [] }],
      ["a vendor's stop reason", { ...answer, stopReason: "content_filter" }],
      ["no stop reason", { role: "assistant", content: text("a"), model: "m" }],
      ["_meta", { ...answer, _meta: { a: 1 } }]
    ])("a sampling result with %s is accepted, as by an independent MCP schema", (_, wire) => {
      assert.deepStrictEqual<unknown>(Result.getOrThrow(decode(wire)), wire)
      assert.isTrue(Result.isSuccess(Schema.decodeUnknownResult(McpSchema.CreateMessageResult)(wire)))
    })

    it.each<[string, unknown]>([
      ["null", null],
      ["a string", "hi"],
      ["an array", [answer]],
      ["no model", { role: "assistant", content: text("a") }],
      ["a model that is not a string", { ...answer, model: 4 }],
      ["a system role", { ...answer, role: "system" }],
      ["no content", { role: "assistant", model: "m" }],
      ["content as a string", { ...answer, content: "hi" }],
      ["a stop reason that is null", { ...answer, stopReason: null }],
      ["_meta as a list", { ...answer, _meta: [] }]
    ])("the sampling result schema refuses %s", (_, wire) => {
      assert.isTrue(Result.isFailure(decode(wire)))
    })
  })

  it("a sampling response survives JSON with its source, usage and passed-over errors", () => {
    const value = response({
      usage: { inputTokens: 3, outputTokens: 4 },
      passedOver: [
        new SamplingError.SamplingUnsupported({ missing: "sampling", message: "no" }),
        new SamplingError.ProviderError({
          provider: "openai",
          reason: "rateLimit",
          status: 429,
          retryAfterMillis: 1000,
          message: "slow down"
        })
      ]
    })
    const codec = Schema.fromJsonString(SamplingResponse.SamplingResponse)
    const back = Schema.decodeSync(codec)(Schema.encodeSync(codec)(value))
    assert.deepStrictEqual(back, value)
    assert.instanceOf(back.passedOver[1], SamplingError.ProviderError)
  })

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("the usage schema refuses %s tokens", (inputTokens) => {
    assert.isTrue(Result.isFailure(Schema.decodeUnknownResult(SamplingResponse.Usage)({ inputTokens })))
  })
})
