import { ClientConnection, ClientSampler, RequestState, Rounds, Sampler, SamplingError } from "@effect-sampling/core"
import { Feature } from "@effect-sampling/mcp-effect"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { McpServer, Tool, Toolkit } from "effect/ai"
import { Journal } from "../../mcp-sdk/test/fixtures/Journal.ts"
import type { Message } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { echo, meta, RoundsClient } from "./fixtures/RoundsClient.ts"
import { serveHttp, stdioClient, tools } from "./fixtures/servers.ts"

const Tools = Toolkit.make(
  Tool.make("chain", {
    parameters: Schema.Struct({ asks: Schema.Int }),
    success: Schema.String,
    failure: SamplingError.SamplingError
  }),
  Tool.make("parallel", { success: Schema.String, failure: SamplingError.SamplingError }),
  Tool.make("named", { success: Schema.String, failure: SamplingError.SamplingError }),
  Tool.make("withTools", { success: Schema.String, failure: SamplingError.SamplingError }),
  Tool.make("returned", { success: Schema.String, failure: SamplingError.SamplingError, failureMode: "return" }),
  Tool.make("preliminary", { success: Schema.String, failure: SamplingError.SamplingError }),
  Tool.make("image", { success: Schema.String, failure: SamplingError.SamplingError }),
  Tool.make("never", { success: Schema.Void })
)

const events = new Journal<string>()

const registrations = Layer.mergeAll(
  Feature.toolkit(Tools),
  Feature.prompt(
    { name: "improve", arguments: Schema.Struct({ prompt: Schema.String }) },
    ({ prompt }) => Effect.map(Sampler.sample(prompt), (reply) => reply.text)
  ),
  Feature.resource(
    { name: "definition", uri: "dictionary://{word}" },
    ({ variables }) => Effect.map(Sampler.sample(variables["word"]!), (reply) => reply.text)
  )
).pipe(
  Layer.provide(Tools.toLayer(Effect.map(Sampler.Sampler, (sampler) => {
    const ask = (text: string, options: { readonly key?: string } = {}) =>
      Effect.map(sampler.sample(text, options), (reply) => reply.text)
    return {
      chain: ({ asks }) => Effect.reduce(Array.from({ length: asks }), () => "start", (text) => ask(text)),
      parallel: () =>
        Effect.map(Effect.all([ask("a"), ask("b"), ask("c")], { concurrency: "unbounded" }), (all) => all.join()),
      named: () => ask("What is the capital?", { key: "capital" }),
      withTools: () =>
        Effect.as(
          sampler.createMessage({
            messages: [{ role: "user", content: { type: "text", text: "x" } }],
            maxTokens: 10,
            tools: [{ name: "clock", inputSchema: { type: "object" } }]
          }),
          "answered"
        ),
      returned: () => ask("x"),
      preliminary: (_, { preliminary }) => Effect.andThen(preliminary("working"), ask("x")),
      image: () =>
        Effect.map(
          sampler.createMessage({
            messages: [{ role: "user", content: { type: "text", text: "x" } }],
            maxTokens: 1,
            tools: [{ name: "clock", inputSchema: { type: "object" } }]
          }),
          (reply) => JSON.stringify(reply.content)
        ),
      never: () =>
        Effect.onInterrupt(
          Effect.suspend(() => {
            events.add("started")
            return Effect.never
          }),
          () => Effect.sync(() => events.add("interrupted"))
        )
    }
  }))),
  Layer.provide(ClientSampler.layer)
)

const served = (more: Layer.Layer<never> = Layer.empty) =>
  Effect.map(serveHttp(Layer.provide(registrations, more)), (url) => new RoundsClient(url))

const textOf = (reply: Message): string => reply.result.content[0].text

const capabilityError = (sampling: object) => ({ requiredCapabilities: { sampling } })

