/// <reference types="node" />
import { ClientSampler, Sampler } from "@effect-sampling/core"
import {
  AsyncHandler,
  Feature,
  Handler,
  SamplingClient,
  StdioServer,
  StreamableHttpServer
} from "@effect-sampling/mcp-sdk"
import type { Client } from "@modelcontextprotocol/sdk/client/index.js"
import type {
  McpServer,
  RegisteredPrompt,
  RegisteredResource,
  RegisteredResourceTemplate,
  RegisteredTool,
  ResourceTemplate
} from "@modelcontextprotocol/sdk/server/mcp.js"
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js"
import type {
  CallToolResult,
  GetPromptResult,
  ServerNotification,
  ServerRequest
} from "@modelcontextprotocol/sdk/types.js"
import { Context, Data, Effect, Schema } from "effect"
import type { Layer } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { describe, expect, test } from "tstyche"
import { z } from "zod"

class Database extends Context.Service<Database, { readonly get: Effect.Effect<string> }>()("Database") {}
class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

const Ping = Tool.make("ping", { success: Schema.String })
const Tools = Toolkit.make(Ping)

declare const ready: Toolkit.WithHandler<typeof Tools.tools>
declare const opening: Effect.Effect<typeof ready, Broken, Database>
declare const server: McpServer
declare const client: Client
declare const template: ResourceTemplate
declare const asyncHandlers: AsyncHandler.AsyncHandlers
declare const sampling: AsyncHandler.SamplingContext
declare const needing: Layer.Layer<Sampler.Sampler, never, Database>
type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>
declare const broken: Effect.Effect<Feature.Feature, Broken, Database>

describe("Feature", () => {
  test("toolkit asks for the handlers of its tools, and never fails", () => {
    expect(Feature.toolkit(Tools)).type.toBe<
      Effect.Effect<Feature.Feature, never, Tool.HandlersFor<typeof Tools.tools>>
    >()
    expect(
      Feature.toolkit(Tools).pipe(Effect.provide(Tools.toLayer({ ping: () => Effect.succeed("pong") })))
    ).type.toBe<Effect.Effect<Feature.Feature>>()
  })

  test("toolkit asks for nothing if the toolkit has its handlers, and keeps the errors of the effect that returns it", () => {
    expect(Feature.toolkit(ready)).type.toBe<Effect.Effect<Feature.Feature>>()
    expect(Feature.toolkit(opening)).type.toBe<
      Effect.Effect<Feature.Feature, Broken, Database>
    >()
  })

  test("tool asks for what its handler asks for, and takes errors of sampling that the tool does not declare", () => {
    const Summarise = Tool.make("summarise", {
      parameters: Schema.Struct({ text: Schema.String }),
      success: Schema.String
    })
    const feature = Feature.tool(Summarise, (parameters) => {
      expect(parameters).type.toBe<{ readonly text: string }>()
      return Effect.map(Sampler.sample(parameters.text), (reply) => reply.text)
    })
    expect(feature).type.toBe<Effect.Effect<Feature.Feature, never, Sampler.Sampler>>()
    expect(Feature.tool).type.not.toBeCallableWith(Summarise, () => Effect.fail(new Broken({ message: "" })))
    expect(Feature.tool).type.not.toBeCallableWith(Summarise, () => Effect.succeed(1))
  })

  test("a server has the errors and requirements of all its features", () => {
    const Sampling = Feature.prompt({ name: "p" }, () => Effect.map(Sampler.sample("x"), (reply) => reply.text))
    type Requirements = Tool.HandlersFor<typeof Tools.tools> | Sampler.Sampler | Database
    expect(StdioServer.serve({ name: "s", version: "1.0.0", features: [Feature.toolkit(Tools), Sampling, broken] }))
      .type
      .toBe<Effect.Effect<void, Broken, Requirements>>()
    expect(
      StreamableHttpServer.layer({ name: "s", version: "1.0.0", features: [Feature.toolkit(Tools), Sampling, broken] })
    ).type.toBe<Layer.Layer<StreamableHttpServer.Address, Broken | StreamableHttpServer.ListenError, Requirements>>()
    expect(StdioServer.serve({ name: "s", version: "1.0.0", features: [] })).type.toBe<Effect.Effect<void>>()
  })

  test("toolkit asks for the services that its tools depend on when they run", () => {
    const Query = Tool.make("query", { success: Schema.String }).addDependency(Database)
    const feature = Feature.toolkit(Toolkit.make(Query))
    expect<Database extends Effect.Services<typeof feature> ? true : false>().type.toBe<true>()
  })

  test("prompt asks for what its handler asks for, and turns its errors into protocol errors", () => {
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
    expect(feature).type.toBe<Effect.Effect<Feature.Feature, never, Sampler.Sampler>>()
    expect(Feature.prompt({ name: "p" }, () => Effect.fail(new Broken({ message: "" })))).type.toBe<
      Effect.Effect<Feature.Feature>
    >()
  })

  test("the arguments of a prompt are strings on the wire", () => {
    expect(Feature.prompt).type.not.toBeCallableWith(
      { name: "p", arguments: Schema.Struct({ n: Schema.Number }) },
      () => Effect.succeed("x")
    )
  })

  test("resource asks for what its handler asks for", () => {
    expect(Feature.resource({ name: "r", uri: "file:///r" }, () => Effect.flatMap(Database, ({ get }) => get))).type
      .toBe<
        Effect.Effect<Feature.Feature, never, Database>
      >()
  })

  test("register keeps the channels of the feature", () => {
    expect(Feature.register(server, broken)).type.toBe<Effect.Effect<void, Broken, Database>>()
  })
})

