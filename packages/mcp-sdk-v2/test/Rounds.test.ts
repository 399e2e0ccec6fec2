import { Client, ClientConnection, ClientSampler, RequestState, Sampler, SamplingError } from "@effect-sampling/core"
import { Feature, StdioServer, StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Schema, Scope } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { Journal } from "../../mcp-sdk/test/fixtures/Journal.ts"
import { PipeClient, textOf } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import type { Reply, Request, Send } from "./fixtures/RoundsClient.ts"
import { drive, echo, overHttp, overStdio, tool, withEnvelope } from "./fixtures/RoundsClient.ts"

const failure = SamplingError.SamplingError

const Tools = Toolkit.make(
  Tool.make("plain", { parameters: Schema.Struct({ n: Schema.Int }), success: Schema.Struct({ n: Schema.Int }) }),
  Tool.make("chain", { parameters: Schema.Struct({ asks: Schema.Int }), success: Schema.String, failure }),
  Tool.make("other", { parameters: Schema.Struct({ asks: Schema.Int }), success: Schema.String, failure }),
  Tool.make("parallel", { success: Schema.String, failure }),
  Tool.make("named", { success: Schema.String, failure }),
  Tool.make("everything", { success: Schema.String, failure: Client.ClientAskError }),
  Tool.make("withTools", { success: Schema.String, failure }),
  Tool.make("elicits", { success: Schema.String, failure: Client.ClientAskError }),
  Tool.make("roots", { success: Schema.String, failure: Client.ClientAskError }),
  Tool.make("image", { success: Schema.String, failure }),
  Tool.make("finalizes", { success: Schema.String, failure }),
  Tool.make("never", { success: Schema.Void }),
  Tool.make("slow", { success: Schema.String })
)

const makeFeatures = (tell: (event: string) => void) => {
  const ask = (text: string, options: Sampler.SampleOptions = {}) =>
    Effect.map(Sampler.sample(text, options), (reply) => reply.text)
  const handlers = Tools.toLayer(Effect.map(Effect.context<Sampler.Sampler>(), (context) => {
    const provide = Effect.provideContext(context)
    const chain = ({ asks }: { readonly asks: number }) =>
      provide(Effect.reduce(Array.from({ length: asks }), () => "start", (text) => ask(text)))
    return {
      plain: ({ n }) => Effect.succeed({ n: n * 2 }),
      chain: (parameters) => Effect.andThen(Effect.sync(() => tell("chain")), chain(parameters)),
      other: chain,
      parallel: () =>
        provide(
          Effect.map(Effect.all([ask("a"), ask("b"), ask("c")], { concurrency: "unbounded" }), (all) => all.join())
        ),
      named: () => provide(ask("What is the capital?", { key: "capital" })),
      everything: () =>
        provide(Effect.map(
          Effect.all([
            ask("greet", { key: "greeting" }),
            Client.elicit(Schema.Struct({ name: Schema.String }), "Who?", { key: "user" }),
            Client.roots({ key: "roots" })
          ], { concurrency: "unbounded" }),
          ([greeting, { name }, roots]) => `${greeting} ${name} ${roots.map(({ uri }) => uri).join()}`
        )),
      withTools: () =>
        provide(Effect.as(
          Effect.flatMap(Sampler.Sampler, (sampler) =>
            sampler.createMessage({
              messages: [{ role: "user", content: { type: "text", text: "x" } }],
              maxTokens: 10,
              tools: [{ name: "clock", inputSchema: { type: "object" } }]
            })),
          "answered"
        )),
      elicits: () => Effect.map(Client.elicit(Schema.Struct({ name: Schema.String }), "Who?"), ({ name }) => name),
      roots: () => Effect.map(Client.roots(), (roots) => String(roots.length)),
      image: () => provide(Effect.as(ask("draw"), "drawn")),
      finalizes: () => Effect.ensuring(provide(ask("x")), Effect.sync(() => tell("finalized"))),
      never: () =>
        Effect.andThen(Effect.sync(() => tell("never started")), Effect.never).pipe(
          Effect.onInterrupt(() => Effect.sync(() => tell("never interrupted")))
        ),
      slow: () => Effect.as(Effect.delay(Effect.sync(() => tell("slow started")), 0), "slow").pipe(Effect.delay(300))
    }
  }))
  return [
    Feature.toolkit(Tools).pipe(Effect.provide(handlers)),
    Feature.prompt(
      { name: "improve", arguments: Schema.Struct({ prompt: Schema.String }) },
      ({ prompt }) => ask(prompt)
    ),
    Feature.resource(
      { name: "definition", uri: "dictionary://{word}" },
      ({ variables }) => ask(String(variables["word"]))
    )
  ].map((feature) => Effect.provide(feature, ClientSampler.layer))
}

