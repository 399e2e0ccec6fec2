import { ClientSampler, Sampler } from "@effect-sampling/core"
import { Feature } from "@effect-sampling/mcp-effect"
import { Context, Data, Effect, Layer, Schema } from "effect"
import { McpSchema, Tool, Toolkit } from "effect/ai"
import type { McpServer } from "effect/ai"
import { describe, expect, test } from "tstyche"

class Database extends Context.Service<Database, { readonly get: Effect.Effect<string> }>()("Database") {}
class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

const Tools = Toolkit.make(Tool.make("ping", { success: Schema.String }))

declare const ready: Toolkit.WithHandler<typeof Tools.tools>
declare const opening: Effect.Effect<typeof ready, Broken, Database>

describe("Feature", () => {
  test("Feature.toolkit has the type of McpServer.toolkit", () => {
    expect(Feature.toolkit(Tools)).type.toBe<ReturnType<typeof McpServer.toolkit<typeof Tools.tools>>>()
    expect(
      Feature.toolkit(Tools).pipe(Layer.provide(Tools.toLayer({ ping: () => Effect.succeed("pong") })))
    ).type.toBe<Layer.Layer<never, never, McpServer.McpServer>>()
  })

  test("Feature.toolkit requires only the server if the toolkit has its handlers, and keeps the errors of its effect", () => {
    expect(Feature.toolkit(ready)).type.toBe<Layer.Layer<never, never, McpServer.McpServer>>()
    expect(Feature.toolkit(opening)).type.toBe<
      Layer.Layer<never, Broken, Database | McpServer.McpServer>
    >()
  })

  test("Feature.toolkit leaves the dependencies of its tools to middleware", () => {
    const Query = Toolkit.make(Tool.make("query", { success: Schema.String, dependencies: [Database] }))
    expect(Feature.toolkit(Query)).type.toBe<ReturnType<typeof McpServer.toolkit<typeof Query.tools>>>()
  })

  test("Feature.prompt requires the services of its handler, and its Layer has no errors", () => {
    const feature = Feature.prompt(
      {
        name: "p",
        arguments: Schema.Struct({ topic: Schema.String, times: Schema.optionalKey(Schema.NumberFromString) })
      },
      (parameters) => {
        expect(parameters).type.toBe<{ readonly topic: string; readonly times?: number }>()
        return Effect.map(Sampler.sample(parameters.topic), (reply) => reply.text)
      }
    )
    expect(feature).type.toBe<Layer.Layer<never, never, McpServer.McpServer | Sampler.Sampler>>()
    expect(Layer.provide(feature, ClientSampler.layer)).type.toBe<Layer.Layer<never, never, McpServer.McpServer>>()
    expect(Feature.prompt({ name: "p" }, () => Effect.fail(new Broken({ message: "" })))).type.toBe<
      Layer.Layer<never, never, McpServer.McpServer>
    >()
  })

  test("Feature.prompt refuses arguments that are not strings when encoded", () => {
    expect(Feature.prompt).type.not.toBeCallableWith(
      { name: "p", arguments: Schema.Struct({ n: Schema.Number }) },
      () => Effect.succeed("x")
    )
  })

  test("Feature.resource requires the services of its handler, except for the request context", () => {
    expect(
      Feature.resource({ name: "r", uri: "file:///r" }, () =>
        Effect.andThen(
          McpSchema.McpRequestContext,
          Effect.flatMap(Database, ({ get }) => get)
        ))
    ).type.toBe<
      Layer.Layer<never, never, McpServer.McpServer | Database>
    >()
  })
})
