import {
  type Content,
  Sampler,
  SamplingError,
  type SamplingRequest,
  type SamplingResponse
} from "@effect-sampling/core"
import { Effect, type Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { describe, expect, it } from "tstyche"

declare const failing: Effect.Effect<void, SamplingError.SamplingError>

describe("SamplingError", () => {
  const Summarise = Tool.make("Summarise", {
    parameters: Schema.Struct({ text: Schema.String }),
    success: Schema.String,
    failure: SamplingError.SamplingError
  })
  const toolkit = Toolkit.make(Summarise)

  it("a SamplingError is accepted as the failure of a tool whose handler samples", () => {
    expect<Tool.Failure<typeof Summarise>>().type.toBe<SamplingError.SamplingError>()
    const handlers = toolkit.toLayer(
      Effect.map(Sampler.Sampler, (sampler) => ({
        Summarise: ({ text }: { readonly text: string }) => Effect.map(sampler.sample(text), (reply) => reply.text)
      }))
    )
    expect(handlers).type.toBe<Layer.Layer<Tool.Handler<"Summarise">, never, Sampler.Sampler>>()
  })

  it("a SamplingError is refused when the tool declares another failure", () => {
    const strict = Toolkit.make(Tool.make("Summarise", { success: Schema.String, failure: Schema.Never }))
    const toLayer = (handlers: Parameters<typeof strict.of>[0]) => strict.toLayer(handlers)
    expect(toLayer).type.toBeCallableWith({ Summarise: () => Effect.succeed("short") })
    expect(toLayer).type.not.toBeCallableWith({ Summarise: () => Effect.as(failing, "short") })
  })

  it("the tag of a SamplingError narrows its type", () => {
    const handled = Sampler.sample("hi").pipe(
      Effect.catchTag(["SamplingRejected", "SamplingUnsupported"], () => Effect.succeed(undefined))
    )
    expect(handled).type.toBe<
      Effect.Effect<
        Sampler.Sample | undefined,
        Exclude<SamplingError.SamplingError, { readonly _tag: "SamplingRejected" | "SamplingUnsupported" }>,
        Sampler.Sampler
      >
    >()
    expect<SamplingError.SamplingError["_tag"]>().type.toBe<
      | "SamplingUnsupported"
      | "SamplingRejected"
      | "SamplingTimeout"
      | "ConnectionLost"
      | "ClientError"
      | "InvalidRequest"
      | "InvalidResponse"
      | "ProviderError"
      | "TurnLimitExceeded"
      | "StructuredOutputError"
      | "RoundsExceeded"
    >()
  })
})

describe("the domain", () => {
  it("the domain types are the same for values and for the wire", () => {
    expect<typeof SamplingRequest.SamplingRequest.Encoded>().type.toBeAssignableTo<SamplingRequest.SamplingRequest>()
    expect<typeof SamplingRequest.SamplingRequest.Encoded>().type.toBeAssignableFrom<SamplingRequest.SamplingRequest>()
    expect<typeof SamplingResponse.CreateMessageResult.Encoded>().type.toBe<SamplingResponse.CreateMessageResult>()
    expect<typeof Content.Content.Encoded>().type.toBe<Content.Content>()
  })

  it("the domain schemas encode and decode without services", () => {
    expect(Schema.decodeUnknownEffect(SamplingError.SamplingError)(null)).type.toBe<
      Effect.Effect<SamplingError.SamplingError, Schema.SchemaError>
    >()
  })
})
