import { Client } from "@effect-sampling/core"
import { Feature } from "@effect-sampling/mcp-effect"
import { httpClient } from "@effect-sampling/mcp-suite/connect"
import { textOf } from "@effect-sampling/mcp-suite/RawClient"
import type { Message } from "@effect-sampling/mcp-suite/RawClient"
import { drive, overHttp, tool } from "@effect-sampling/mcp-suite/RoundsClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { serveHttp } from "./fixtures/servers.ts"

const Tools = Toolkit.make(
  Tool.make("greet", { success: Schema.String, failure: Client.ClientAskError }),
  Tool.make("roots", { success: Schema.String, failure: Client.ClientAskError })
)

const registrations = Feature.toolkit(Tools).pipe(Layer.provide(Tools.toLayer({
  greet: () =>
    Client.elicit(Schema.Struct({ name: Schema.String, age: Schema.Int }), "Who are you?").pipe(
      Effect.map(({ age, name }) => `${name}, ${age}`)
    ),
  roots: () => Effect.map(Client.roots(), (roots) => roots.map(({ uri }) => uri).join())
})))

const capabilities = { elicitation: {}, roots: {} }

const answers: Readonly<Record<string, object>> = {
  "elicitation/create": { action: "accept", content: { name: "Ada", age: 36 } },
  "roots/list": { roots: [{ uri: "file:///a" }, { uri: "file:///b", name: "b" }] }
}

const cases = [["greet", "elicitation/create", "Ada, 36"], ["roots", "roots/list", "file:///a,file:///b"]] as const

describe("Client", { timeout: 30_000 }, () => {
  it.live("A tool asks the user and for the roots while its call waits", () =>
    Effect.gen(function*() {
      const client = yield* httpClient(yield* serveHttp(registrations), { capabilities })
      for (const [name, method, expected] of cases) {
        const call = client.startTool(name)
        const asked = yield* Effect.promise(() => client.received.find((message) => message.method === method))
        if (name === "greet") {
          assert.strictEqual(asked.params.message, "Who are you?")
          assert.deepStrictEqual(Object.keys(asked.params.requestedSchema.properties), ["name", "age"])
        }
        yield* Effect.promise(() => client.send({ jsonrpc: "2.0", id: asked.id, result: answers[method] }))
        assert.strictEqual(textOf(yield* Effect.promise(() => client.response(call))), expected)
      }
    }))

  it.live("A tool asks the user and for the roots in rounds", () =>
    Effect.gen(function*() {
      const send = overHttp(yield* serveHttp(registrations))
      for (const [name, method, expected] of cases) {
        const { reply, rounds } = yield* Effect.promise(() =>
          drive(send, tool(name), (request) => answers[request.method])
        )
        assert.strictEqual(textOf(reply), expected)
        const [request] = Object.values<Message>(rounds[0]!.result.inputRequests)
        assert.strictEqual(request!.method, method)
      }
    }))

  it.live("A tool is told what a client does not support, in both eras", () =>
    Effect.gen(function*() {
      const url = yield* serveHttp(registrations)
      const push = yield* httpClient(url, { capabilities: {} })
      const send = overHttp(url)
      for (const [name, required] of [["greet", { elicitation: { form: {} } }], ["roots", { roots: {} }]] as const) {
        const told = yield* Effect.promise(() => push.request("tools/call", { name }))
        assert.isTrue(told.result.isError)
        assert.include(textOf(told), "did not declare the capability")
        const refused = yield* Effect.promise(() => send({ ...tool(name), capabilities: {} }))
        assert.strictEqual(refused.error?.code, -32_021)
        assert.deepStrictEqual(refused.error?.data, { requiredCapabilities: required })
      }
      const urlOnly = yield* httpClient(url, { capabilities: { elicitation: { url: {} } } })
      const told = yield* Effect.promise(() => urlOnly.request("tools/call", { name: "greet" }))
      assert.include(textOf(told), "elicitation.form")
    }))
})
