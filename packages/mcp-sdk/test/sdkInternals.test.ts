/* oxlint-disable typescript/no-unsafe-type-assertion -- assertions look into what came over the wire */
/** Each test here fails when the SDK no longer needs the workaround beside it: then the workaround goes. */
import { assert, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js"
import { CreateMessageRequestSchema, CreateMessageResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { Effect } from "effect"
import {
  answersWithJson,
  heedCancellationOfIdZero,
  protocolVersionOf,
  rememberProtocolVersion,
  requestStreams
} from "../src/internal/sdkInternals.ts"

const params = { messages: [{ role: "user" as const, content: { type: "text" as const, text: "x" } }], maxTokens: 1 }

/** Whether a client on this SDK stops handling the first request of a server when the server cancels it. */
const firstCancellationArrives = (prepare: (server: Server, client: Client) => void) =>
  Effect.promise(async () => {
    const server = new Server({ name: "s", version: "1" })
    const client = new Client({ name: "c", version: "1" }, { capabilities: { sampling: {} } })
    prepare(server, client)
    const cancellation = new AbortController()
    let aborted = false
    const handling = new Promise<void>((resolve) => {
      client.setRequestHandler(CreateMessageRequestSchema, (_, { signal }) => {
        signal.addEventListener("abort", () => {
          aborted = true
        })
        resolve()
        return new Promise<never>(() => {})
      })
    })
    const [here, there] = InMemoryTransport.createLinkedPair()
    await Promise.all([server.connect(there), client.connect(here)])
    const asked = server.request(
      { method: "sampling/createMessage", params },
      CreateMessageResultSchema,
      { signal: cancellation.signal }
    ).catch(() => {})
    await handling
    cancellation.abort("test")
    await asked
    // A round trip after the cancellation: it has been handled when the answer is here.
    await server.ping()
    const arrived = aborted
    await client.close()
    return arrived
  })

describe("sdkInternals", () => {
  it.live("SDK 1.x does not heed the cancellation of id 0: heedCancellationOfIdZero", () =>
    Effect.gen(function*() {
      assert.isFalse(yield* firstCancellationArrives(() => {}))
      assert.isTrue(yield* firstCancellationArrives((_, client) => heedCancellationOfIdZero(client)))
      const server = new Server({ name: "s", version: "1" })
      assert.instanceOf(Reflect.get(server, "_requestHandlerAbortControllers"), Map)
      assert.isFunction(Reflect.get(server, "_oncancel"))
    }))

  it.live("A server of SDK 1.x does not tell the negotiated protocol version: rememberProtocolVersion", () =>
    Effect.promise(async () => {
      const server = new Server({ name: "s", version: "1" })
      rememberProtocolVersion(server)
      const [here, there] = InMemoryTransport.createLinkedPair()
      const client = new Client({ name: "c", version: "1" })
      await Promise.all([server.connect(there), client.connect(here)])
      assert.strictEqual(protocolVersionOf(server), "2025-11-25")
      assert.deepStrictEqual(server.getClientVersion(), { name: "c", version: "1" })
      const publicNames = Object.getOwnPropertyNames(Server.prototype).filter((name) => !name.startsWith("_"))
      assert.deepStrictEqual(publicNames.filter((name) => /protocol/i.test(name)), [])
      assert.isFunction(Reflect.get(server, "_oninitialize"))
      await client.close()
    }))

  it("A transport of SDK 1.x does not tell that it answers with plain JSON: answersWithJson", () => {
    for (const Transport of [StreamableHTTPServerTransport, WebStandardStreamableHTTPServerTransport]) {
      const json = new Transport({ enableJsonResponse: true })
      const sse = new Transport({})
      const answers = (transport: unknown) => answersWithJson(transport as Parameters<typeof answersWithJson>[0])
      assert.isTrue(answers(json))
      assert.isFalse(answers(sse))
      assert.isFalse("enableJsonResponse" in json)
    }
    assert.isFalse(answersWithJson(undefined))
  })

  it("A server of SDK 1.x that was not initialized has no protocol version: protocolVersionOf", () => {
    assert.isUndefined(protocolVersionOf(new Server({ name: "s", version: "1" })))
  })

  it("SDK 1.x lets a request take over the stream of an earlier one with the same id: requestStreams", () => {
    const options = { sessionIdGenerator: () => "s" }
    for (
      const transport of [
        new StreamableHTTPServerTransport(options),
        new WebStandardStreamableHTTPServerTransport(options)
      ]
    ) assert.instanceOf(requestStreams(transport), Map)
    assert.isUndefined(requestStreams(InMemoryTransport.createLinkedPair()[0]))
  })
})