describe("Rounds", { timeout: 30_000 }, () => {
  it.live("a tool that asks nothing completes at once", () =>
    Effect.gen(function*() {
      const client = new RoundsClient(yield* serveHttp(tools()))
      const { reply, rounds } = yield* Effect.promise(() =>
        client.drive("tools/call", { name: "log", arguments: {} }, echo)
      )
      assert.deepStrictEqual([reply.result.resultType, textOf(reply), rounds.length], ["complete", "logged", 0])
    }))

  it.live("a tool that samples ends the round with its ask, and continues with the answer in the next round", () =>
    Effect.gen(function*() {
      const client = yield* served()
      const { reply, rounds } = yield* Effect.promise(() =>
        client.drive("tools/call", { name: "chain", arguments: { asks: 3 } }, echo)
      )
      assert.strictEqual(textOf(reply), "<<<start>>>")
      assert.strictEqual(rounds.length, 3)
      for (const round of rounds) {
        const [request] = Object.values(round.result.inputRequests) as ReadonlyArray<Message>
        assert.strictEqual(request!.method, "sampling/createMessage")
        assert.isNumber(request!.params.maxTokens)
      }
    }))

  it.live("concurrent asks share one round", () =>
    Effect.gen(function*() {
      const client = yield* served()
      const { reply, rounds } = yield* Effect.promise(() =>
        client.drive("tools/call", { name: "parallel", arguments: {} }, echo)
      )
      assert.strictEqual(textOf(reply), "<a>,<b>,<c>")
      assert.deepStrictEqual(rounds.map(({ result }) => Object.keys(result.inputRequests).length), [3])
    }))

  it.live("the name that an author gives to an ask becomes its key", () =>
    Effect.gen(function*() {
      const client = yield* served()
      const { rounds } = yield* Effect.promise(() => client.drive("tools/call", { name: "named" }, echo))
      assert.deepStrictEqual(Object.keys(rounds[0]!.result.inputRequests), ["capital"])
    }))

  it.live("a prompt that samples runs in rounds", () =>
    Effect.gen(function*() {
      const client = yield* served()
      const { reply, rounds } = yield* Effect.promise(() =>
        client.drive("prompts/get", { name: "improve", arguments: { prompt: "p" } }, echo)
      )
      assert.strictEqual(rounds.length, 1)
      assert.deepStrictEqual(reply.result.messages, [{ role: "user", content: { type: "text", text: "<p>" } }])
    }))

  it.live("a resource that samples fails with an error that says that resources cannot ask", () =>
    Effect.gen(function*() {
      const client = yield* served()
      const reply = yield* Effect.promise(() => client.request("resources/read", { uri: "dictionary://x" }))
      assert.strictEqual(reply.error?.code, -32_603)
      assert.include(reply.error?.message, "cannot ask on behalf of a resource over MCP 2026-07-28")
    }))

  it.live("rounds work over stdio on a server that also supports earlier revisions", () =>
    Effect.gen(function*() {
      const client = yield* stdioClient({}, { protocolVersion: "2026-07-28" })
      const params = { name: "ask", arguments: { prompt: "hi" }, _meta: meta() }
      const first = yield* Effect.promise(() => client.request("tools/call", params))
      assert.strictEqual(first.result.resultType, "input_required")
      const inputResponses = Object.fromEntries(
        Object.entries<Parameters<typeof echo>[0]>(first.result.inputRequests).map((
          [key, request]
        ) => [key, echo(request)])
      )
      const second = yield* Effect.promise(() =>
        client.request("tools/call", { ...params, inputResponses, requestState: first.result.requestState })
      )
      assert.deepStrictEqual(JSON.parse(textOf(second)), { ok: "<hi>" })
      assert.deepStrictEqual(client.noise, [])
    }))

  it.live("an answer with text, images and tool calls reaches the handler unchanged", () =>
    Effect.gen(function*() {
      const client = yield* served()
      const content = [
        { type: "text", text: "x" },
        { type: "image", mimeType: "image/png", data: "AQID" },
        { type: "tool_use", id: "1", name: "clock", input: { a: { b: [1, null] } } }
      ]
      const { reply } = yield* Effect.promise(() =>
        client.drive("tools/call", { name: "image" }, () => ({ role: "assistant", model: "m", content }))
      )
      assert.deepStrictEqual(JSON.parse(textOf(reply)), content)
    }))

  // requirement: progress/token
  it.live("preliminary results are sent as progress to a client that asked for it", () =>
    Effect.gen(function*() {
      const client = yield* served()
      const messages: Array<Message> = []
      const reply = yield* Effect.promise(() => client.callTool("preliminary", {}, { progressToken: 7 }, messages))
      assert.strictEqual(reply.result.resultType, "input_required")
      assert.deepStrictEqual(messages.map(({ params }) => params), [
        { progressToken: 7, progress: 1, message: "working" }
      ])
    }))

  it.live("a client that drops the request interrupts the handler", () =>
    Effect.gen(function*() {
      const client = yield* served()
      const controller = new AbortController()
      const dropped = client.callTool("never", {}, { signal: controller.signal }).catch(() => "dropped")
      yield* Effect.promise(() => events.find((event) => event === "started"))
      controller.abort()
      yield* Effect.promise(() => events.find((event) => event === "interrupted", 1000))
      assert.strictEqual(yield* Effect.promise(() => dropped), "dropped")
    }))
})

