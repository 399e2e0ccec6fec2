/* oxlint-disable typescript/no-unsafe-type-assertion -- assertions look into what came over the wire */
import { ClientSampler, Sampler, SamplingError } from "@effect-sampling/core"
import { Feature } from "@effect-sampling/mcp-effect"
import { assert, describe, it } from "@effect/vitest"
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js"
import { Cause, Context, Effect, Exit, Layer, Logger, Schema } from "effect"
import { McpProtocol, McpSchema, McpServer, McpTest, Prompt, Tool, Toolkit } from "effect/ai"
import { officialClient } from "./fixtures/servers.ts"

class NotFound extends Schema.TaggedError<NotFound>("@effect-sampling/test/effect/NotFound")("NotFound", {
  id: Schema.Int,
  message: Schema.String
}) {}

const n = Schema.Struct({ n: Schema.Int })
const secret = "postgres://user:secret@10.0.0.1"

const Tools = Toolkit.make(
  Tool.make("object", { description: "Doubles", parameters: n, success: Schema.Struct({ doubled: Schema.Int }) })
    .annotate(Tool.Title, "Double")
    .annotate(Tool.Readonly, true)
    .annotate(Tool.Destructive, false)
    .annotate(Tool.Meta, { "example.com/x": 1 }),
  Tool.make("text", { success: Schema.String }),
  Tool.make("nothing", { success: Schema.Void }),
  Tool.make("blocks", {
    success: Schema.String,
    toModelOutput: (text: string) => [
      Prompt.textPart({ text }),
      Prompt.filePart({ mediaType: "image/png", data: new Uint8Array([1, 2, 3]) }),
      Prompt.filePart({ mediaType: "audio/wav", data: "AAAA" }),
      Prompt.filePart({ mediaType: "application/pdf", data: "AAAA", fileName: "a.pdf" }),
      Prompt.filePart({ mediaType: "text/html", data: new URL("https://example.com/x") })
    ]
  }),
  Tool.make("fails", { parameters: n, success: Schema.Void, failure: NotFound }),
  Tool.make("failsPlain", { success: Schema.Void, failure: Schema.Struct({ why: Schema.String }) }),
  Tool.make("failsReturned", { success: Schema.Void, failure: NotFound, failureMode: "return" }),
  Tool.make("wrongResult", { success: Schema.Struct({ x: Schema.Int }) }),
  Tool.make("dies", { success: Schema.Void }),
  Tool.make("throws", { success: Schema.Void }),
  Tool.make("preliminary", { success: Schema.String }),
  Tool.make("samples", { success: Schema.String, failure: SamplingError.SamplingError })
)

const handlers = Tools.toLayer(Effect.map(Sampler.Sampler, (sampler) => ({
  object: ({ n }) => Effect.succeed({ doubled: n * 2 }),
  text: () => Effect.succeed("text"),
  nothing: () => Effect.void,
  blocks: () => Effect.succeed("text"),
  fails: ({ n }) => Effect.fail(new NotFound({ id: n, message: `There is no item ${n}` })),
  failsPlain: () => Effect.fail({ why: "plain" }),
  failsReturned: () => Effect.fail(new NotFound({ id: 1, message: "There is no item 1" })),
  wrongResult: () => Effect.succeed({ x: "no number" } as unknown as { readonly x: number }),
  dies: () => Effect.die(new Error(secret)),
  throws: () => {
    throw new Error(secret)
  },
  preliminary: (_, context) =>
    context.preliminary("one").pipe(Effect.andThen(context.preliminary("two")), Effect.as("three")),
  samples: () => Effect.map(sampler.sample("Hi"), (reply) => reply.text)
})))

const tools = Feature.toolkit(Tools).pipe(Layer.provide(handlers), Layer.provide(ClientSampler.layer))

/** Collects the log entries of the server of a test. */
const withLog = () => {
  const log: Array<string> = []
  const layer = Logger.layer([
    Logger.make(({ cause, message }) => log.push(`${String(message)} ${Cause.pretty(cause)}`))
  ])
  return { log, layer }
}

