import { Sampler, type SamplingError, type ToolLoop } from "@effect-sampling/core"
import { Context, Data, Effect, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { describe, expect, it } from "tstyche"

class Strict extends Schema.TaggedError<Strict>("test/Strict")("Strict", {}) {}
class Lenient extends Schema.TaggedError<Lenient>("test/Lenient")("Lenient", {}) {}
class Stopped extends Data.TaggedError("Stopped")<{}> {}
class Tenant extends Context.Service<Tenant, string>()("test/Tenant") {}
class Log extends Context.Service<Log, {}>()("test/Log") {}

const strict = Tool.make("strict", { success: Schema.String, failure: Strict })
const lenient = Tool.make("lenient", { success: Schema.String, failure: Lenient, failureMode: "return" })
const scoped = Tool.make("scoped", { success: Schema.String, dependencies: [Tenant] })

const Plain = Toolkit.make(Tool.make("plain", { success: Schema.String }))
const All = Toolkit.make(strict, lenient, scoped)

type PlainHandlers = Tool.Handler<"plain">
type AllHandlers = Tool.Handler<"strict"> | Tool.Handler<"lenient"> | Tool.Handler<"scoped">

declare const ready: Toolkit.WithHandler<typeof All.tools>
declare const opening: Effect.Effect<typeof ready, Stopped, Log>
declare const schema: Schema.Codec<number, string, Tenant, Log>
declare const sampler: Sampler.Sampler["Service"]

const City = Schema.Struct({ city: Schema.String, since: Schema.DateFromString })

describe("sample with a toolkit", () => {
  it("`sample` with a toolkit requires the handlers, and fails with a SamplingError", () => {
    expect(sampler.sample("hi", { toolkit: Plain })).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError, PlainHandlers>
    >()
    expect(Sampler.sample("hi", { toolkit: Plain })).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError, Sampler.Sampler | PlainHandlers>
    >()
  })

  it("`sample` with a toolkit has declared failures in the mode error only, and requires dependencies", () => {
    expect(sampler.sample("hi", { toolkit: All })).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError | Strict, AllHandlers | Tenant>
    >()
    expect<ToolLoop.Failure<typeof All.tools>>().type.toBe<Strict>()
  })

  it("`sample` adds the errors and requirements of onTurn", () => {
    const onTurn = () => Effect.as(Effect.andThen(Log, Effect.fail(new Stopped())), "stop" as const)
    expect(sampler.sample("hi", { toolkit: Plain, onTurn })).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError | Stopped, PlainHandlers | Log>
    >()
  })

  it("`sample` with a toolkit that has its handlers requires only what its tools depend on", () => {
    expect(sampler.sample("hi", { toolkit: ready })).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError | Strict, Tenant>
    >()
    expect(sampler.sample("hi", { toolkit: opening })).type.toBe<
      Effect.Effect<Sampler.Sample, SamplingError.SamplingError | Strict | Stopped, Tenant | Log>
    >()
  })

  it("the tool choice of `sample` accepts only the names of its tools", () => {
    expect(sampler.sample).type.toBeCallableWith("hi", { toolkit: All, toolChoice: { tool: "strict" } })
    expect(sampler.sample).type.not.toBeCallableWith("hi", { toolkit: All, toolChoice: { tool: "other" } })
    expect(sampler.sample).type.not.toBeCallableWith("hi", { toolkit: All, toolChoice: "any" })
    expect(sampler.sample).type.not.toBeCallableWith("hi", { maxTurns: 3 })
    expect(sampler.sample).type.not.toBeCallableWith("hi", { toolkit: All, onTurn: () => Effect.succeed("end") })
  })
})

describe("step", () => {
  it("`step` has the errors and requirements of `sample`", () => {
    expect(sampler.step("hi", { toolkit: All, execute: false })).type.toBe<
      Effect.Effect<Sampler.Step, SamplingError.SamplingError | Strict, AllHandlers | Tenant>
    >()
    expect(sampler.step("hi", { toolkit: ready })).type.toBe<
      Effect.Effect<Sampler.Step, SamplingError.SamplingError | Strict, Tenant>
    >()
    expect(Sampler.step("hi", { toolkit: Plain })).type.toBe<
      Effect.Effect<Sampler.Step, SamplingError.SamplingError, Sampler.Sampler | PlainHandlers>
    >()
  })

  it("`step` refuses limits and hooks", () => {
    expect(sampler.step).type.not.toBeCallableWith("hi", { toolkit: Plain, maxTurns: 3 })
    expect(sampler.step).type.not.toBeCallableWith("hi", {})
  })
})

describe("sampleObject", () => {
  it("`sampleObject` returns the decoded type", () => {
    expect(sampler.sampleObject(City, "hi")).type.toBe<
      Effect.Effect<Sampler.SampledObject<{ readonly city: string; readonly since: Date }>, SamplingError.SamplingError>
    >()
    expect(Sampler.sampleObject(City, "hi", { maxRepairs: 1, objectName: "city" })).type.toBe<
      Effect.Effect<
        Sampler.SampledObject<{ readonly city: string; readonly since: Date }>,
        SamplingError.SamplingError,
        Sampler.Sampler
      >
    >()
  })

  it("`sampleObject` requires the decoding services", () => {
    expect(sampler.sampleObject(schema, "hi")).type.toBe<
      Effect.Effect<Sampler.SampledObject<number>, SamplingError.SamplingError, Tenant>
    >()
  })

  it("`sampleObject` accepts tools, with their errors and requirements", () => {
    expect(sampler.sampleObject(Schema.Int, "hi", { toolkit: All, maxTurns: 3 })).type.toBe<
      Effect.Effect<Sampler.SampledObject<number>, SamplingError.SamplingError | Strict, AllHandlers | Tenant>
    >()
    expect(sampler.sampleObject(Schema.Int, "hi", { toolkit: ready })).type.toBe<
      Effect.Effect<Sampler.SampledObject<number>, SamplingError.SamplingError | Strict, Tenant>
    >()
    expect(Sampler.sampleObject(Schema.Int, "hi", { toolkit: Plain })).type.toBe<
      Effect.Effect<Sampler.SampledObject<number>, SamplingError.SamplingError, Sampler.Sampler | PlainHandlers>
    >()
    expect(sampler.sampleObject).type.not.toBeCallableWith(Schema.Int, "hi", { toolkit: Plain, toolChoice: "none" })
    expect(sampler.sampleObject).type.not.toBeCallableWith(Schema.Int, "hi", { maxTurns: 3 })
  })
})