describe("Handler", () => {
  test("tool takes the SDK's arguments and gives its callback", () => {
    const tool = Handler.tool(
      server,
      ({ topic }: { readonly topic: string }) => Effect.map(Sampler.sample(topic), (reply) => reply.text)
    )
    expect<Effect.Services<typeof tool>>().type.toBe<Sampler.Sampler>()
    expect<Effect.Error<typeof tool>>().type.toBe<never>()
    expect<Effect.Success<typeof tool>>().type.toBeAssignableTo<
      (parameters: { readonly topic: string }, extra: never) => Promise<CallToolResult>
    >()
  })

  test("prompt fits registerPrompt with and without arguments", () => {
    const without = Handler.prompt(server, () => Effect.succeed<GetPromptResult>({ messages: [] }))
    expect<Effect.Success<typeof without>>().type.toBeAssignableTo<Parameters<typeof server.registerPrompt>[2]>()
    const failing = Handler.prompt(server, () => Effect.fail(new Broken({ message: "" })))
    expect<Effect.Error<typeof failing>>().type.toBe<never>()
  })

  test("resource asks for what its function asks for", () => {
    const resource = Handler.resource(
      server,
      (uri: URL) => Effect.map(Database, () => ({ contents: [{ uri: uri.href, text: "" }] }))
    )
    expect<Effect.Services<typeof resource>>().type.toBe<Database>()
  })
})

describe("Servers", () => {
  const options = { name: "s", version: "1", features: [broken] }

  test("StdioServer keeps the channels of its features", () => {
    expect(StdioServer.serve(options)).type.toBe<Effect.Effect<void, Broken, Database>>()
    expect(StdioServer.layer(options)).type.toBe<Layer.Layer<never, Broken, Database>>()
    expect(StdioServer.serve({ ...options, features: [] })).type.toBe<Effect.Effect<void>>()
  })

  test("StreamableHttpServer gives its address, and may fail to listen", () => {
    expect(StreamableHttpServer.layer(options)).type.toBe<
      Layer.Layer<StreamableHttpServer.Address, Broken | StreamableHttpServer.ListenError, Database>
    >()
  })
})

describe("SamplingClient", () => {
  test("serve asks for a sampler, and for what the context asks for", () => {
    expect(SamplingClient.serve(client)).type.toBe<Effect.Effect<void, never, Sampler.Sampler>>()
    expect(SamplingClient.serve(client, { context: () => Effect.flatMap(Database, ({ get }) => get) })).type.toBe<
      Effect.Effect<void, never, Sampler.Sampler | Database>
    >()
    expect(SamplingClient.serve(client).pipe(Effect.provide(ClientSampler.layer))).type.toBe<Effect.Effect<void>>()
  })
})

