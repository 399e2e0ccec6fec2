import { officialScenarios } from "@effect-sampling/mcp-suite/scenarios"
import { describe, it } from "@effect/vitest"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { CreateMessageRequestParams } from "@modelcontextprotocol/sdk/types.js"
import { Effect } from "effect"
import { adapter } from "./fixtures/adapter.ts"

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

describe("the checks of the SDK", () => {
  const call = { type: "tool_use" as const, id: "1", name: "add", input: {} }
  const asked = [
    { role: "user" as const, content: { type: "text" as const, text: "Go" } },
    { role: "assistant" as const, content: [call] }
  ]
  const result = (toolUseId: string) => ({ type: "tool_result" as const, toolUseId, content: [] })
  const check = (params: Partial<CreateMessageRequestParams>, tools = true) =>
    Effect.tryPromise(() => checkAsSdk({ messages: [], maxTokens: 1, ...params }, tools))

  it.effect("The checks of the SDK let lawful requests pass and refuse the others", () =>
    Effect.gen(function*() {
      yield* check({ messages: [...asked, { role: "user", content: [result("1")] }], tools: [] })
      yield* Effect.flip(check({ messages: [...asked, { role: "user", content: [result("2")] }] }))
      yield* Effect.flip(check({ messages: [...asked, { role: "user", content: asked[0]!.content }] }))
      yield* Effect.flip(check({ messages: asked.slice(0, 1), tools: [] }, false))
    }))
})

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK has checked it
officialScenarios(adapter, (params, tools) => checkAsSdk(params as CreateMessageRequestParams, tools))