interface Target {
  readonly send: Send
  readonly events: Journal<string>
}

const serveHttp = (
  services: Context.Context<never> = Context.empty(),
  options: Partial<StreamableHttpServer.Options<never, never>> = {}
): Effect.Effect<Target & { readonly url: string }, StreamableHttpServer.ListenError, Scope.Scope> =>
  Effect.gen(function*() {
    const events = new Journal<string>()
    const context = yield* Layer.build(StreamableHttpServer.layer({
      name: "fixture",
      version: "1.0.0",
      port: 0,
      shutdownGrace: 100,
      features: makeFeatures(events.add),
      ...options
    }))
    const { url } = Context.get(context, StreamableHttpServer.Address)
    return { url, send: overHttp(url), events }
  }).pipe(Effect.provideContext(services))

const serveStdio = Effect.gen(function*() {
  const client = new PipeClient()
  yield* StdioServer.serve({
    name: "fixture",
    version: "1.0.0",
    stdin: client.stdin,
    stdout: client.stdout,
    shutdownGrace: 100,
    features: makeFeatures(client.events.add)
  }).pipe(
    Effect.ensuring(Effect.sync(() => client.events.add("served"))),
    Effect.forkScoped({ startImmediately: true })
  )
  return { client, send: overStdio(client), events: client.events }
})

const call = (send: Send, request: Request): Effect.Effect<Reply> => Effect.promise(() => send(request))

const complete = (send: Send, request: Request, answer = echo) => Effect.promise(() => drive(send, request, answer))

/** The first round of a call that asks `n` times in turn, with what the second has to send. */
const firstRound = (send: Send, name = "chain", asks = 1) =>
  Effect.map(call(send, tool(name, { asks })), (reply) => {
    assert.strictEqual(reply.result.resultType, "input_required")
    const [key] = Object.keys(reply.result.inputRequests)
    return {
      key: key!,
      requestState: reply.result.requestState,
      answered: (answer: unknown) => ({ inputResponses: { [key!]: answer }, ...state(reply) })
    }
  })

const state = ({ result }: Reply): object =>
  result.requestState === undefined ? {} : { requestState: result.requestState }

const answer = echo({ params: { messages: [{ content: { text: "start" } }] } })

