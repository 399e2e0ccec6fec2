import { type ProviderSampler, type SamplingRequest } from "@effect-sampling/core"
import { assert, describe, it, layer } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { CallToolResultSchema, CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import type { CreateMessageRequestParams, CreateMessageResultWithTools } from "@modelcontextprotocol/sdk/types.js"
import { Context, Effect, Layer } from "effect"
import * as Process from "node:process"
import type { Model, Scenario } from "../../core/test/scenarios/Scenario.ts"
import { scenarios } from "../../core/test/scenarios/scenarios.ts"
import { suite } from "../../core/test/scenarios/suite.ts"

type Request = SamplingRequest.SamplingRequest

/** The official client, connected to the server of the scenarios. */
class Source extends Context.Service<Source, {
  readonly client: Client
  /** What plays the client's model now, and what it was asked. */
  readonly play: (model: Model) => ReadonlyArray<Request>
}>()("test/Source") {}

/** The checks of the SDK's own `server.createMessage`, which the adapter does not use. */
const checkAsSdk = async (params: CreateMessageRequestParams, tools: boolean): Promise<void> => {
  class Checking extends Server {
    override getClientCapabilities() {
      return { sampling: tools ? { tools: {} } : {} }
    }
  }
  const server = new Checking({ name: "checks", version: "1.0.0" })
  // What the checks read and what they would send by.
  Object.assign(server, {
    _clientCapabilities: server.getClientCapabilities(),
    request: () => Promise.resolve({})
  })
  await server.createMessage(params)
}

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

const source = (tools: boolean) =>
  Layer.effect(
    Source,
    Effect.gen(function*() {
      const client = new Client({ name: "official", version: "1.0.0" }, {
        capabilities: { sampling: tools ? { tools: {} } : {} }
      })
      let model: Model | undefined
      let requests: Array<Request> = []
      client.setRequestHandler(CreateMessageRequestSchema, async ({ params }) => {
        await checkAsSdk(params, tools)
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
          new URL("fixtures/scenarioServer.ts", import.meta.url).pathname
        ]
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => client.connect(transport)),
        () => Effect.promise(() => client.close())
      )
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
    const [block] = CallToolResultSchema.parse(result).content
    assert.isTrue(block?.type === "text", JSON.stringify(result))
    return { requests, report: JSON.parse(block?.type === "text" ? block.text : "") }
  })

describe("the checks of the SDK", () => {
  const call = { type: "tool_use" as const, id: "1", name: "add", input: {} }
  const asked = [
    { role: "user" as const, content: { type: "text" as const, text: "Go" } },
    { role: "assistant" as const, content: [call] }
  ]
  const result = (toolUseId: string) => ({ type: "tool_result" as const, toolUseId, content: [] })
  const check = (params: Partial<CreateMessageRequestParams>, tools = true) =>
    Effect.tryPromise(() => checkAsSdk({ messages: [], maxTokens: 1, ...params }, tools))

  it.effect("let lawful requests pass and refuse the others", () =>
    Effect.gen(function*() {
      yield* check({ messages: [...asked, { role: "user", content: [result("1")] }], tools: [] })
      yield* Effect.flip(check({ messages: [...asked, { role: "user", content: [result("2")] }] }))
      yield* Effect.flip(check({ messages: [...asked, { role: "user", content: asked[0]!.content }] }))
      yield* Effect.flip(check({ messages: asked.slice(0, 1), tools: [] }, false))
    }))
})

describe("the official client over stdio", () => {
  layer(source(true), { excludeTestServices: true })((it) => suite(it, { takesTools: true, run }))
})

describe("the official client over stdio, without sampling.tools", () => {
  layer(source(false), { excludeTestServices: true })((it) => suite(it, { takesTools: false, run }))
})
