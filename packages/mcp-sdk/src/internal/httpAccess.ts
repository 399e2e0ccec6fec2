import type { IncomingMessage } from "node:http"

/** Who may talk to the server. */
export interface Access {
  readonly allowedHosts: ReadonlyArray<string>
  readonly allowedOrigins: ReadonlyArray<string>
}

/**
 * Why a request must be refused, or undefined.
 *
 * MCP 2025-11-25, transports, "Security Warning": servers must validate Origin, against DNS rebinding. Host is checked for
 * the same reason. A request without Origin does not come from a web page.
 */
export const refusal = (request: IncomingMessage, access: Access): string | undefined => {
  const host = request.headers.host
  const hostname = host === undefined ? undefined : hostnameOf(`http://${host}`)
  if (hostname === undefined || !access.allowedHosts.includes(hostname)) {
    return "This Host is not allowed; add it to allowedHosts"
  }
  const origin = request.headers.origin
  return origin === undefined || origin === `http://${host}` || access.allowedOrigins.includes(origin)
    ? undefined
    : "This Origin is not allowed; add it to allowedOrigins"
}

const hostnameOf = (url: string): string | undefined => URL.parse(url)?.hostname
