import { ClientSampler, Rounds } from "@effect-sampling/core"
import type { ProviderSampler, SamplingRequest } from "@effect-sampling/core"
import { Feature } from "@effect-sampling/mcp-effect"
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import type { Model, Scenario } from "../../core/test/scenarios/Scenario.ts"
import { scenarios } from "../../core/test/scenarios/scenarios.ts"
import { suite } from "../../core/test/scenarios/suite.ts"
import type { Message } from "../../mcp-sdk/test/fixtures/RawClient.ts"
import { httpClient } from "../../mcp-sdk/test/fixtures/scoped.ts"
import { RoundsClient } from "./fixtures/RoundsClient.ts"
import { serveHttp } from "./fixtures/servers.ts"

type Request = SamplingRequest.SamplingRequest

const Tools = Toolkit.make(
  Tool.make("run", { parameters: Schema.Struct({ index: Schema.Int }), success: Schema.String })
)

/** A single tool that runs the scenario with the given index and returns its report as JSON. */
const registrations = Feature.toolkit(Tools).pipe(
  Layer.provide(Tools.toLayer({
    run: ({ index }) =>
      scenarios[index]!.run.pipe(
        Effect.map((report) => JSON.stringify(report)),
        Effect.provide(ClientSampler.layer)
      )
  })),
  Layer.provide(Layer.succeed(Rounds.MaxRounds, 16))
)

class Url extends Context.Service<Url, string>()("test/Url") {}

const server = Layer.effect(Url, serveHttp(registrations))

const toResult = (reply: ProviderSampler.Reply): object => {
  const { content, stopReason } = typeof reply === "string" ? { content: reply, stopReason: "endTurn" } : reply
  return {
    role: "assistant",
    model: "scripted",
    content: typeof content === "string" ? { type: "text", text: content } : content,
    ...(stopReason !== undefined && { stopReason })
  }
}

const report = (reply: Message) => JSON.parse(reply.result.content[0].text)

/** Plays the client's model, and records the requests to it. */
const player = (model: Model) => {
  const requests: Array<Request> = []
  const play = (params: object): object => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Effect's server has encoded the request with its schema
    requests.push(params as Request)
    return toResult(model(requests.at(-1)!, requests.length - 1))
  }
  return { requests, play }
}

const runPush = (sampling: object) => (scenario: Scenario) =>
  Effect.gen(function*() {
    const client = yield* httpClient(yield* Url, { sampling })
    const { play, requests } = player(scenario.model)
    const call = client.startTool("run", { index: scenarios.indexOf(scenario) })
    let answered = 0
    while (true) {
      const asks = () => client.received.entries.filter(({ method }) => method === "sampling/createMessage")
      yield* Effect.promise(() =>
        client.received.find(({ id, method }) => (id === call && method === undefined) || asks().length > answered)
      )
      const next = asks()[answered]
      if (next === undefined) break
      answered++
      yield* Effect.promise(() => client.send({ jsonrpc: "2.0", id: next.id, result: play(next.params) }))
    }
    return { requests, report: report(yield* Effect.promise(() => client.response(call))) }
  }).pipe(Effect.scoped)

const runRounds = (sampling: object) => (scenario: Scenario) =>
  Effect.gen(function*() {
    const client = new RoundsClient(yield* Url)
    const { play, requests } = player(scenario.model)
    const { reply } = yield* Effect.promise(() =>
      client.drive(
        "tools/call",
        { name: "run", arguments: { index: scenarios.indexOf(scenario) } },
        ({ params }) => play(params),
        { capabilities: { sampling } }
      )
    )
    return { requests, report: report(reply) }
  })

describe("a client that is asked while the call waits", () => {
  layer(server, { excludeTestServices: true })((it) => suite(it, { takesTools: true, run: runPush({ tools: {} }) }))
})

describe("a client without sampling.tools that is asked while the call waits", () => {
  layer(server, { excludeTestServices: true })((it) => suite(it, { takesTools: false, run: runPush({}) }))
})

describe("a client without sampling.tools that is asked in rounds", () => {
  layer(server, { excludeTestServices: true })((it) => suite(it, { takesTools: false, run: runRounds({}) }))
})

// `suite` does not fit: a report lists what the tools did in the last run of the handler, which runs no tool again.
describe("a client that is asked in rounds", () => {
  layer(server, { excludeTestServices: true })((it) => {
    for (const scenario of scenarios) {
      it.effect(`a client in rounds receives the same asks as one that is waited for: ${scenario.title}`, () =>
        Effect.gen(function*() {
          const waiting = yield* runPush({ tools: {} })(scenario)
          const rounds = yield* runRounds({ tools: {} })(scenario)
          assert.deepStrictEqual(rounds.requests, waiting.requests)
          assert.deepStrictEqual(rounds.report.failed?._tag, waiting.report.failed?._tag)
        }))
    }
  })
})
