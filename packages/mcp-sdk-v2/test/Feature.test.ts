/* oxlint-disable typescript/no-unsafe-type-assertion -- assertions look into what came over the wire */
import { ClientSampler, Sampler, SamplingError, TestSampler } from "@effect-sampling/core"
import { Feature } from "@effect-sampling/mcp-sdk-v2"
import { assert, describe, it } from "@effect/vitest"
import { Server } from "@modelcontextprotocol/server"
import { McpServer } from "@modelcontextprotocol/server"
import type { CallToolResult } from "@modelcontextprotocol/server"
import { Cause, Effect, Exit, Logger, Schema } from "effect"
import { AiError, Prompt, Tool, Toolkit } from "effect/ai"
import { connect as connectAt, eras } from "./fixtures/official.ts"

class Person extends Schema.Class<Person>("@effect-sampling/test/Person~1")({
  name: Schema.String,
  age: Schema.Int
}) {}

interface Tree {
  readonly value: number
  readonly children: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  value: Schema.Finite,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
}).annotate({ identifier: "Tree/of numbers" })

class NotFound extends Schema.TaggedError<NotFound>("@effect-sampling/test/NotFound")("NotFound", {
  id: Schema.Int,
  message: Schema.String
}) {}

class Bare extends Schema.TaggedError<Bare>("@effect-sampling/test/Bare")("Bare", { id: Schema.Int }) {}

const n = Schema.Struct({ n: Schema.Int })

const Tools = Toolkit.make(
  Tool.make("object", { parameters: n, success: Schema.Struct({ doubled: Schema.Int }) }),
  Tool.make("text", { success: Schema.String }),
  Tool.make("number", { success: Schema.Finite }),
  Tool.make("array", { success: Schema.Array(Schema.Int) }),
  Tool.make("nothing", { success: Schema.Void }),
  Tool.make("maybe", { success: Schema.NullOr(Schema.String) }),
  Tool.make("encoded", { success: Schema.Struct({ at: Schema.DateFromString }) }),
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
  Tool.make("class", { parameters: Person, success: Person }),
  Tool.make("recursive", { parameters: Tree, success: Tree }),
  Tool.make("fails", { parameters: n, success: Schema.Void, failure: NotFound }),
  Tool.make("failsBare", { success: Schema.Void, failure: Bare }),
  Tool.make("failsPlain", { success: Schema.Void, failure: Schema.Struct({ why: Schema.String }) }),
  Tool.make("failsReturned", { success: Schema.Void, failure: NotFound, failureMode: "return" }),
  Tool.make("failsReturnedPlain", {
    success: Schema.Struct({}),
    failure: Schema.Struct({ why: Schema.String }),
    failureMode: "return"
  }),
  Tool.make("failsSampling", { success: Schema.Void, failure: SamplingError.SamplingError }),
  Tool.make("failsInside", { success: Schema.Void }),
  Tool.make("wrongResult", { success: Schema.Struct({ x: Schema.Int }) }),
  Tool.make("dies", { success: Schema.Void }),
  Tool.make("throws", { success: Schema.Void }),
  Tool.make("preliminary", { success: Schema.String }),
  Tool.make("samples", { success: Schema.String, failure: SamplingError.SamplingError })
)

const secret = "postgres://user:secret@10.0.0.1"

const handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler
  return {
    object: ({ n }) => Effect.succeed({ doubled: n * 2 }),
    text: () => Effect.succeed("text"),
    number: () => Effect.succeed(1.5),
    array: () => Effect.succeed([1, 2]),
    nothing: () => Effect.void,
    maybe: () => Effect.succeed(null),
    encoded: () => Effect.succeed({ at: new Date(0) }),
    blocks: () => Effect.succeed("text"),
    class: (person) => Effect.succeed(new Person({ name: person.name.toUpperCase(), age: person.age })),
    recursive: (tree) => Effect.succeed(tree),
    fails: ({ n }) => Effect.fail(new NotFound({ id: n, message: `There is no item ${n}` })),
    failsBare: () => Effect.fail(new Bare({ id: 7 })),
    failsPlain: () => Effect.fail({ why: "plain" }),
    failsReturned: () => Effect.fail(new NotFound({ id: 1, message: "There is no item 1" })),
    failsReturnedPlain: () => Effect.fail({ why: "plain" }),
    failsSampling: () => Effect.fail(new SamplingError.SamplingRejected({ message: "The user said no." })),
    failsInside: () =>
      Effect.fail(
        AiError.make({
          module: "M",
          method: "m",
          reason: new AiError.AuthenticationError({ kind: "InvalidKey" })
        })
      ),
    wrongResult: () => Effect.succeed({ x: "no number" } as unknown as { readonly x: number }),
    dies: () => Effect.die(new Error(secret)),
    throws: () => {
      throw new Error(secret)
    },
    preliminary: (_, context) =>
      context.preliminary("one").pipe(Effect.andThen(context.preliminary("two")), Effect.as("three")),
    samples: () => Effect.map(sampler.sample("Hi"), (reply) => reply.text)
  }
}))

const tools = Feature.toolkit(Tools).pipe(Effect.provide(handlers), Effect.provide(ClientSampler.layer))

const newServer = () => new Server({ name: "test", version: "1.0.0" })

