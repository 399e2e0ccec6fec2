import { Feature } from "@effect-sampling/mcp-effect"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Schema } from "effect"
import { McpProtocol, McpSchema, McpServer, McpTest, Tool, Toolkit } from "effect/ai"
import { officialClient } from "./fixtures/servers.ts"

const Tools = Toolkit.make(
  Tool.make("object", {
    description: "Doubles",
    parameters: Schema.Struct({ n: Schema.Int }),
    success: Schema.Struct({ doubled: Schema.Int })
  })
    .annotate(Tool.Title, "Double")
    .annotate(Tool.Readonly, true)
    .annotate(Tool.Destructive, false)
    .annotate(Tool.Meta, { "example.com/x": 1 })
)

const tools = Feature.toolkit(Tools).pipe(
  Layer.provide(Tools.toLayer({ object: ({ n }) => Effect.succeed({ doubled: n * 2 }) }))
)

/** What features take and give on Effect's server only. */
const others = Layer.mergeAll(
  Feature.prompt(
    { name: "messages" },
    () => Effect.succeed([{ role: "assistant", content: McpSchema.TextContent.make({ text: "x" }) }])
  ),
  Feature.resource(
    { name: "definition", uri: "dictionary://{language}/{word}", mimeType: "text/plain" },
    ({ uri, variables: { language, word } }) => Effect.succeed(`${word} in ${language} at ${uri}`)
  ),
  Feature.resource(
    { name: "readme", uri: "file:///readme", title: "Read me" },
    ({ uri }) => Effect.succeed({ contents: [{ uri, text: "read me" }] })
  ),
  Feature.resource({ name: "bytes", uri: "file:///bytes" }, () => Effect.succeed(new Uint8Array([1, 2, 3])))
)

describe("Feature", { timeout: 30_000 }, () => {
  it.live("A tool is listed with what it takes and gives, and with its annotations", () =>
    Effect.gen(function*() {
      const client = yield* officialClient(tools)
      const listed = yield* Effect.promise(() => client.listTools())
      const { annotations, inputSchema, outputSchema, ...rest } = listed.tools[0]!
      assert.deepStrictEqual(rest, {
        name: "object",
        title: "Double",
        description: "Doubles",
        _meta: { "example.com/x": 1 }
      })
      assert.deepStrictEqual(annotations, {
        title: "Double",
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: true
      })
      assert.deepStrictEqual([inputSchema.type, inputSchema.required], ["object", ["n"]])
      assert.deepStrictEqual(outputSchema!["required"], ["doubled"])
    }))

  it.effect("A tool dies on parameters that are not an object", () =>
    Effect.gen(function*() {
      const Odd = Toolkit.make(Tool.make("odd", { parameters: Schema.Array(Schema.Int), success: Schema.Void }))
      const odd = Feature.toolkit(Odd).pipe(Layer.provide(Odd.toLayer({ odd: () => Effect.void })))
      const exit = yield* Effect.exit(Layer.build(Layer.provide(odd, McpServer.McpServer.layer)))
      assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "parameters must be an object")
    }))

  it.effect("A toolkit takes the services of middleware and the middleware itself, as McpServer.toolkit does", () =>
    Effect.gen(function*() {
      class User extends Context.Service<User, { readonly name: string }>()("test/User") {}
      const Named = Toolkit.make(Tool.make("who", { success: Schema.String, dependencies: [User] }))
      const auth = McpServer.middleware<{ provides: User }>()((effect, { target }) =>
        Effect.provideService(effect, User, { name: `caller of ${target}` })
      )
      const registrations = Feature.toolkit(Named).pipe(
        Layer.provide(auth.layer),
        Layer.provide(Named.toLayer({ who: () => Effect.map(User, ({ name }) => name) }))
      )
      const client = yield* McpTest.makeClient(registrations, { protocols: [McpProtocol.v2025_11_25] })
      const result = yield* client.callTool({ name: "who", arguments: {} })
      assert.deepStrictEqual(result.content, [{ type: "text", text: "caller of who" }])
    }))

  it.effect("A toolkit hides the tools that EnabledWhen excludes", () =>
    Effect.gen(function*() {
      const Sampling = Toolkit.make(
        Tool.make("samples", { success: Schema.Void }).annotate(
          McpSchema.EnabledWhen,
          ({ capabilities }) => capabilities.sampling !== undefined
        )
      )
      const registrations = Feature.toolkit(Sampling).pipe(
        Layer.provide(Sampling.toLayer({ samples: () => Effect.void }))
      )
      const client = yield* McpTest.makeClient(registrations, { protocols: [McpProtocol.v2025_11_25] })
      assert.deepStrictEqual((yield* client.listTools()).tools, [])
    }))

  it.live("Resources are listed with their titles, and templates with several variables", () =>
    Effect.gen(function*() {
      const client = yield* officialClient(others)
      const { resources } = yield* Effect.promise(() => client.listResources())
      assert.sameDeepMembers(resources, [
        { name: "readme", uri: "file:///readme", title: "Read me" },
        { name: "bytes", uri: "file:///bytes" }
      ])
      const { resourceTemplates } = yield* Effect.promise(() => client.listResourceTemplates())
      assert.deepStrictEqual(resourceTemplates, [
        { name: "definition", uriTemplate: "dictionary://{language}/{word}", mimeType: "text/plain" }
      ])
    }))

  it.live("A template gives its handler the decoded variables and the address", () =>
    Effect.gen(function*() {
      const client = yield* officialClient(others)
      const uri = "dictionary://en/caf%C3%A9"
      const resource = yield* Effect.promise(() => client.readResource({ uri }))
      assert.deepStrictEqual(resource.contents, [
        { uri, text: `café in en at ${uri}`, mimeType: "text/plain" }
      ])
    }))

  it.live("A prompt gives messages, and a resource bytes, as they are", () =>
    Effect.gen(function*() {
      const client = yield* officialClient(others)
      const prompt = yield* Effect.promise(() => client.getPrompt({ name: "messages" }))
      assert.strictEqual(prompt.messages[0]!.role, "assistant")
      const bytes = yield* Effect.promise(() => client.readResource({ uri: "file:///bytes" }))
      assert.deepStrictEqual(bytes.contents, [{ uri: "file:///bytes", blob: "AQID" }])
    }))

  it.effect("A resource dies on a template that Effect's router does not know", () =>
    Effect.gen(function*() {
      for (const uri of ["file:///{+path}", "file:///{?query}", "file:///*", "file:///{"]) {
        const odd = Feature.resource({ name: "odd", uri }, () => Effect.succeed(""))
        const exit = yield* Effect.exit(Layer.build(Layer.provide(odd, McpServer.McpServer.layer)))
        assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "its router does not support")
      }
    }))
})
