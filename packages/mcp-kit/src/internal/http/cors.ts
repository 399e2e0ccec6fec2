import type { IncomingMessage, ServerResponse } from "node:http"

/**
 * Lets the web page of an allowed origin read the response.
 *
 * Source: Fetch Standard, "HTTP extensions".
 */
export const allowOrigin = ({ headers }: IncomingMessage, response: ServerResponse): void => {
  response.setHeader("vary", "origin")
  if (headers.origin === undefined) return
  response.setHeader("access-control-allow-origin", headers.origin)
  response.setHeader("access-control-expose-headers", "mcp-session-id")
}

/** Returns whether a browser asks what a web page may send. */
export const isPreflight = ({ headers, method }: IncomingMessage): boolean =>
  method === "OPTIONS" && headers.origin !== undefined && headers["access-control-request-method"] !== undefined

/** Lets the web page of an allowed origin send any header, because MCP has headers whose names tools define. */
export const answerPreflight = ({ headers }: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(204, {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": headers["access-control-request-headers"] ?? "*",
    "access-control-max-age": "3600"
  })
  response.end()
}