for (const era of eras) {
  describe(`at ${era}`, () => {
    const connect = (server: Server | McpServer) => connectAt(era, server)

    const connected = Effect.gen(function*() {
      const server = newServer()
      yield* Feature.register(server, tools)
      const client = yield* connect(server)
      // The client compiles the output schemas that it is shown, and checks results against them.
      const listed = yield* Effect.promise(() => client.listTools())
      const call = (name: string, parameters: Record<string, unknown> = {}) =>
        Effect.promise(() => client.callTool({ name, arguments: parameters }) as Promise<CallToolResult>)
      return { client, call, listed: listed.tools }
    })

    const text = (result: CallToolResult): string =>
      result.content.map((block) => block.type === "text" ? block.text : "").join("")

    /** Runs with a logger that keeps what is logged. */
    const withLog = <A, E, R>(effect: (log: Array<string>) => Effect.Effect<A, E, R>) => {
      const log: Array<string> = []
      const logger = Logger.make(({ cause, message }) => log.push(`${String(message)} ${Cause.pretty(cause)}`))
      return Effect.provide(effect(log), Logger.layer([logger]))
    }

    describe("Feature.toolkit", { timeout: 30_000 }, () => {
      // requirement: tools/structured-content
      it.live("sends an object as structured content and text, checked by the output schema", () =>
        Effect.gen(function*() {
          const { call, listed } = yield* connected
          const result = yield* call("object", { n: 21 })
          assert.deepStrictEqual(result.structuredContent, { doubled: 42 })
          assert.strictEqual(text(result), "{\"doubled\":42}")
          assert.strictEqual(listed.find(({ name }) => name === "object")!.outputSchema!.type, "object")
        }))

      it.live("sends anything else as text", () =>
        Effect.gen(function*() {
          const { call, listed } = yield* connected
          for (
            const [name, expected] of [["text", "text"], ["number", "1.5"], ["array", "[1,2]"], ["nothing", ""], [
              "maybe",
              ""
            ]] as const
          ) {
            const result = yield* call(name)
            assert.strictEqual(text(result), expected, name)
            assert.isUndefined(result.structuredContent)
            assert.isUndefined(listed.find((tool) => tool.name === name)!.outputSchema)
            assert.isNotTrue(result.isError)
          }
        }))

      it.live("sends the encoded form of a result", () =>
        Effect.gen(function*() {
          const { call } = yield* connected
          assert.deepStrictEqual((yield* call("encoded")).structuredContent, { at: "1970-01-01T00:00:00.000Z" })
        }))

      it.live("sends content blocks where a tool has toModelOutput", () =>
        Effect.gen(function*() {
          const { call } = yield* connected
          assert.deepStrictEqual((yield* call("blocks")).content.map((block) => block.type), [
            "text",
            "image",
            "audio",
            "resource",
            "resource_link"
          ])
        }))

      it.live("lists JSON Schemas for classes, recursive structures and no parameters at all", () =>
        Effect.gen(function*() {
          const { call, listed } = yield* connected
          for (const { inputSchema } of listed) assert.strictEqual(inputSchema.type, "object")
          const person = listed.find(({ name }) => name === "class")!
          assert.hasAllKeys(person.inputSchema.properties, ["name", "age"])
          assert.hasAllKeys(person.outputSchema!.properties, ["name", "age"])
          assert.deepStrictEqual((yield* call("class", { name: "ada", age: 36 })).structuredContent, {
            name: "ADA",
            age: 36
          })
          const tree = { value: 1, children: [{ value: 2, children: [] }] }
          assert.deepStrictEqual((yield* call("recursive", tree)).structuredContent, tree)
          assert.hasAllKeys(listed.find(({ name }) => name === "recursive")!.inputSchema.properties, [
            "value",
            "children"
          ])
        }))

      // requirement: tools/errors
      it.live("answers wrong arguments with an error that says what is wrong", () =>
        Effect.gen(function*() {
          const { call } = yield* connected
          for (const parameters of [{}, { n: "x" }, { n: 1.5 }]) {
            const result = yield* call("object", parameters)
            assert.isTrue(result.isError)
            assert.include(text(result), "Invalid arguments for the tool \"object\"")
            assert.include(text(result), "\"n\"")
            assert.notMatch(text(result), /\n\s+at .*:\d+/)
          }
        }))

      it.live("answers a declared failure with its message, or with its encoded form where it has none", () =>
        Effect.gen(function*() {
          const { call } = yield* connected
          const expected = {
            failsBare: "{\"_tag\":\"Bare\",\"id\":7}",
            failsPlain: "{\"why\":\"plain\"}",
            failsReturned: "There is no item 1",
            failsReturnedPlain: "{\"why\":\"plain\"}",
            failsSampling: "The user said no."
          }
          for (const [name, message] of Object.entries(expected)) {
            const result = yield* call(name)
            assert.isTrue(result.isError, name)
            assert.strictEqual(text(result), message)
          }
          assert.strictEqual(text(yield* call("fails", { n: 5 })), "There is no item 5")
        }))

      it.live("answers defects and undeclared failures with a generic message, and logs their cause", () =>
        withLog((log) =>
          Effect.gen(function*() {
            const { call } = yield* connected
            for (const name of ["dies", "throws", "failsInside", "wrongResult"]) {
              log.length = 0
              const result = yield* call(name)
              assert.isTrue(result.isError)
              assert.strictEqual(text(result), "Internal error: see the server's log", name)
              assert.strictEqual(log.length, 1, name)
              assert.include(log[0]!, name)
            }
            yield* call("dies")
            assert.include(log.join(), secret)
          })
        ))

      // requirement: progress/token
      it.live("sends preliminary results as progress to a client that asked for it", () =>
        Effect.gen(function*() {
          const { client } = yield* connected
          const progress: Array<unknown> = []
          const result = yield* Effect.promise(() =>
            client.callTool({ name: "preliminary" }, { onprogress: (it) => progress.push(it) })
          )
          assert.deepStrictEqual(progress, [{ progress: 1, message: "one" }, { progress: 2, message: "two" }])
          assert.strictEqual(text(result), "three")
        }))

      it.live("samples with the client's model", () =>
        Effect.gen(function*() {
          const { call } = yield* connected
          assert.strictEqual(text(yield* call("samples")), "model: {\"type\":\"text\",\"text\":\"Hi\"}")
        }))

      it.live("serves several toolkits, an empty one included, on one server", () =>
        Effect.gen(function*() {
          const server = newServer()
          const Other = Toolkit.make(Tool.make("other", { success: Schema.String }))
          yield* Feature.register(server, Feature.toolkit(Toolkit.empty))
          yield* Feature.register(server, tools)
          yield* Feature.register(
            server,
            Feature.toolkit(Other).pipe(Effect.provide(Other.toLayer({ other: () => Effect.succeed("other") })))
          )
          const client = yield* connect(server)
          assert.strictEqual(
            text(yield* Effect.promise(() => client.callTool({ name: "other" }))),
            "other"
          )
          assert.strictEqual(
            text(yield* Effect.promise(() => client.callTool({ name: "text" }))),
            "text"
          )
        }))

      it.live("serves the same features on several servers", () =>
        Effect.gen(function*() {
          const feature = yield* tools
          for (let i = 0; i < 2; i++) {
            const server = newServer()
            feature.install(server)
            const client = yield* connect(server)
            assert.strictEqual(
              text(yield* Effect.promise(() => client.callTool({ name: "text" }))),
              "text"
            )
          }
        }))

      it.live("dies on a second tool of the same name, on parameters that are no object, and next to registered tools", () =>
        Effect.gen(function*() {
          const server = newServer()
          yield* Feature.register(server, tools)
          assert.include(String(yield* defect(Feature.register(server, tools))), "already has a tool named \"object\"")
          const Odd = Toolkit.make(Tool.make("odd", { parameters: Schema.Array(Schema.Int), success: Schema.Void }))
          const odd = Feature.toolkit(Odd).pipe(Effect.provide(Odd.toLayer({ odd: () => Effect.void })))
          assert.include(String(yield* defect(odd)), "parameters must be an object")
          const own = new McpServer({ name: "own", version: "1.0.0" })
          own.registerTool("zod", {}, () => ({ content: [] }))
          assert.include(String(yield* defect(Feature.register(own, tools))), "tools/call")
        }))

      // requirement: tools/unknown
      it.live("is a protocol error for a tool that does not exist", () =>
        Effect.gen(function*() {
          const { client } = yield* connected
          const error = yield* Effect.flip(Effect.tryPromise({
            try: () => client.callTool({ name: "missing" }),
            catch: (cause) => cause as { readonly code: number; readonly message: string }
          }))
          assert.strictEqual(error.code, -32_602)
          assert.include(error.message, "Unknown tool: missing")
        }))
    })

    const defect = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<unknown, never, R> =>
      Effect.map(Effect.exit(effect), (exit) => Exit.isFailure(exit) ? Cause.squash(exit.cause) : "no defect")

    const rejection = (promise: () => Promise<unknown>) =>
      Effect.promise(() =>
        promise().then(() => assert.fail("it succeeded"), (error: Error & { readonly code: number }) => error)
      )

    describe("Feature.prompt and Feature.resource", { timeout: 30_000 }, () => {
      const sampler = TestSampler.scripted(["clearer", "definition"])
      const features = Effect.all([
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
          { name: "plain" },
          () =>
            Effect.succeed({
              messages: [{ role: "assistant" as const, content: { type: "text" as const, text: "x" } }]
            })
        ),
        Feature.prompt({ name: "fails" }, () => Effect.fail(new NotFound({ id: 1, message: "no such prompt text" }))),
        Feature.prompt({ name: "dies" }, () => Effect.die(new Error(secret))),
        Feature.prompt({ name: "throws" }, () => {
          throw new Error(secret)
        }),
        Feature.resource(
          { name: "definition", uri: "dictionary://{word}", mimeType: "text/plain" },
          ({ variables }) =>
            Effect.map(
              Sampler.sample(String(variables["word"])),
              (reply) => `${reply.text} of ${String(variables["word"])}`
            )
        ),
        Feature.resource(
          { name: "readme", uri: "file:///readme" },
          ({ uri }) => Effect.succeed({ contents: [{ uri, text: "read me" }] })
        ),
        Feature.resource({ name: "throws", uri: "file:///throws" }, () => {
          throw new Error(secret)
        })
      ]).pipe(Effect.provide(sampler))

      const client = Effect.gen(function*() {
        const server = newServer()
        for (const feature of yield* features) feature.install(server)
        return yield* connect(server)
      })

      it.live("list what they take", () =>
        Effect.gen(function*() {
          const it = yield* client
          const { prompts } = yield* Effect.promise(() => it.listPrompts())
          assert.deepStrictEqual(prompts[0], {
            name: "improve",
            title: "Improve",
            description: "Improves a prompt",
            arguments: [
              { name: "prompt", required: true, description: "What to improve" },
              { name: "times", required: false }
            ]
          })
          const { resources } = yield* Effect.promise(() => it.listResources())
          assert.deepStrictEqual(resources.map(({ uri }) => uri), ["file:///readme", "file:///throws"])
          const { resourceTemplates } = yield* Effect.promise(() => it.listResourceTemplates())
          assert.deepStrictEqual(resourceTemplates, [
            { name: "definition", uriTemplate: "dictionary://{word}", mimeType: "text/plain" }
          ])
        }))

      it.live("sample", () =>
        Effect.gen(function*() {
          const it = yield* client
          const prompt = yield* Effect.promise(() =>
            it.getPrompt({ name: "improve", arguments: { prompt: "p", times: "2" } })
          )
          assert.deepStrictEqual(prompt.messages, [{ role: "user", content: { type: "text", text: "clearer 3" } }])
          const resource = yield* Effect.promise(() => it.readResource({ uri: "dictionary://effect" }))
          assert.deepStrictEqual(resource.contents, [
            { uri: "dictionary://effect", text: "definition of effect", mimeType: "text/plain" }
          ])
        }))

      it.live("give whole results as they are", () =>
        Effect.gen(function*() {
          const it = yield* client
          assert.strictEqual(
            (yield* Effect.promise(() => it.getPrompt({ name: "plain" }))).messages[0]!.role,
            "assistant"
          )
          const resource = yield* Effect.promise(() => it.readResource({ uri: "file:///readme" }))
          assert.deepStrictEqual(resource.contents, [{ uri: "file:///readme", text: "read me" }])
        }))

      // requirement: prompts-resources/errors
      it.live("fail with typed messages, and keep defects to the log", () =>
        withLog((log) =>
          Effect.gen(function*() {
            const it = yield* client
            const wrong = yield* rejection(() => it.getPrompt({ name: "improve", arguments: {} }))
            assert.strictEqual(wrong.code, -32_602)
            assert.include(wrong.message, "\"prompt\"")
            assert.include((yield* rejection(() => it.getPrompt({ name: "fails" }))).message, "no such prompt text")
            assert.strictEqual((yield* rejection(() => it.getPrompt({ name: "missing" }))).code, -32_602)
            // SDK 2.x makes -32602 of -32002, for every revision.
            assert.strictEqual((yield* rejection(() => it.readResource({ uri: "file:///missing" }))).code, -32_602)
            for (
              const [index, failing] of [
                () => it.getPrompt({ name: "dies" }),
                () => it.getPrompt({ name: "throws" }),
                () => it.readResource({ uri: "file:///throws" })
              ].entries()
            ) {
              const error = yield* rejection(failing)
              assert.include(error.message, "Internal error")
              assert.notInclude(error.message, "secret")
              assert.strictEqual(log.length, index + 1)
              assert.include(log[index]!, secret)
            }
          })
        ))

      it.live("install next to the tools of an McpServer", () =>
        Effect.gen(function*() {
          const server = new McpServer({ name: "own", version: "1.0.0" })
          server.registerTool("zod", {}, () => ({ content: [{ type: "text", text: "zod" }] }))
          for (const feature of yield* features) yield* Feature.register(server, Effect.succeed(feature))
          const it = yield* connect(server)
          assert.strictEqual(text(yield* Effect.promise(() => it.callTool({ name: "zod" }))), "zod")
          assert.strictEqual((yield* Effect.promise(() => it.listPrompts())).prompts.length, 5)
        }))
    })
  })
}