for (
  const [transport, serve] of [
    ["HTTP", serveHttp()],
    ["stdio", serveStdio]
  ] as const
) {
  describe(`In rounds over ${transport}`, { timeout: 30_000 }, () => {
    it.live("a call without asks is complete at once", () =>
      Effect.gen(function*() {
        const { send } = yield* serve
        const { result } = yield* call(send, tool("plain", { n: 21 }))
        assert.deepInclude(result, { resultType: "complete", structuredContent: { n: 42 } })
        assert.isTrue((yield* call(send, tool("plain", { n: "x" }))).result.isError)
        assert.strictEqual((yield* call(send, tool("missing"))).error!.code, -32_602)
      }))

    // requirement: rounds/input-required
    it.live("asks one after the other take a round each, asks at once take one", () =>
      Effect.gen(function*() {
        const { send } = yield* serve
        const chain = yield* complete(send, tool("chain", { asks: 3 }))
        assert.strictEqual(textOf(chain.reply), "<<<start>>>")
        assert.strictEqual(chain.rounds.length, 3)
        const parallel = yield* complete(send, tool("parallel"))
        assert.strictEqual(textOf(parallel.reply), "<a>,<b>,<c>")
        assert.deepStrictEqual(parallel.rounds.map(({ result }) => Object.keys(result.inputRequests).length), [3])
      }))

    it.live("the author's key of an ask is its key on the wire", () =>
      Effect.gen(function*() {
        const { send } = yield* serve
        const { reply, rounds } = yield* complete(send, tool("named"))
        assert.deepStrictEqual(Object.keys(rounds[0]!.result.inputRequests), ["capital"])
        assert.strictEqual(textOf(reply), "<What is the capital?>")
      }))

    it.live("samples, questions and roots travel together", () =>
      Effect.gen(function*() {
        const { send } = yield* serve
        const { reply, rounds } = yield* Effect.promise(() =>
          drive(send, tool("everything"), (request) =>
            request.method === "sampling/createMessage"
              ? echo(request)
              : request.method === "roots/list"
              ? { roots: [{ uri: "file:///work" }] }
              : { action: "accept", content: { name: "Ada" } })
        )
        assert.strictEqual(textOf(reply), "<greet> Ada file:///work")
        assert.deepStrictEqual(rounds.map(({ result }) => Object.keys(result.inputRequests).toSorted()), [
          ["greeting", "roots", "user"]
        ])
      }))

    it.live("prompts and resources ask, too", () =>
      Effect.gen(function*() {
        const { send } = yield* serve
        const prompt = yield* complete(send, {
          method: "prompts/get",
          params: { name: "improve", arguments: { prompt: "p" } }
        })
        assert.strictEqual(prompt.reply.result.messages[0].content.text, "<p>")
        const resource = yield* complete(send, { method: "resources/read", params: { uri: "dictionary://effect" } })
        assert.strictEqual(resource.reply.result.contents[0].text, "<effect>")
      }))

    // requirement: rounds/missing-capability
    it.live("a capability that the client did not declare is error -32021 with what is required", () =>
      Effect.gen(function*() {
        const { send } = yield* serve
        const cases = [
          [tool("chain", { asks: 1 }), {}, { sampling: {} }],
          [tool("withTools"), { sampling: {} }, { sampling: { tools: {} } }],
          [tool("elicits"), { sampling: {} }, { elicitation: { form: {} } }],
          [tool("roots"), { sampling: {} }, { roots: {} }],
          [{ method: "prompts/get", params: { name: "improve", arguments: { prompt: "p" } } }, {}, { sampling: {} }],
          [{ method: "resources/read", params: { uri: "dictionary://effect" } }, {}, { sampling: {} }]
        ] as const
        for (const [request, capabilities, requiredCapabilities] of cases) {
          const { error, status } = yield* call(send, { ...request, capabilities })
          assert.strictEqual(error?.code, -32_021, JSON.stringify(request))
          assert.deepStrictEqual(error?.data, { requiredCapabilities })
          if (transport === "HTTP") assert.strictEqual(status, 400)
        }
      }))

    // requirement: rounds/malformed-answers
    it.live("answers that are none are error -32602, whatever is wrong with them", () =>
      Effect.gen(function*() {
        const { send } = yield* serve
        const { answered } = yield* firstRound(send)
        const wrong: ReadonlyArray<unknown> = [
          null,
          5,
          "text",
          [],
          {},
          { role: "system", model: "m", content: { type: "text", text: "x" } },
          { role: "assistant", content: { type: "text", text: "x" } },
          { method: "sampling/createMessage", result: answer },
          { result: answer },
          { action: "accept", content: {} }
        ]
        for (const it of wrong) {
          const reply = yield* call(send, tool("chain", { asks: 1 }, answered(it)))
          assert.strictEqual(reply.error?.code, -32_602, JSON.stringify(it))
        }
        const reply = yield* call(send, tool("chain", { asks: 1 }, answered(answer)))
        assert.strictEqual(textOf(reply), "<start>")
      }))

    it.live("inputResponses that are no object are error -32602", () =>
      Effect.gen(function*() {
        const { events, send } = yield* serve
        for (const inputResponses of [null, 5, "x", [], [1]]) {
          const reply = yield* call(send, tool("chain", { asks: 1 }, { inputResponses }))
          assert.strictEqual(reply.error?.code, -32_602, JSON.stringify(inputResponses))
        }
        assert.notInclude(events.entries, "chain")
      }))

    it.live("missing answers are asked for again, unknown ones are passed over", () =>
      Effect.gen(function*() {
        const { send } = yield* serve
        const { key, requestState } = yield* firstRound(send)
        for (const inputResponses of [{}, { unknown: answer }]) {
          const reply = yield* call(
            send,
            tool("chain", { asks: 1 }, { inputResponses, ...(requestState !== undefined && { requestState }) })
          )
          assert.deepStrictEqual(Object.keys(reply.result.inputRequests), [key])
        }
      }))

    // requirement: rounds/state-integrity
    it.live("a state that is not of this call is error -32602, and nothing runs", () =>
      Effect.gen(function*() {
        const { events, send } = yield* serve
        const first = yield* complete(send, tool("chain", { asks: 2 }))
        const requestState: string = first.rounds[1]!.result.requestState
        const runs = events.entries.length
        const wrong: ReadonlyArray<Request> = [
          tool("chain", { asks: 2 }, { requestState: `${requestState.slice(0, -2)}AA` }),
          tool("chain", { asks: 2 }, { requestState: "forged" }),
          tool("chain", { asks: 2 }, { requestState: 5 }),
          tool("chain", { asks: 3 }, { requestState }),
          tool("other", { asks: 2 }, { requestState })
        ]
        for (const request of wrong) {
          assert.strictEqual((yield* call(send, request)).error?.code, -32_602, JSON.stringify(request))
        }
        assert.strictEqual(events.entries.length, runs)
        assert.strictEqual(
          (yield* call(send, tool("chain", { asks: 2 }, { requestState }))).result.resultType,
          "input_required"
        )
      }))

    it.live("finalizers run at the end of each round", () =>
      Effect.gen(function*() {
        const { events, send } = yield* serve
        yield* call(send, tool("finalizes"))
        assert.deepStrictEqual(events.entries, ["finalized"])
      }))
  })
}

