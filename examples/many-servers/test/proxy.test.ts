import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Http from "node:http"
import * as Proxy from "../src/proxy.ts"

/** A server that answers with its name and the request. */
const listen = (name: string) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly server: Http.Server }>((resume) => {
      const server = Http.createServer((request, response) => response.end(`${name} ${request.method} ${request.url}`))
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        if (typeof address === "object" && address !== null) resume(Effect.succeed({ port: address.port, server }))
      })
    }),
    ({ server }) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

const get = (url: string) =>
  Effect.promise(() =>
    fetch(url).then((response) => response.text().then((text) => ({ status: response.status, text })))
  )

describe("proxy", () => {
  it.live("the proxy passes each request to the next server", () =>
    Effect.gen(function*() {
      const { next, url } = yield* Proxy.make([yield* listen("a"), yield* listen("b")])
      assert.strictEqual((yield* get(url)).text, "a GET /mcp")
      assert.strictEqual(next(), 1)
      assert.strictEqual((yield* get(url)).text, "b GET /mcp")
      assert.strictEqual((yield* get(url)).text, "a GET /mcp")
    }))

  it.live("the proxy answers 502 for a server that is gone", () =>
    Effect.gen(function*() {
      const { port } = yield* Effect.scoped(listen("gone"))
      const { url } = yield* Proxy.make([{ port }])
      assert.strictEqual((yield* get(url)).status, 502)
    }))
})
