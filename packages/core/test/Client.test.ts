import { Client, ClientConnection, ClientSampler, Sampler, TestSampler } from "@effect-sampling/core"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"

const connection = (capabilities: ClientConnection.ClientCapabilities): ClientConnection.ClientConnection => ({
  client: undefined,
  protocolVersion: "2025-11-25",
  capabilities,
  unreachable: undefined,
  ask: (_, decode) => Effect.fromResult(decode({ action: "accept", content: { name: "Ada" } }))
})

const elicit = (elicitation: ClientConnection.ClientCapabilities["elicitation"]) =>
  Client.elicit(Schema.Struct({ name: Schema.String }), "What is your name?").pipe(
    Effect.provideService(ClientConnection.ClientConnection, connection({ elicitation }))
  )

describe("Client.elicit", () => {
  it.effect.each([{}, { form: {} }, { form: {}, url: {} }])(
    "Client.elicit asks a client that declared elicitation as %o",
    (elicitation) =>
      Effect.gen(function*() {
        expect(yield* elicit(elicitation)).toStrictEqual({ name: "Ada" })
      })
  )

  it.effect.each([undefined, { url: {} }])(
    "Client.elicit does not ask a client without forms, which declared elicitation as %o",
    (elicitation) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(elicit(elicitation))
        expect(error).toMatchObject({ _tag: "ClientUnsupported", missing: "elicitation" })
      })
  )
})

describe("Client.check", () => {
  const from = (capabilities: ClientConnection.ClientCapabilities | undefined) =>
    Effect.provideService(
      Client.check(["sampling", "sampling.tools", "elicitation", "roots"]),
      ClientConnection.ClientConnection,
      capabilities && connection(capabilities)
    )

  it.effect.each<[capabilities: ClientConnection.ClientCapabilities | undefined, missing: string]>([
    [undefined, "client"],
    [{}, "sampling"],
    [{ sampling: {} }, "sampling.tools"],
    [{ sampling: { tools: {} } }, "elicitation"],
    [{ sampling: { tools: {} }, elicitation: {} }, "roots"]
  ])(
    "Client.check names the first requirement that is not met: %o lacks %s",
    ([capabilities, missing]) =>
      Effect.gen(function*() {
        expect(yield* Effect.flip(from(capabilities))).toMatchObject({ missing })
        expect(yield* Effect.flip(Effect.provide(from(capabilities), ClientSampler.layer))).toMatchObject({ missing })
      })
  )

  it.effect("Client.check succeeds where everything is there, with a Sampler and without one", () =>
    Effect.gen(function*() {
      const all = { sampling: { tools: {} }, elicitation: {}, roots: {} }
      yield* from(all)
      yield* Effect.provide(from(all), ClientSampler.layer)
    }))

  it.effect("Client.check asks the Sampler, and says that no source answers where the client could", () =>
    Effect.gen(function*() {
      const both = Client.check(["sampling", "sampling.tools"])
      yield* Effect.provide(both, TestSampler.scripted([]))
      const none = Sampler.make({
        capabilities: Effect.succeed({ sampling: true, tools: false, jsonSchema: false }),
        createMessage: () => Effect.never
      })
      const error = yield* both.pipe(
        Effect.provideService(Sampler.Sampler, none),
        Effect.provideService(ClientConnection.ClientConnection, connection({ sampling: { tools: {} } })),
        Effect.flip
      )
      expect(error).toMatchObject({
        missing: "sampling.tools",
        message: expect.stringContaining("not those with tools")
      })
    }))

  it.effect("Client.check does not take tools for sampling", () =>
    Effect.gen(function*() {
      const odd = Sampler.make({
        capabilities: Effect.succeed({ sampling: false, tools: true, jsonSchema: false }),
        createMessage: () => Effect.never
      })
      const error = yield* Effect.flip(
        Effect.provideService(Client.check(["sampling.tools"]), Sampler.Sampler, odd)
      )
      expect(error).toMatchObject({ missing: "sampling.tools" })
    }))

  it.effect("Client.check accepts what one of several sources can, and moves on only as they do", () =>
    Effect.gen(function*() {
      const client = Effect.provideService(
        Client.check(["sampling", "sampling.tools"]),
        ClientConnection.ClientConnection,
        connection({ sampling: {} })
      )
      const both = Sampler.fallback(ClientSampler.layer, TestSampler.scripted([]))
      yield* Effect.provide(client, both)
      const never = Sampler.fallback(ClientSampler.layer, TestSampler.scripted([]), { when: () => false })
      expect(yield* Effect.flip(Effect.provide(client, never))).toMatchObject({ missing: "sampling.tools" })
    }))

  it.effect("Client.check refuses what is not a requirement", () =>
    Effect.gen(function*() {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what an author without types writes
      const exit = yield* Effect.exit(Client.check(["elicit" as "elicitation"]))
      expect(String(exit)).toContain("\"elicit\" is not a valid requirement")
    }))
})
