import type { IncomingMessage, ServerResponse } from "node:http"

/** Converts a request of Node to a web `Request` without a body. */
export const toWebRequest = (request: IncomingMessage, signal: AbortSignal | null = null): Request => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, typeof value === "string" ? value : value.join(", "))
  }
  return new Request(`http://${request.headers.host}${request.url}`, { method: request.method!, headers, signal })
}

/** Writes a web `Response` to Node's response, chunk by chunk. If the client disconnects, the body is cancelled. */
export const writeWebResponse = (from: Response, to: ServerResponse): void => {
  if (to.destroyed) {
    from.body?.cancel().catch(ignore)
    return
  }
  if (!to.headersSent) to.writeHead(from.status, Object.fromEntries(from.headers))
  if (from.body === null) {
    to.end()
    return
  }
  to.flushHeaders()
  writeBody(from.body, to)
}

/**
 * Writes the response to a request when it is ready. If it takes long, a stream starts that will carry it, because
 * proxies cut connections on which nothing comes.
 *
 * Source: MCP 2026-07-28, transports, "Sending Messages to the Server": a request is answered with JSON or with a stream.
 */
export const writeWhenReady = (ready: Promise<Response>, to: ServerResponse): Promise<void> => {
  const timer = setTimeout(() => {
    if (!to.headersSent && !to.destroyed) to.writeHead(200, streamHeaders).flushHeaders()
  }, patienceMillis)
  return ready.finally(() => clearTimeout(timer)).then((from) => {
    const isJson = from.headers.get("content-type")?.startsWith("application/json") === true
    if (!to.headersSent || !isJson) return writeWebResponse(from, to)
    return from.text().then((json) => {
      to.end(`event: message\ndata: ${json}\n\n`)
    })
  })
}

/** The time that most calls take at most. They are answered with a single JSON body, which costs less than a stream. */
const patienceMillis = 1000

const streamHeaders = { "content-type": "text/event-stream", "cache-control": "no-cache" }

const writeBody = (body: ReadableStream<Uint8Array>, to: ServerResponse): void => {
  const reader = body.getReader()
  to.once("close", () => {
    reader.cancel().catch(ignore)
  })
  const next = (): void => {
    reader.read().then(({ done, value }) => {
      if (done) to.end()
      else if (to.write(value)) next()
      else to.once("drain", next)
    }, fail)
  }
  const fail = (): void => {
    to.destroy()
  }
  next()
}

const ignore = (): void => {}
