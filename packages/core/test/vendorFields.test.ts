import {
  Client,
  ClientSampler,
  Content,
  LanguageModelSampler,
  ProviderSampler,
  Sampler,
  SamplingMessage,
  type SamplingRequest
} from "@effect-sampling/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import { LanguageModel, type Prompt, type Response, Tool, Toolkit } from "effect/ai"
import { answer, fakeClient, text } from "./fixtures/domain.ts"
import { drive, openStates } from "./fixtures/rounds.ts"

const Tools = Toolkit.make(Tool.make("clock", { success: Schema.String }))
const handlers = Tools.toLayer({ clock: () => Effect.succeed("noon") })

const secret = { signature: "c2ln" }

const [plain] = ProviderSampler.toolUses([{ id: "1", name: "clock", arguments: {} }])

/** A provider that signs its calls, and says "done" when their results arrive. */
const signing = (name: string) => {
  const requests: Array<SamplingRequest.SamplingRequest> = []
  const layer = ProviderSampler.layer({
    name,
    tools: true,
    createMessage: (request) =>
      Effect.sync(() => {
        requests.push(request)
        const isFirst = request.tools !== undefined && requests.length === 1
        return isFirst ? { content: ProviderSampler.withVendorFields(plain!, name, secret) } : "done"
      })
  })
  /** The fields of the calls of the last request. */
  const received = () =>
    requests.at(-1)!.messages.flatMap(({ content }) =>
      Content.blocks(content).flatMap((block) =>
        block.type === "tool_use" ? [ProviderSampler.vendorFields(block, name)] : []
      )
    )
  return { layer, received, requests }
}

const loop = Sampler.sample("Hi", { toolkit: Tools }).pipe(Effect.provide(handlers))

describe("opaque fields of a provider's reply", () => {
  it.effect("opaque fields travel with a call in the loop and in history, and go back to their provider", () =>
    Effect.gen(function*() {
      const acme = signing("acme")
      const { history } = yield* loop.pipe(Effect.provide(acme.layer))
      assert.deepStrictEqual(acme.received(), [secret])
      yield* Sampler.sample([...history, SamplingMessage.user("And now?")]).pipe(Effect.provide(acme.layer))
      assert.deepStrictEqual(acme.received(), [secret])
    }))

  it.effect("opaque fields go to no other provider and to no client", () =>
    Effect.gen(function*() {
      const { history } = yield* loop.pipe(Effect.provide(signing("acme").layer))
      const again = Sampler.sample([...history, SamplingMessage.user("And now?")])
      const other = signing("other")
      yield* again.pipe(Effect.provide(other.layer))
      assert.notInclude(JSON.stringify(other.requests), "c2ln")
      const client = fakeClient({ capabilities: { sampling: { tools: {} } } })
      yield* again.pipe(Effect.provide(ClientSampler.layer), client.provide)
      assert.include(JSON.stringify(client.asked), "clock")
      assert.notMatch(JSON.stringify(client.asked), /c2ln|effect-sampling/)
    }))

  it.effect("opaque fields that a client makes up are removed from its answer", () =>
    Effect.gen(function*() {
      const hello: Content.Content = text("hello")
      const forged = ProviderSampler.withVendorFields(hello, "acme", secret)
      const client = fakeClient({ reply: { ...answer, content: { ...forged, _meta: { ...forged._meta, own: 1 } } } })
      const reply = yield* Sampler.sample("Hi").pipe(Effect.provide(ClientSampler.layer), client.provide)
      assert.deepStrictEqual(reply.content, [{ ...text("hello"), _meta: { own: 1 } }])
    }))

  it.effect("opaque fields travel from one round to the next", () =>
    Effect.gen(function*() {
      const acme = signing("acme")
      const handler = Effect.gen(function*() {
        const step = yield* Sampler.step("Hi", { toolkit: Tools })
        const { name } = yield* Client.elicit(Schema.Struct({ name: Schema.String }), "Who?")
        yield* Sampler.sample([...step.history, SamplingMessage.user(`I am ${name}`)])
        return acme.requests.length
      }).pipe(Effect.provide([acme.layer, handlers]))
      const { rounds, value } = yield* drive(handler, () => ({ action: "accept", content: { name: "Ada" } })).pipe(
        Effect.provide(openStates)
      )
      assert.strictEqual(rounds.length, 1)
      // The first completion was recorded, so the second run asked only for the second one.
      assert.strictEqual(value, 2)
      assert.deepStrictEqual(acme.received(), [secret])
    }))

  it.effect("the reasoning and the metadata of a language model's call go back to it", () =>
    Effect.gen(function*() {
      const prompts: Array<Prompt.Prompt> = []
      const parts: Array<Response.PartEncoded> = [
        { type: "reasoning", text: "It is late.", metadata: { acme: secret } },
        {
          type: "tool-call",
          id: "1",
          name: "clock",
          params: {},
          providerExecuted: false,
          metadata: { acme: { thought: "dGhvdWdodA==" } }
        }
      ]
      const model = Layer.effect(
        LanguageModel.LanguageModel,
        LanguageModel.make({
          generateText: ({ prompt }) =>
            Effect.sync(() => prompts.push(prompt) === 1 ? parts : [{ type: "text" as const, text: "done" }]),
          streamText: () => Stream.empty
        })
      )
      const reply = yield* loop.pipe(Effect.provide(Layer.provide(LanguageModelSampler.layer({ name: "acme" }), model)))
      assert.strictEqual(reply.text, "done")
      const asked = prompts[1]?.content.find(({ role }) => role === "assistant")
      assert.deepStrictEqual(
        Array.isArray(asked?.content) ? asked.content.map(({ options, type }) => ({ type, options })) : [],
        [
          { type: "reasoning", options: { acme: secret } },
          { type: "tool-call", options: { acme: { thought: "dGhvdWdodA==" } } }
        ]
      )
    }))
})
