import { type ClientConnection, ClientSampler, Sampler, SamplingError, SamplingMessage } from "@effect-sampling/core"
import * as Advice from "@effect-sampling/core/wire/Advice"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Latch, Schema } from "effect"
import {
  answer,
  audio,
  failingClient,
  fakeClient,
  hello,
  image,
  recordSpans,
  text,
  tool,
  toolResult,
  toolUse
} from "./fixtures/domain.ts"

const { assistant, user } = SamplingMessage

type Request = Parameters<Sampler.Sampler["Service"]["createMessage"]>[0]

const ask = (client: ReturnType<typeof fakeClient>, request: Request = hello) =>
  Sampler.Sampler.use((sampler) => sampler.createMessage(request)).pipe(
    client.provide,
    Effect.provide(ClientSampler.layer)
  )

const conversation = (...messages: ReadonlyArray<SamplingMessage.SamplingMessage>): Request => ({ ...hello, messages })

const toolTurn = conversation(user("hi"), assistant([text("ok"), toolUse("1")]), user([toolResult("1")]))

const capabilities = {
  none: {},
  sampling: { sampling: {} },
  tools: { sampling: { tools: {} } },
  context: { sampling: { context: {} } }
}

describe("ClientSampler", () => {
  it.effect("ClientSampler sends the request as MCP defines it, and returns the client's answer", () =>
    Effect.gen(function*() {
      const client = fakeClient({ reply: { ...answer, _meta: { a: 1 }, extra: true } })
      const request = { ...hello, systemPrompt: "Be brief.", temperature: 0.1, metadata: { a: 1 } }
      const response = yield* ask(client, request)
      assert.deepStrictEqual(client.asked, [{ method: "sampling/createMessage", params: request }])
      assert.deepStrictEqual<unknown>(response, {
        ...answer,
        _meta: { a: 1 },
        source: { kind: "client", name: "editor" },
        passedOver: []
      })
    }))

  it.effect("ClientSampler accepts an answer of several blocks without a stop reason", () =>
    Effect.gen(function*() {
      const { stopReason: _, ...rest } = answer
      const response = yield* ask(fakeClient({ reply: { ...rest, content: [text("a"), image, audio] } }))
      assert.deepStrictEqual(response.content, [text("a"), image, audio])
      assert.isUndefined(response.stopReason)
    }))

  it.effect("the source of an answer from a client without a name is `client`", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* ask(fakeClient({ client: undefined }))).source, { kind: "client", name: "client" })
    }))

  it.effect("a client's name of 1 MB is truncated in sources and error texts", () =>
    Effect.gen(function*() {
      const client = { name: "x".repeat(1_000_000), version: "y".repeat(1_000_000) }
      assert.isBelow((yield* ask(fakeClient({ client }))).source.name.length, 250)
      const errors = yield* Effect.all([
        Effect.flip(ask(fakeClient({ client, reply: 5 }))),
        Effect.flip(ask(fakeClient({ client, capabilities: {} }))),
        Effect.flip(ask(fakeClient({ client }), { ...hello, tools: [tool] })),
        Effect.flip(ask(fakeClient({ client, unreachable: "It is away." })))
      ])
      for (const error of errors) assert.isBelow(error.message.length, 600)
    }))

  describe("missing capabilities", () => {
    it.effect("without a connected client, the error says that the client is missing", () =>
      Effect.gen(function*() {
        const error = yield* Sampler.sample("hi").pipe(Effect.provide(ClientSampler.layer), Effect.flip)
        assert.strictEqual(error._tag === "SamplingUnsupported" && error.missing, "client")
        assert.include(Advice.of(error), "Sampler.fallback")
        assert.notInclude(error.message, "Sampler.fallback")
      }))

    it.effect.each<[string, Parameters<typeof fakeClient>[0], Request, string, string]>([
      [
        "a back-channel",
        { unreachable: "This server is stateless." },
        hello,
        "backChannel",
        "This server is stateless."
      ],
      ["sampling", { capabilities: {} }, hello, "sampling", `did not declare the capability "sampling"`],
      ["sampling.tools for tools", {}, { ...hello, tools: [tool] }, "sampling.tools", "not \"sampling.tools\""],
      [
        "sampling.tools for a tool choice",
        {},
        { ...hello, toolChoice: { mode: "none" } },
        "sampling.tools",
        "with tools"
      ],
      ["sampling.tools for a history with tool calls", {}, toolTurn, "sampling.tools", "with tools"],
      [
        "sampling.tools but declared sampling.context",
        { capabilities: capabilities.context },
        { ...hello, tools: [tool] },
        "sampling.tools",
        "with tools"
      ],
      [
        "audio",
        { protocolVersion: "2024-11-05" },
        conversation(user([text("a"), audio])),
        "content",
        `MCP "2024-11-05"`
      ]
    ])(
      "a client that lacks %s is not asked, and the error says what is missing",
      ([, fields, request, missing, part]) =>
        Effect.gen(function*() {
          const client = fakeClient(fields)
          const error = yield* Effect.flip(ask(client, request))
          assert.strictEqual<string | false>(error._tag === "SamplingUnsupported" && error.missing, missing)
          assert.include(error.message, `the client "editor 1.0.0"`)
          assert.include(error.message, part)
          assert.include(Advice.of(error), "Sampler.fallback(ClientSampler.layer, provider)")
          assert.notInclude(error.message, "Sampler.fallback")
          assert.deepStrictEqual(client.asked, [])
        })
    )

    it.effect("a client that declares a capability as null, as some do, is not asked", () =>
      Effect.gen(function*() {
        const nothing = fakeClient({ capabilities: fromWire({ sampling: null }) })
        const error = yield* Effect.flip(ask(nothing))
        assert.strictEqual(error._tag === "SamplingUnsupported" && error.missing, "sampling")
        const noTools = fakeClient({ capabilities: fromWire({ sampling: { tools: null } }) })
        assert.strictEqual((yield* Effect.flip(ask(noTools, { ...hello, tools: [tool] })))._tag, "SamplingUnsupported")
        assert.deepStrictEqual([...nothing.asked, ...noTools.asked], [])
      }))

    it.effect("a protocol version of 2 MB is truncated in the error text", () =>
      Effect.gen(function*() {
        const client = fakeClient({ protocolVersion: "1\n".repeat(1_000_000) })
        const error = yield* Effect.flip(ask(client, conversation(user(audio))))
        assert.isBelow(error.message.length, 600)
        assert.notInclude(error.message, "\n")
      }))

    it.effect("an invalid request is not sent to the client", () =>
      Effect.gen(function*() {
        const client = fakeClient()
        assert.strictEqual((yield* Effect.flip(ask(client, { ...hello, maxTokens: 0 })))._tag, "InvalidRequest")
        assert.deepStrictEqual(client.asked, [])
      }))
  })

  it.effect.each<[string, Parameters<typeof fakeClient>[0], Request]>([
    ["tools to a client with sampling.tools", { capabilities: capabilities.tools }, { ...hello, tools: [tool] }],
    ["tool results to a client with sampling.tools", { capabilities: capabilities.tools }, toolTurn],
    [
      "includeContext to a client with sampling.context",
      { capabilities: capabilities.context },
      { ...hello, includeContext: "allServers" }
    ],
    ["includeContext none to any client", {}, { ...hello, includeContext: "none" }],
    [
      "includeContext to a client of a revision before sampling.context",
      { protocolVersion: "2025-06-18" },
      { ...hello, includeContext: "thisServer" }
    ],
    ["audio to a client of revision 2025-03-26", { protocolVersion: "2025-03-26" }, conversation(user(audio))],
    ["audio to a client of unknown revision", { protocolVersion: undefined }, conversation(user(audio))]
  ])("ClientSampler sends %s", ([, fields, request]) =>
    Effect.gen(function*() {
      const client = fakeClient(fields)
      yield* ask(client, request)
      assert.deepStrictEqual(client.asked.map(({ params }) => params), [request])
    }))

  // requirement: sampling/context-capability
  it.effect.each<[string, Parameters<typeof fakeClient>[0]]>([
    ["that did not declare sampling.context", {}],
    ["that declared null as sampling.context", { capabilities: fromWire({ sampling: { context: null } }) }],
    ["that declared sampling.tools only", { capabilities: capabilities.tools }],
    ["of an unknown revision", { protocolVersion: undefined }],
    ["of the revision 2026-07-28", { protocolVersion: "2026-07-28" }]
  ])("includeContext is left out for a client %s, and the span records it", ([, fields]) =>
    Effect.gen(function*() {
      for (const includeContext of ["thisServer", "allServers"] as const) {
        const client = fakeClient(fields)
        const { layer, spans } = recordSpans()
        yield* Effect.provide(ask(client, { ...hello, includeContext }), layer)
        assert.deepStrictEqual(client.asked.map(({ params }) => params), [hello])
        assert.strictEqual(spans[0]!.attributes.get("sampling.include_context.omitted"), includeContext)
      }
    }))

  describe("refusals as results", () => {
    // The answer of GitHub Copilot CLI 1.0.102 when its user says no.
    const copilot = {
      role: "user",
      model: "",
      stopReason: "cancelled",
      content: text("The user cancelled the request.")
    }

    it.effect.each<[string, object]>([
      ["in the words of GitHub Copilot", copilot],
      ["in another language", { ...copilot, content: text("Der Benutzer hat die Anfrage abgebrochen.") }],
      ["with an empty text", { ...copilot, content: text("") }],
      ["with an empty list of blocks", { ...copilot, content: [] }],
      ["in other letter case", { ...copilot, stopReason: "Cancelled" }],
      ["in American spelling", { ...copilot, stopReason: "canceled" }],
      ["with the stop reason declined", { ...copilot, stopReason: "declined" }],
      ["with the stop reason rejected", { ...copilot, stopReason: "rejected" }],
      ["in the role of the assistant, with a partial answer", { ...answer, stopReason: "cancelled" }],
      ["without a model", { role: "user", stopReason: "cancelled", content: text("No.") }],
      ["with null for the model and the content", { ...copilot, model: null, content: null }],
      ["without content", { role: "user", stopReason: "cancelled", model: "" }],
      ["with content as plain text", { ...copilot, content: "No." }],
      ["as user_cancelled", { ...copilot, stopReason: "user_cancelled" }],
      ["as rejectedByUser", { ...copilot, stopReason: "rejectedByUser" }],
      ["with an invisible character behind it", { ...copilot, stopReason: "cancelled\u200b" }]
    ])("a result that says the user cancelled is a SamplingRejected: %s", ([, reply]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(ask(fakeClient({ reply })))
        assert.strictEqual(error._tag, "SamplingRejected")
        assert.include(error.message, "the client \"editor 1.0.0\" rejected the sampling request")
        assert.notInclude(error.message, "The user cancelled the request.")
      }))

    it.effect.each(["endTurn", "stopSequence", "maxTokens", "refusal", undefined])(
      "a result in Copilot's words with the stop reason %s is an answer, not a refusal",
      (stopReason) =>
        Effect.gen(function*() {
          const { stopReason: _, ...rest } = copilot
          const reply = stopReason === undefined ? rest : { ...rest, stopReason }
          assert.deepStrictEqual((yield* ask(fakeClient({ reply }))).content, copilot.content)
        })
    )
  })

  describe("messages of several blocks", () => {
    const request = conversation(
      { ...user([text("a"), image]), _meta: { id: 1 } },
      assistant("b"),
      user([text("c")])
    )

    // requirement: sampling/single-block
    it.effect.each(["2024-11-05", "2025-03-26", "2025-06-18", undefined])(
      "messages of several blocks are split for revision %s, where a message is one block",
      (protocolVersion) =>
        Effect.gen(function*() {
          const client = fakeClient({ protocolVersion })
          yield* ask(client, request)
          assert.deepStrictEqual<unknown>(client.asked[0]!.params, {
            ...hello,
            messages: [
              { role: "user", content: text("a"), _meta: { id: 1 } },
              { role: "user", content: image, _meta: { id: 1 } },
              { role: "assistant", content: text("b") },
              { role: "user", content: text("c") }
            ]
          })
        })
    )

    it.effect.each(["2025-11-25", "2026-07-28"])(
      "messages of several blocks stay whole for revision %s",
      (protocolVersion) =>
        Effect.gen(function*() {
          const client = fakeClient({ protocolVersion })
          yield* ask(client, request)
          assert.deepStrictEqual(client.asked[0]!.params, request)
        })
    )

    it.effect("messages with tool content stay whole, because no old revision has tool content", () =>
      Effect.gen(function*() {
        const client = fakeClient({ protocolVersion: undefined, capabilities: capabilities.tools })
        yield* ask(client, toolTurn)
        assert.deepStrictEqual(client.asked[0]!.params, toolTurn)
      }))
  })

  describe("malformed answers", () => {
    const secret = "SECRET"
    it.effect.each<[string, unknown]>([
      ["nothing", undefined],
      ["null", null],
      ["text", secret],
      ["a list", [answer]],
      ["an empty object", {}],
      ["no content", { ...answer, content: undefined }],
      ["content as text", { ...answer, content: secret }],
      ["an unknown block", { ...answer, content: { type: secret } }],
      ["a block without text", { ...answer, content: { type: "text", secret } }],
      ["a wrong block among others", { ...answer, content: [text(secret), { type: "text", text: { secret } }] }],
      ["an image that is not base64", { ...answer, content: { ...image, data: `${secret}!` } }],
      ["a system role", { ...answer, role: secret }],
      ["no model", { ...answer, model: undefined }],
      ["a model that is an object", { ...answer, model: { secret } }],
      ["a stop reason that is a number", { ...answer, stopReason: 5 }],
      ["a tool call without offered tools", { ...answer, content: { ...toolUse(secret), name: secret } }],
      ["a tool result", { ...answer, content: toolResult(secret) }]
    ])("a malformed answer is an InvalidResponse that does not quote it: %s", ([, reply]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(ask(fakeClient({ reply })))
        assert.strictEqual(error._tag, "InvalidResponse")
        assert.include(error.message, "the client \"editor")
        assert.notInclude(error.message, secret)
        assert.isBelow(error.message.length, 600)
      }))

    it.effect("an answer of a million wrong blocks is refused at the first one", () =>
      Effect.gen(function*() {
        const content = Array.from({ length: 1_000_000 }, () => 0)
        const error = yield* Effect.flip(ask(fakeClient({ reply: { ...answer, content } })))
        assert.strictEqual(error._tag, "InvalidResponse")
        assert.include(error.message, "content[0]: Expected a content block")
        assert.notInclude(error.message, "content[1]")
      }))

    it.effect.prop(
      "no JSON answer causes a defect, and the error text is bounded",
      [Schema.Json],
      ([reply]) =>
        Effect.gen(function*() {
          for (const json of [reply, { ...answer, content: reply }, { ...answer, model: reply }]) {
            const exit = yield* Effect.exit(ask(fakeClient({ reply: json })))
            if (Exit.isFailure(exit)) {
              assert.isFalse(Cause.hasDies(exit.cause))
              const error = Cause.squash(exit.cause)
              assert.isTrue(SamplingError.isSamplingError(error) && error._tag === "InvalidResponse")
              assert.isTrue(error instanceof Error && error.message.length < 600)
            }
          }
        })
    )
  })

  it.effect("ClientSampler fails with the error of the connection", () =>
    Effect.gen(function*() {
      const lost = new SamplingError.ConnectionLost({ message: "gone" })
      assert.strictEqual(yield* Effect.flip(ask(failingClient(lost))), lost)
    }))

  it.effect("an interrupted sample cancels the client's ask", () =>
    Effect.gen(function*() {
      const started = yield* Latch.make()
      let cancelled = false
      const client = fakeClient({
        ask: () =>
          started.open.pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.sync(() => (cancelled = true)))
          )
      })
      const fiber = yield* Effect.forkChild(ask(client))
      yield* started.await
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.isTrue(cancelled)
    }))

  it.effect("one ClientSampler layer asks the client of each fiber", () =>
    Effect.gen(function*() {
      const gate = yield* Latch.make()
      const clients = ["a", "b", "c", "d"].map((name) =>
        fakeClient({
          client: { name, version: "1" },
          ask: () => Effect.as(gate.await, { ...answer, content: text(`from ${name}`) })
        })
      )
      const fibers = yield* Effect.forEach(clients, (client) =>
        Effect.forkChild(
          client.provide(Effect.all([Sampler.sample("1"), Sampler.sample("2")], { concurrency: 2 })),
          { startImmediately: true }
        ))
      yield* gate.open
      const replies = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(
        replies.map((pair) => pair.map((reply) => [reply.source.name, reply.text])),
        ["a", "b", "c", "d"].map((name) => [[name, `from ${name}`], [name, `from ${name}`]])
      )
    }).pipe(Effect.provide(ClientSampler.layer)))

  describe("capabilities", () => {
    const tools = (client: ReturnType<typeof fakeClient>) =>
      Sampler.Sampler.use((sampler) => sampler.capabilities).pipe(
        client.provide,
        Effect.provide(ClientSampler.layer),
        Effect.map((capabilities) => capabilities.tools)
      )

    it.effect("the sampler's capabilities are those of the connected client", () =>
      Effect.gen(function*() {
        assert.isTrue(yield* tools(fakeClient({ capabilities: capabilities.tools })))
        assert.isFalse(yield* tools(fakeClient({ capabilities: capabilities.sampling })))
        assert.isFalse(yield* tools(fakeClient({ capabilities: capabilities.none })))
        assert.isFalse(yield* tools(fakeClient({ capabilities: capabilities.tools, unreachable: "It is away." })))
        assert.isFalse(yield* tools(fakeClient({ capabilities: fromWire({ sampling: null }) })))
        assert.isFalse(yield* tools(fakeClient({ capabilities: fromWire({ sampling: { tools: null } }) })))
      }))

    it.effect("the sampler has no capabilities without a client", () =>
      Effect.gen(function*() {
        const capabilities = yield* Effect.flatMap(Sampler.Sampler, (sampler) => sampler.capabilities)
        assert.deepStrictEqual(capabilities, { sampling: false, tools: false, jsonSchema: false })
      }).pipe(Effect.provide(ClientSampler.layer)))
  })
})

const fromWire = (wire: unknown): ClientConnection.ClientCapabilities =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a client sends need not have this type
  wire as ClientConnection.ClientCapabilities
