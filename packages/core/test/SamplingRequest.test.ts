import { SamplingRequest } from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { McpSchema } from "effect/ai"
import { hello, tool } from "./fixtures/domain.ts"

const decode = Schema.decodeUnknownResult(SamplingRequest.SamplingRequest)

const full = {
  ...hello,
  modelPreferences: {
    hints: [{ name: "claude" }, {}],
    costPriority: 0,
    speedPriority: 0.5,
    intelligencePriority: 1
  },
  systemPrompt: "Be brief.",
  includeContext: "thisServer",
  temperature: 0.7,
  stopSequences: ["END"],
  metadata: { user: "u1", nested: { a: [1, null] } },
  tools: [{
    ...tool,
    title: "Weather",
    description: "Tells the weather",
    icons: [{ src: "https://example.com/a.png" }],
    execution: { taskSupport: "forbidden" },
    outputSchema: { type: "object" },
    annotations: { readOnlyHint: true },
    _meta: { a: 1 }
  }],
  toolChoice: { mode: "required" },
  _meta: { progressToken: 1 }
}

// requirement: sampling/max-tokens
describe("SamplingRequest", () => {
  it("a sampling request keeps every field that MCP defines", () => {
    assert.deepStrictEqual<unknown>(Result.getOrThrow(decode(full)), full)
  })

  it("an independent MCP schema accepts a sampling request with every field", () => {
    assert.isTrue(Result.isSuccess(Schema.decodeUnknownResult(McpSchema.CreateMessage.payloadSchema)(full)))
  })

  it.prop("a sampling request encodes to itself, because the domain is the wire JSON", [
    SamplingRequest.SamplingRequest
  ], ([request]) => {
    assert.deepStrictEqual(Schema.encodeSync(SamplingRequest.SamplingRequest)(request), request)
    const wire: unknown = JSON.parse(JSON.stringify(request))
    assert.deepStrictEqual<unknown>(Schema.decodeUnknownSync(SamplingRequest.SamplingRequest)(wire), wire)
  })

  it("a sampling request drops unknown fields", () => {
    assert.deepStrictEqual<unknown>(Result.getOrThrow(decode({ ...hello, task: { ttl: 1 } })), hello)
  })

  it("a sampling request may have a tool choice without a mode", () => {
    assert.isTrue(Result.isSuccess(decode({ ...hello, tools: [tool], toolChoice: {} })))
  })
})
