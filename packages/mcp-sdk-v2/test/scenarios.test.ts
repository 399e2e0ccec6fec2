import { type ProviderSampler, type SamplingRequest } from "@effect-sampling/core"
import { assert, describe, layer } from "@effect/vitest"
import type { CreateMessageResultWithTools } from "@modelcontextprotocol/client"
import { Client } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { Context, Effect, Layer } from "effect"
import * as Process from "node:process"
import type { Model, Scenario } from "../../core/test/scenarios/Scenario.ts"
import { scenarios } from "../../core/test/scenarios/scenarios.ts"
import { suite } from "../../core/test/scenarios/suite.ts"
import { clientOptions, eras } from "./fixtures/official.ts"
import type { Era } from "./fixtures/official.ts"

type Request = SamplingRequest.SamplingRequest

/** The official client, connected to the server of the scenarios. */
class Source extends Context.Service<Source, {
  readonly client: Client
  /** What plays the client's model now, and what it was asked. */
  readonly play: (model: Model) => ReadonlyArray<Request>
}>()("test/Source") {}

const toResult = (reply: ProviderSampler.Reply, withTools: boolean): CreateMessageResultWithTools => {
  const { content, stopReason } = typeof reply === "string" ? { content: reply, stopReason: "endTurn" } : reply
  const blocks = typeof content === "string" ? [{ type: "text" as const, text: content }] : content
  const list = "type" in blocks ? [blocks] : blocks
  // Without tools the SDK's client may answer with one block only.
  const one = { type: "text", text: list.map((block) => block.type === "text" ? block.text : "").join("") }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK's client checks it before it is sent
  return {
    role: "assistant",
    model: "scripted",
    content: withTools ? list : one,
    ...(stopReason !== undefined && { stopReason })
  } as CreateMessageResultWithTools
}

const source = (era: Era, tools: boolean) =>
  Layer.effect(
    Source,
    Effect.gen(function*() {
      const client = new Client({ name: "official", version: "1.0.0" }, {
        ...clientOptions(era),
        capabilities: { sampling: tools ? { tools: {} } : {} }
      })
      let model: Model | undefined
      let requests: Array<Request> = []
      client.setRequestHandler("sampling/createMessage", ({ params }) => {
        const index = requests.length
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK has checked it
        requests.push(params as Request)
        return toResult(model!(requests[index]!, index), params.tools !== undefined)
      })
      const transport = new StdioClientTransport({
        command: Process.execPath,
        args: [
          "--conditions",
          "@effect-sampling/source",
          new URL("fixtures/stdioScenarioServer.ts", import.meta.url).pathname
        ]
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => client.connect(transport)),
        () => Effect.promise(() => client.close())
      )
      // At 2026-07-28 the SDK's client starts a process to ask for the revision, and another one for the first request.
      yield* Effect.promise(() => client.listTools())
      return {
        client,
        play: (next: Model) => {
          model = next
          requests = []
          return requests
        }
      }
    })
  )

const run = (scenario: Scenario) =>
  Effect.gen(function*() {
    const { client, play } = yield* Source
    const requests = play(scenario.model)
    const result = yield* Effect.promise(() =>
      client.callTool({ name: "run", arguments: { index: scenarios.indexOf(scenario) } })
    )
    const [block] = result.content
    assert.isTrue(block?.type === "text", JSON.stringify(result))
    return { requests, report: JSON.parse(block?.type === "text" ? block.text : "") }
  })

describe("the official client at 2025-11-25 over stdio", () => {
  layer(source("2025-11-25", true), { excludeTestServices: true })((it) => suite(it, { takesTools: true, run }))
})

// What the scenarios with tools report is kept in the handler, which starts anew in each round.
for (const era of eras) {
  describe(`the official client at ${era} over stdio, without sampling.tools`, () => {
    layer(source(era, false), { excludeTestServices: true })((it) => suite(it, { takesTools: false, run }))
  })
}