describe("In rounds", { timeout: 30_000 }, () => {
  // requirement: rounds/cancellation
  it.live("a dropped response cancels its call", () =>
    Effect.gen(function*() {
      const { events, send } = yield* serveHttp()
      const dropped = new AbortController()
      const reply = send({ ...tool("never"), signal: dropped.signal }).then(() => "answered", () => "rejected")
      yield* Effect.promise(() => events.find((event) => event === "never started"))
      dropped.abort()
      yield* Effect.promise(() => events.find((event) => event === "never interrupted", 1000))
      assert.strictEqual(yield* Effect.promise(() => reply), "rejected")
    }))

  it.live("a cancellation over stdio interrupts its call, and so does the end of stdin", () =>
    Effect.gen(function*() {
      const { client, events } = yield* serveStdio
      const start = () => client.start("tools/call", withEnvelope({ name: "never", arguments: {} }))
      const id = start()
      yield* Effect.promise(() => events.find((event) => event === "never started"))
      yield* Effect.promise(() => client.notify("notifications/cancelled", { requestId: id }))
      yield* Effect.promise(() => events.find((event) => event === "never interrupted", 1000))
      events.entries.length = 0
      start()
      yield* Effect.promise(() => events.find((event) => event === "never started"))
      client.stdin.end()
      yield* Effect.promise(() => events.find((event) => event === "never interrupted", 1000))
      yield* Effect.promise(() => events.find((event) => event === "served", 1000))
    }))

  it.live("calls that come all at once keep what each of them brings", () =>
    Effect.gen(function*() {
      const { client } = yield* serveStdio
      const ids = Array.from({ length: 150 }, (_, index) => 1000 + index)
      const sendAll = (makeParams: (id: number) => Readonly<Record<string, unknown>>) =>
        Effect.promise(() =>
          client.post(
            ids.map((id) =>
              JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: withEnvelope(makeParams(id)) })
            ).join("\n")
          )
        )
      const replies = Effect.promise(() => Promise.all(ids.map((id) => client.response(id))))
      const call = (id: number) => ({ name: "chain", arguments: { asks: 1, id } })
      yield* Effect.promise(() => client.request("tools/call", withEnvelope({ name: "plain", arguments: { n: 1 } })))
      yield* sendAll(call)
      const states = new Map((yield* replies).map((reply): [unknown, Reply["result"]] => [reply.id, reply.result]))
      client.received.entries.length = 0
      yield* sendAll((id) => {
        const { inputRequests, requestState } = states.get(id)
        const answers = Object.keys(inputRequests).map((key) => [key, echo(inputRequests[key])])
        return { ...call(id), inputResponses: Object.fromEntries(answers), requestState }
      })
      for (const reply of yield* replies) assert.strictEqual(textOf(reply), "<start>")
    }))

  it.live("a call does not get the state of another one whose id is the same", () =>
    Effect.gen(function*() {
      const { client, events } = yield* serveStdio
      const first = yield* Effect.promise(() =>
        client.request("tools/call", withEnvelope({ name: "other", arguments: { asks: 1 } }))
      )
      const { requestState } = first.result
      const line = (name: string, rest: object = {}) =>
        JSON.stringify({
          jsonrpc: "2.0",
          id: 77,
          method: "tools/call",
          params: withEnvelope({ name, arguments: { asks: 1 }, ...rest })
        })
      events.entries.length = 0
      yield* Effect.promise(() => client.post(`${line("chain", { requestState })}\n${line("other", { requestState })}`))
      yield* Effect.promise(() => client.received.find(({ error, id }) => id === 77 && error !== undefined))
      assert.notInclude(events.entries, "chain")
    }))

  it.live("calls may end when the server shuts down, others are told that they were interrupted", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { events, send } = yield* serveHttp(Context.empty(), { shutdownGrace: 2000 }).pipe(
        Effect.provideService(Scope.Scope, scope)
      )
      const slow = send(tool("slow"))
      const never = send(tool("never"))
      yield* Effect.promise(() => events.find((event) => event === "never started"))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(textOf(yield* Effect.promise(() => slow)), "slow")
      const interrupted = yield* Effect.promise(() => never)
      assert.isTrue(interrupted.result.isError)
      assert.include(textOf(interrupted), "shutting down")
      assert.include(events.entries, "never interrupted")
    }))

  // requirement: rounds/principal
  it.live("a state is of use to its principal only", () =>
    Effect.gen(function*() {
      const { send } = yield* serveHttp(
        Context.make(ClientConnection.Principal, (caller) => caller.header("x-user"))
      )
      const as = (user: string, request: Request): Request => ({ ...request, headers: { "x-user": user } })
      const { rounds } = yield* complete(send, as("ada", tool("chain", { asks: 2 })))
      const again = tool("chain", { asks: 2 }, { requestState: rounds[1]!.result.requestState })
      assert.strictEqual((yield* call(send, as("bob", again))).error?.code, -32_602)
      assert.strictEqual((yield* call(send, again)).error?.code, -32_602)
      assert.strictEqual((yield* call(send, as("ada", again))).result.resultType, "input_required")
    }))

  it.live("a round goes on at another server with the same keys", () =>
    Effect.gen(function*() {
      const states = yield* RequestState.RequestState
      const services = Context.make(RequestState.RequestState, states)
      const servers = [yield* serveHttp(services), yield* serveHttp(services)]
      let next = 0
      const { reply, rounds } = yield* complete(
        (request) => servers[next++ % 2]!.send(request),
        tool("chain", { asks: 4 })
      )
      assert.strictEqual(textOf(reply), "<<<<start>>>>")
      assert.strictEqual(rounds.length, 4)
    }))

  it.live("a state that cannot be kept fails the tool with its message, and prompts with error -32603", () =>
    Effect.gen(function*() {
      const full = new RequestState.StateNotKept({ reason: "tooLarge", message: "The state is too large." })
      const { send } = yield* serveHttp(
        Context.make(RequestState.RequestState, { seal: () => Effect.fail(full), open: () => Effect.fail(full) })
      )
      const { reply } = yield* complete(send, tool("chain", { asks: 3 }))
      assert.isTrue(reply.result.isError)
      assert.strictEqual(textOf(reply), "The state is too large.")
      const prompt = yield* call(send, {
        method: "prompts/get",
        params: { name: "improve", arguments: { prompt: "p" }, requestState: "x" }
      })
      assert.deepInclude(prompt.error, { code: -32_603, message: "The state is too large." })
    }))
})
