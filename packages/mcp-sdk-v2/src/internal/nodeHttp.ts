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
  to.writeHead(from.status, Object.fromEntries(from.headers))
  if (from.body === null) {
    to.end()
    return
  }
  to.flushHeaders()
  const reader = from.body.getReader()
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
