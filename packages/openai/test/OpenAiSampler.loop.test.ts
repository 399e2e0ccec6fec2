import { Content, LanguageModelSampler, Sampler, SamplerLanguageModel, SamplingMessage } from "@effect-sampling/core"
import { OpenAiSampler } from "@effect-sampling/openai"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { setup } from "./support.ts"

const Weather = Tool.make("weather", { parameters: Schema.Struct({ city: Schema.String }), success: Schema.String })
const Photo = Tool.make("photo", {
  success: Schema.String,
  toModelOutput: () => Content.toModelOutput({ type: "image", data: "AAAA", mimeType: "image/png" })
})
const Tools = Toolkit.make(Weather, Photo)
const handlers = Tools.toLayer({
  weather: ({ city }) => Effect.succeed(`sunny in ${city}`),
  photo: () => Effect.succeed("a photo")
})

const call = (id: string, rest: object = {}, name = "weather", args = "{\"city\":\"Rome\"}") => ({
  id,
  type: "function",
  function: { name, arguments: args },
  ...rest
})

const message = (message: object): OpenAiServer.Reply =>
  OpenAiServer.raw({
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ choices: [{ message: { role: "assistant", ...message }, finish_reason: "stop" }] })
  })

const google = { google: { thought_signature: "c2ln" } }

const signed = message({
  content: null,
  reasoning_content: "Rome is in Italy.",
  annotations: [],
  audio: null,
  tool_calls: [call("1", { extra_content: google }), call("2")]
})

const bodies = Effect.flatMap(
  OpenAiServer.OpenAiServer,
  ({ requests }) => Effect.map(requests, (all) => all.map(({ body }) => JSON.parse(body)))
)

const sample = Sampler.sample("Hi", { toolkit: Tools }).pipe(Effect.provide(handlers))

const lenient = (replies: ReadonlyArray<OpenAiServer.Reply>): OpenAiServer.Options => ({
  reply: OpenAiServer.inOrder(replies),
  unknownParameters: "ignored"
})

describe("opaque fields of vendors", () => {
  it.live("reasoning_content and tool_calls[].extra_content go back to their vendor in the loop and from history", () =>
    Effect.gen(function*() {
      const reply = yield* sample
      yield* Sampler.sample([...reply.history, SamplingMessage.user("And now?")])
      const [, second, third] = yield* bodies
      for (const body of [second, third]) {
        assert.deepStrictEqual(body.messages[1], {
          role: "assistant",
          content: null,
          reasoning_content: "Rome is in Italy.",
          tool_calls: [call("1", { extra_content: google }), call("2")]
        })
      }
    }).pipe(Effect.provide(setup(lenient([signed, "done", "fine"])))))

  it.live("opaque fields go to no other provider, and to no other server of the same name", () =>
    Effect.gen(function*() {
      const { history } = yield* sample
      const other = (options: OpenAiSampler.Options) =>
        Effect.gen(function*() {
          yield* Sampler.sample([...history, SamplingMessage.user("And now?")]).pipe(
            Effect.provide(OpenAiSampler.layer(options))
          )
          const { body } = yield* OpenAiServer.OpenAiServer.use(({ requests }) =>
            Effect.map(requests, (all) => all.at(-1)!)
          )
          assert.include(body, "weather")
          for (const secret of ["reasoning_content", "Italy", "c2ln", "effect-sampling"]) {
            assert.notInclude(body, secret)
          }
        }).pipe(Effect.scoped)
      const { url } = yield* OpenAiServer.OpenAiServer
      yield* other({ baseUrl: url, name: "another", apiKey: undefined })
      const server = yield* OpenAiServer.make({ reply: () => "fine" })
      yield* other({ baseUrl: server.url }).pipe(Effect.provideService(OpenAiServer.OpenAiServer, server))
    }).pipe(Effect.scoped, Effect.provide(setup({ ...lenient([signed, "done", "fine"]), apiKey: undefined }))))

  it.live("a server that refuses the fields that it wrote gets the request without them", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* sample).text, "done")
      const all = yield* bodies
      assert.strictEqual(all.length, 3)
      assert.property(all[1].messages[1], "reasoning_content")
      assert.notProperty(all[2].messages[1], "reasoning_content")
      assert.notProperty(all[2].messages[1].tool_calls[0], "extra_content")
    }).pipe(Effect.provide(setup([signed, "done"]))))

  it.live("opaque fields survive the conversions to effect/ai and back", () =>
    Effect.gen(function*() {
      yield* sample.pipe(
        Effect.provide(Layer.provide(LanguageModelSampler.layer({ name: "wrapped" }), SamplerLanguageModel.layer))
      )
      const [, second] = yield* bodies
      assert.strictEqual(second.messages[1].reasoning_content, "Rome is in Italy.")
      assert.deepStrictEqual(second.messages[1].tool_calls[0].extra_content, google)
    }).pipe(Effect.provide(setup(lenient([signed, "done"])))))
})

describe("the order of messages after tools", () => {
  it.live("an image of a tool result comes after all tool messages, in an order that strict servers take", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* sample).text, "done")
      const [, second] = yield* bodies
      assert.deepStrictEqual(
        second.messages.map(({ role }: { readonly role: string }) => role),
        ["user", "assistant", "tool", "tool", "assistant", "user"]
      )
    }).pipe(Effect.provide(setup({
      reply: OpenAiServer.inOrder([
        message({ content: null, tool_calls: [call("1", {}, "photo", "{}"), call("2")] }),
        "done"
      ]),
      userAfterTool: "refused"
    }))))

  it.live("an image of a tool result is put in words for a server that takes none", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* sample).text, "done")
      const all = yield* bodies
      assert.include(JSON.stringify(all[1]), "image_url")
      assert.notInclude(JSON.stringify(all[2]), "image_url")
      assert.strictEqual(
        all[2].messages.at(-1).content,
        "From the result of tool call 1:\n[an image, which this model cannot see]"
      )
    }).pipe(Effect.provide(setup([
      message({ content: null, tool_calls: [call("1", {}, "photo", "{}")] }),
      OpenAiServer.failure(400, { message: "This model does not support image input" }),
      "done"
    ]))))

  it.live("a user message after tool results is sent in an order that strict servers take", () =>
    Effect.gen(function*() {
      const step = yield* Sampler.step("Hi", { toolkit: Tools }).pipe(Effect.provide(handlers))
      yield* Sampler.sample([...step.history, SamplingMessage.user("Only the weather, please")])
    }).pipe(Effect.provide(setup({
      reply: OpenAiServer.inOrder([message({ content: null, tool_calls: [call("1")] }), "done"]),
      userAfterTool: "refused"
    }))))
})