describe("Feature.toolkit", { timeout: 30_000 }, () => {
  const { layer: logger, log } = withLog()
  const connected = officialClient(Layer.provide(tools, logger))
  const call = (name: string, parameters: Record<string, unknown> = {}) =>
    Effect.flatMap(
      connected,
      (client) => Effect.promise(() => client.callTool({ name, arguments: parameters }) as Promise<CallToolResult>)
    )
  const text = (result: CallToolResult) => result.content.map((block) => block.type === "text" ? block.text : "")

  it.live("a tool is listed with its schemas and annotations", () =>
    Effect.gen(function*() {
      const client = yield* connected
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
      assert.isUndefined(listed.tools.find(({ name }) => name === "text")!.outputSchema)
    }))

  // requirement: tools/structured-content
  it.live("an object is sent as structured content and text, and any other success as text", () =>
    Effect.gen(function*() {
      const object = yield* call("object", { n: 2 })
      assert.deepStrictEqual(object.structuredContent, { doubled: 4 })
      assert.deepStrictEqual(text(object), ["{\"doubled\":4}"])
      assert.deepStrictEqual(text(yield* call("text")), ["text"])
      assert.deepStrictEqual((yield* call("nothing")).content, [])
    }))

  it.live("a tool with toModelOutput sends content blocks", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* call("blocks")).content, [
        { type: "text", text: "text" },
        { type: "image", mimeType: "image/png", data: "AQID" },
        { type: "audio", mimeType: "audio/wav", data: "AAAA" },
        { type: "resource", resource: { uri: "file:///a.pdf", mimeType: "application/pdf", blob: "AAAA" } },
        { type: "resource_link", uri: "https://example.com/x", name: "https://example.com/x", mimeType: "text/html" }
      ])
    }))

  // requirement: tools/errors
  it.live("invalid arguments are answered with an error result that names the problem", () =>
    Effect.gen(function*() {
      const result = yield* call("object", { n: "two" })
      assert.isTrue(result.isError)
      assert.include(text(result).join(), "Invalid arguments for the tool \"object\"")
      assert.include(text(result).join(), "\"n\"")
    }))

  it.live("a declared failure is answered with its message, or with its encoded form if it has no message", () =>
    Effect.gen(function*() {
      for (
        const [result, message] of [
          [yield* call("fails", { n: 7 }), "There is no item 7"],
          [yield* call("failsPlain"), "{\"why\":\"plain\"}"],
          [yield* call("failsReturned"), "There is no item 1"]
        ] as const
      ) {
        assert.isTrue(result.isError)
        assert.deepStrictEqual(text(result), [message])
      }
    }))

  it.live("a defect or an undeclared failure is answered with a generic message, and its cause is logged", () =>
    Effect.gen(function*() {
      for (const [name, logged] of [["dies", secret], ["throws", secret], ["wrongResult", "wrongResult"]] as const) {
        log.length = 0
        const result = yield* call(name)
        assert.isTrue(result.isError)
        assert.deepStrictEqual(text(result), ["Internal error: see the server's log"])
        assert.strictEqual(log.filter((entry) => entry.includes(`The tool "${name}" failed`)).length, 1)
        assert.include(log.join(), logged)
      }
    }))

  // requirement: progress/token
  it.live("preliminary results are sent as progress to a client that asked for it", () =>
    Effect.gen(function*() {
      const client = yield* connected
      const progress: Array<unknown> = []
      const result = yield* Effect.promise(() =>
        client.callTool({ name: "preliminary", arguments: {} }, undefined, {
          onprogress: ({ message, progress: count }) => progress.push([count, message])
        })
      )
      assert.deepStrictEqual(text(result as CallToolResult), ["three"])
      assert.deepStrictEqual(progress, [[1, "one"], [2, "two"]])
      assert.deepStrictEqual(text(yield* call("preliminary")), ["three"])
    }))

  it.live("a tool samples with the model of the client", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(text(yield* call("samples")), ["model: {\"type\":\"text\",\"text\":\"Hi\"}"])
    }))

  // requirement: tools/unknown
  it.live("a call of a tool that does not exist is a protocol error", () =>
    Effect.gen(function*() {
      const client = yield* connected
      const error = yield* rejection(() => client.callTool({ name: "missing" }))
      assert.strictEqual(error.code, -32_602)
    }))

  it.effect("the Layer of a tool whose parameters are not an object dies", () =>
    Effect.gen(function*() {
      const Odd = Toolkit.make(Tool.make("odd", { parameters: Schema.Array(Schema.Int), success: Schema.Void }))
      const odd = Feature.toolkit(Odd).pipe(Layer.provide(Odd.toLayer({ odd: () => Effect.void })))
      const exit = yield* Effect.exit(Layer.build(Layer.provide(odd, McpServer.McpServer.layer)))
      assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "parameters must be an object")
    }))

  it.effect("the toolkit accepts middleware and the services that it provides, as McpServer.toolkit does", () =>
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

  it.effect("a tool that EnabledWhen excludes is not listed", () =>
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
})