describe("Registrations", () => {
  test("Handler.registerTool infers the arguments, keeps the requirements, and returns what the SDK returns", () => {
    const registered = Handler.registerTool(server, "t", {
      inputSchema: { topic: z.string(), times: z.number().optional() }
    }, (input) => {
      expect(input).type.toBe<{ topic: string; times: number | undefined }>()
      return Effect.map(Sampler.sample(input.topic), (reply) => reply.text)
    })
    expect(registered).type.toBe<Effect.Effect<RegisteredTool, never, Sampler.Sampler>>()
    expect(Handler.registerTool(server, "t", {}, (input) => {
      expect(input).type.toBe<{}>()
      return Effect.fail(new Broken({ message: "" }))
    })).type.toBe<Effect.Effect<RegisteredTool>>()
    expect(Handler.registerTool).type.not.toBeCallableWith(server, "t", {}, () => Effect.succeed(1))
  })

  test("Handler.registerPrompt and registerResource infer their input", () => {
    expect(Handler.registerPrompt(server, "p", { argsSchema: { topic: z.string() } }, ({ topic }) => {
      expect(topic).type.toBe<string>()
      return Effect.succeed(topic)
    })).type.toBe<Effect.Effect<RegisteredPrompt>>()
    expect(Handler.registerResource(server, "r", "file:///r", {}, ({ uri }) => {
      expect(uri).type.toBe<URL>()
      return Effect.flatMap(Database, ({ get }) => get)
    })).type.toBe<Effect.Effect<RegisteredResource, never, Database>>()
    expect(
      Handler.registerResource(server, "r", template, {}, ({ variables }) => Effect.succeed(String(variables["x"])))
    ).type.toBe<Effect.Effect<RegisteredResourceTemplate>>()
  })

  test("an async handler has inferred arguments, and promises of what it samples", () => {
    expect(
      asyncHandlers.registerTool(
        server,
        "t",
        { inputSchema: { topic: z.string(), times: z.number().optional() } },
        async (input, sampling, request) => {
          expect(input).type.toBe<{ topic: string; times: number | undefined }>()
          expect(sampling.sample(input.topic)).type.toBe<Promise<Sampler.Sample>>()
          expect(sampling.sampleObject(z.object({ age: z.string().transform(Number) }), "x")).type.toBe<
            Promise<Sampler.SampledObject<{ age: number }>>
          >()
          expect(sampling.sampleObject(Schema.Struct({ at: Schema.DateFromString }), "x")).type.toBe<
            Promise<Sampler.SampledObject<{ readonly at: Date }>>
          >()
          expect(sampling.elicit(z.object({ name: z.string() }), "Name?")).type.toBe<Promise<{ name: string }>>()
          expect(sampling.once("pay", async () => 42)).type.toBe<Promise<number>>()
          expect(sampling.signal).type.toBe<AbortSignal>()
          expect(request).type.toBe<Extra>()
          return "text"
        }
      )
    ).type.toBe<RegisteredTool>()
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", {}, async () => 1)
  })

  test("sampleObject takes a toolkit in an async handler, and infers its value", () => {
    expect(sampling.sampleObject(z.object({ age: z.number() }), "x", { toolkit: ready, maxTurns: 3 })).type.toBe<
      Promise<Sampler.SampledObject<{ age: number }>>
    >()
    const served = Effect.provide(Tools, Tools.toLayer({ ping: () => Effect.succeed("pong") }))
    expect(sampling.sampleObject(Schema.String, "x", { toolkit: served, objectName: "o" })).type.toBe<
      Promise<Sampler.SampledObject<string>>
    >()
    expect(sampling.sampleObject).type.not.toBeCallableWith(Schema.String, "x", { toolkit: Tools })
    expect(sampling.sampleObject).type.not.toBeCallableWith(Schema.String, "x", { toolkit: ready, toolChoice: "none" })
  })

  test("a tool returns a string, a block, blocks, a result or nothing", () => {
    const handlers = [
      async () => "text",
      async () => {},
      async () => ({ type: "text", text: "text" } as const),
      async () => [{ type: "text", text: "text" } as const],
      async () => (await sampling.sample("x")).content,
      async () => ({ content: [{ type: "text" as const, text: "text" }] })
    ]
    for (const handler of handlers) {
      expect(asyncHandlers.registerTool).type.toBeCallableWith(server, "t", {}, handler)
    }
    asyncHandlers.registerTool(server, "t", {}, async () => ({ type: "text", text: "text" }))
    asyncHandlers.registerTool(server, "t", {}, async (_, { sample }) => {
      const reply = await sample("x")
      return reply.truncated ? { content: [{ type: "text", text: reply.text }], isError: true } : reply.content
    })
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", {}, () => sampling.sample("x"))
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", {}, async () => ["text"])
    expect(Handler.registerTool(server, "t", {}, () => Effect.map(Sampler.sample("x"), ({ content }) => content)))
      .type.toBe<Effect.Effect<RegisteredTool, never, Sampler.Sampler>>()
    expect(Handler.registerTool(server, "t", {}, () => Effect.void)).type.toBe<Effect.Effect<RegisteredTool>>()
  })

  test("a tool with an outputSchema may return a value of it", () => {
    const config = { outputSchema: z.object({ total: z.number() }) }
    asyncHandlers.registerTool(server, "t", config, async () => ({ total: 3 }))
    asyncHandlers.registerTool(
      server,
      "t",
      { inputSchema: config.outputSchema, ...config },
      async ({ total }) => total > 3 ? { total } : { content: [{ type: "text", text: "no" }], isError: true }
    )
    expect(asyncHandlers.registerTool).type.toBeCallableWith(
      server,
      "t",
      { outputSchema: { total: z.number() } },
      async () => ({ total: 3 })
    )
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, async () => ({ total: "3" }))
    const moods = { outputSchema: z.object({ mood: z.enum(["good", "bad"]) }) }
    asyncHandlers.registerTool(server, "t", moods, async () => ({ mood: "good" }))
    asyncHandlers.registerTool(server, "t", moods, async (_, { sample }) => {
      const { text } = await sample("x")
      return text === "" ? { content: [{ type: "text", text: "no" }], isError: true } : { mood: "bad" }
    })
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", moods, async () => ({ mood: "great" }))
    expect(Handler.registerTool(server, "t", config, () => Effect.succeed({ total: 3 }))).type.toBe<
      Effect.Effect<RegisteredTool>
    >()
  })

  test("a tool with an outputSchema may return neither a string, nor a block, nor nothing", () => {
    const config = { outputSchema: z.object({ total: z.number() }) }
    const block = { type: "text", text: "text" } as const
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, async () => "text")
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, async () => block)
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, async () => {})
    expect(Handler.registerTool).type.not.toBeCallableWith(server, "t", config, () => Effect.succeed("text"))
    expect(Handler.registerTool).type.not.toBeCallableWith(server, "t", config, () => Effect.succeed(block))
    expect(Handler.registerTool).type.not.toBeCallableWith(server, "t", config, () => Effect.void)
    asyncHandlers.registerTool(server, "t", config, async () => ({ content: [block], isError: true }))
    expect(Handler.registerTool(server, "t", config, () => Effect.succeed({ content: [block], isError: true }))).type
      .toBe<Effect.Effect<RegisteredTool>>()
  })

  test("a tool whose outputSchema has only optional fields may return an object of it, and nothing else", () => {
    const config = { outputSchema: z.object({ a: z.string().optional() }) }
    asyncHandlers.registerTool(server, "t", config, async () => ({ a: "x" }))
    asyncHandlers.registerTool(server, "t", config, async () => ({}))
    asyncHandlers.registerTool(server, "t", config, () => ({ a: "x" }))
    expect(Handler.registerTool(server, "t", config, () => Effect.succeed({ a: "x" }))).type
      .toBe<Effect.Effect<RegisteredTool>>()
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, async () => 5)
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, async () => ({ a: 5 }))
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, async () => "x")
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, () => "x")
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, async () => {})
    expect(Handler.registerTool).type.not.toBeCallableWith(server, "t", config, () => Effect.succeed(5))
    expect(Handler.registerTool).type.not.toBeCallableWith(server, "t", config, () => Effect.succeed("x"))
  })

  test("a tool with an outputSchema may return unions, lists and optional fields", () => {
    const Shape = z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("a"), n: z.number() }),
      z.object({ kind: z.literal("b"), tags: z.array(z.string()), note: z.string().optional() })
    ])
    const config = { outputSchema: z.object({ shape: Shape }) }
    asyncHandlers.registerTool(server, "t", config, async (_, { sample }) => {
      const { text } = await sample("x")
      return text === "" ? { shape: { kind: "a", n: 1 } } : { shape: { kind: "b", tags: [text] } }
    })
    expect(
      Handler.registerTool(server, "t", config, () => Effect.succeed({ shape: { kind: "b" as const, tags: ["x"] } }))
    ).type.toBe<Effect.Effect<RegisteredTool>>()
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", config, async () => ({
      shape: { kind: "c", n: 1 }
    }))
  })

  test("a tool may require what a client can lack, and nothing else", () => {
    expect(asyncHandlers.registerTool).type.toBeCallableWith(server, "t", { requires: ["sampling"] }, async () => "x")
    expect(asyncHandlers.registerTool).type.not.toBeCallableWith(server, "t", { requires: ["tools"] }, async () => "x")
  })

  test("AsyncHandler.make takes a Layer that needs nothing else", () => {
    expect(AsyncHandler.make).type.toBeCallableWith(ClientSampler.layer)
    expect(AsyncHandler.make).type.not.toBeCallableWith(needing)
  })
})
