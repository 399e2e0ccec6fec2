/**
 * The simplest load balancer: each request goes to the next server, whichever client sent it.
 */
import { Effect } from "effect"
import * as Http from "node:http"

export const make = Effect.fnUntraced(function*(servers: ReadonlyArray<{ readonly port: number }>) {
  let turn = 0
  const proxy = Http.createServer((request, response) => {
    const { port } = servers[turn++ % servers.length]!
    const { headers, method, url: path } = request
    const forwarded = Http.request({ port, host: "127.0.0.1", path, method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
      answer.once("error", () => response.destroy())
    })
    forwarded.once("error", () => {
      if (response.headersSent) response.destroy()
      else response.writeHead(502).end()
    })
    response.once("close", () => forwarded.destroy())
    request.pipe(forwarded)
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      proxy.listen(0, "127.0.0.1", () => {
        const address = proxy.address()
        if (typeof address === "object" && address !== null) resume(Effect.succeed(address.port))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        proxy.close(() => resume(Effect.void))
        proxy.closeAllConnections()
      })
  )
  return { url: `http://127.0.0.1:${port}/mcp`, next: () => turn % servers.length }
})