const rejection = (promise: () => Promise<unknown>) =>
  Effect.promise(() =>
    promise().then(() => assert.fail("The request succeeded"), (error: Error & { readonly code: number }) => error)
  )

describe("Feature.prompt and Feature.resource", { timeout: 30_000 }, () => {
  const { layer: logger, log } = withLog()
  const features = Layer.mergeAll(
    Feature.prompt(
      {
        name: "improve",
        title: "Improve",
        description: "Improves a prompt",
        arguments: Schema.Struct({
          prompt: Schema.String.annotate({ description: "What to improve" }),
          times: Schema.optionalKey(Schema.NumberFromString)
        })
      },
      ({ prompt, times }) => Effect.map(Sampler.sample(prompt), (reply) => `${reply.text} ${(times ?? 1) + 1}`)
    ),
    Feature.prompt(
      { name: "messages" },
      () => Effect.succeed([{ role: "assistant", content: McpSchema.TextContent.make({ text: "x" }) }])
    ),
    Feature.prompt({ name: "fails" }, () => Effect.fail(new NotFound({ id: 1, message: "no such prompt text" }))),
    Feature.prompt({ name: "dies" }, () => Effect.die(new Error(secret))),
    Feature.prompt({ name: "throws" }, (): Effect.Effect<string> => {
      throw new Error(secret)
    }),
    Feature.resource(
      { name: "definition", uri: "dictionary://{language}/{word}", mimeType: "text/plain" },
      ({ uri, variables: { language, word } }) =>
        Effect.map(Sampler.sample(word!), (reply) => `${reply.text} of ${word} in ${language} at ${uri}`)
    ),
    Feature.resource(
      { name: "readme", uri: "file:///readme", title: "Read me" },
      ({ uri }) => Effect.succeed({ contents: [{ uri, text: "read me" }] })
    ),
    Feature.resource(
      { name: "bytes", uri: "file:///bytes" },
      () => Effect.succeed(new Uint8Array([1, 2, 3]))
    ),
    Feature.resource({ name: "throws", uri: "file:///throws" }, (): Effect.Effect<string> => {
      throw new Error(secret)
    })
  ).pipe(Layer.provide(ClientSampler.layer), Layer.provide(logger))

  const client = officialClient(features)

  it.live("prompts, resources and resource templates are listed with their arguments", () =>
    Effect.gen(function*() {
      const it = yield* client
      const { prompts } = yield* Effect.promise(() => it.listPrompts())
      assert.deepStrictEqual(prompts.find(({ name }) => name === "improve"), {
        name: "improve",
        title: "Improve",
        description: "Improves a prompt",
        arguments: [
          { name: "prompt", required: true, description: "What to improve" },
          { name: "times", required: false }
        ]
      })
      const { resources } = yield* Effect.promise(() => it.listResources())
      assert.sameDeepMembers(resources, [
        { name: "readme", uri: "file:///readme", title: "Read me" },
        { name: "bytes", uri: "file:///bytes" },
        { name: "throws", uri: "file:///throws" }
      ])
      const { resourceTemplates } = yield* Effect.promise(() => it.listResourceTemplates())
      assert.deepStrictEqual(resourceTemplates, [
        { name: "definition", uriTemplate: "dictionary://{language}/{word}", mimeType: "text/plain" }
      ])
    }))

  it.live("prompts and resources sample with the model of the client", () =>
    Effect.gen(function*() {
      const it = yield* client
      const prompt = yield* Effect.promise(() =>
        it.getPrompt({ name: "improve", arguments: { prompt: "p", times: "2" } })
      )
      assert.deepStrictEqual(prompt.messages, [
        { role: "user", content: { type: "text", text: "model: {\"type\":\"text\",\"text\":\"p\"} 3" } }
      ])
      const uri = "dictionary://en/caf%C3%A9"
      const resource = yield* Effect.promise(() => it.readResource({ uri }))
      assert.deepStrictEqual(resource.contents, [
        { uri, text: `model: {"type":"text","text":"café"} of café in en at ${uri}`, mimeType: "text/plain" }
      ])
    }))

  it.live("messages, contents and bytes from a handler are sent unchanged", () =>
    Effect.gen(function*() {
      const it = yield* client
      assert.strictEqual(
        (yield* Effect.promise(() => it.getPrompt({ name: "messages" }))).messages[0]!.role,
        "assistant"
      )
      const resource = yield* Effect.promise(() => it.readResource({ uri: "file:///readme" }))
      assert.deepStrictEqual(resource.contents, [{ uri: "file:///readme", text: "read me" }])
      const bytes = yield* Effect.promise(() => it.readResource({ uri: "file:///bytes" }))
      assert.deepStrictEqual(bytes.contents, [{ uri: "file:///bytes", blob: "AQID" }])
    }))

  // requirement: prompts-resources/errors
  it.live("a typed error of a prompt or resource reaches the client, and a defect appears only in the log", () =>
    Effect.gen(function*() {
      const it = yield* client
      const wrong = yield* rejection(() => it.getPrompt({ name: "improve", arguments: {} }))
      assert.strictEqual(wrong.code, -32_602)
      assert.include(wrong.message, "\"prompt\"")
      const failed = yield* rejection(() => it.getPrompt({ name: "fails" }))
      assert.strictEqual(failed.code, -32_603)
      assert.include(failed.message, "no such prompt text")
      assert.strictEqual((yield* rejection(() => it.getPrompt({ name: "missing" }))).code, -32_602)
      assert.strictEqual((yield* rejection(() => it.readResource({ uri: "file:///missing" }))).code, -32_002)
      for (
        const failing of [
          () => it.getPrompt({ name: "dies" }),
          () => it.getPrompt({ name: "throws" }),
          () => it.readResource({ uri: "file:///throws" })
        ]
      ) {
        log.length = 0
        const error = yield* rejection(failing)
        assert.strictEqual(error.code, -32_603)
        assert.include(error.message, "Internal error")
        assert.notInclude(error.message, "secret")
        assert.strictEqual(log.length, 1)
        assert.include(log[0]!, secret)
      }
    }))

  it.effect("the Layer of a resource template that Effect's router does not support dies", () =>
    Effect.gen(function*() {
      for (const uri of ["file:///{+path}", "file:///{?query}", "file:///*", "file:///{"]) {
        const odd = Feature.resource({ name: "odd", uri }, () => Effect.succeed(""))
        const exit = yield* Effect.exit(Layer.build(Layer.provide(odd, McpServer.McpServer.layer)))
        assert.include(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), "its router does not support")
      }
    }))
})