describe("Errors in rounds", { timeout: 30_000 }, () => {
  it.live("a capability that the client did not declare becomes error -32021 with status 400", () =>
    Effect.gen(function*() {
      const client = yield* served()
      for (
        const [method, name, capabilities, missing] of [
          ["tools/call", "named", {}, {}],
          ["tools/call", "withTools", { sampling: {} }, { tools: {} }],
          ["prompts/get", "improve", {}, {}]
        ] as const
      ) {
        const reply = yield* Effect.promise(() =>
          client.request(method, { name, ...(name === "improve" && { arguments: { prompt: "p" } }) }, { capabilities })
        )
        assert.strictEqual(reply.error?.code, -32_021, name)
        assert.deepStrictEqual(reply.error?.data, capabilityError(missing), name)
        assert.include(reply.error?.message, "Cannot ask the model of the client \"rounds 1.0.0\"", name)
        assert.strictEqual(reply.status, 400, name)
      }
    }))

  it.live("a tool with the failure mode return answers a missing capability with an error result", () =>
    Effect.gen(function*() {
      const client = yield* served()
      const reply = yield* Effect.promise(() => client.callTool("returned", {}, { capabilities: {} }))
      assert.isTrue(reply.result.isError)
      assert.include(textOf(reply), "did not declare the capability")
    }))

  it.live("a rejected state and a malformed answer become error -32602", () =>
    Effect.gen(function*() {
      const rejecting = Layer.succeed(RequestState.RequestState, {
        seal: () => Effect.succeed("state"),
        open: () => Effect.fail(new RequestState.StateRejected({ reason: "tampered", message: "Not our state." }))
      })
      const client = yield* served(rejecting)
      for (const [method, name] of [["tools/call", "named"], ["prompts/get", "improve"]] as const) {
        const params = { name, arguments: { prompt: "p" } }
        const reply = yield* Effect.promise(() => client.request(method, { ...params, requestState: "forged" }))
        assert.deepStrictEqual(reply.error, { code: -32_602, message: "Not our state." })
        const malformed = yield* Effect.promise(() =>
          client.request(method, { ...params, inputResponses: { capital: { role: "assistant" } } })
        )
        assert.strictEqual(malformed.error?.code, -32_602)
      }
    }))

  it.live("a state is accepted only for its own call and its own principal", () =>
    Effect.gen(function*() {
      const auth = McpServer.middleware((effect, { headers }) =>
        Effect.provideService(effect, ClientConnection.Principal, () => headers["x-user"])
      )
      const client = new RoundsClient(yield* serveHttp(Layer.provide(registrations, auth.layer)))
      const call = (name: string, user: string, requestState?: string) =>
        Effect.promise(() => client.request("tools/call", { name, requestState }, { headers: { "x-user": user } }))
      const { requestState } = (yield* call("parallel", "alice")).result
      assert.isString(requestState)
      for (
        const reply of [
          yield* call("parallel", "mallory", requestState),
          yield* call("named", "alice", requestState),
          yield* call("parallel", "alice", `${requestState}x`)
        ]
      ) {
        assert.strictEqual(reply.error?.code, -32_602)
      }
      assert.strictEqual((yield* call("parallel", "alice", requestState)).result.resultType, "input_required")
    }))

  it.live("an answer that Effect's server accepts but that does not fit its ask becomes error -32602", () =>
    Effect.gen(function*() {
      const client = yield* served()
      for (const answer of [{ roots: [] }, { action: "accept" }]) {
        const reply = yield* Effect.promise(() =>
          client.request("tools/call", { name: "named", inputResponses: { capital: answer } })
        )
        assert.strictEqual(reply.error?.code, -32_602)
        assert.include(reply.error?.message, "inputResponses[\"capital\"] is not a valid answer")
      }
    }))

  it.live("a state that cannot be kept becomes an error result of a tool and an internal error of a prompt", () =>
    Effect.gen(function*() {
      const failing = Layer.succeed(RequestState.RequestState, {
        seal: () =>
          Effect.fail(new RequestState.StateNotKept({ reason: "tooLarge", message: "The state is too large." })),
        open: () => Effect.succeed(new Uint8Array())
      })
      const client = yield* served(failing)
      const tool = yield* Effect.promise(() => client.callTool("parallel"))
      assert.isTrue(tool.result.isError)
      assert.strictEqual(textOf(tool), "The state is too large.")
      const prompt = yield* Effect.promise(() =>
        client.request("prompts/get", { name: "improve", arguments: { prompt: "p" } })
      )
      assert.deepStrictEqual(prompt.error, { code: -32_603, message: "The state is too large." })
    }))

  it.live("a tool that needs more rounds than MaxRounds returns an error result", () =>
    Effect.gen(function*() {
      const client = yield* served(Layer.succeed(Rounds.MaxRounds, 2))
      const { reply, rounds } = yield* Effect.promise(() =>
        client.drive("tools/call", { name: "chain", arguments: { asks: 5 } }, echo)
      )
      assert.strictEqual(rounds.length, 2)
      assert.isTrue(reply.result.isError)
    }))
})
