/** Decides which HTTP requests a server accepts, by their headers Host and Origin. */

/**
 * The allowed values of the headers. `allowedHosts` contains host names without port, `allowedOrigins` complete
 * origins.
 */
export interface HttpAccess {
  readonly allowedHosts: ReadonlyArray<string>
  readonly allowedOrigins: ReadonlyArray<string>
}

/**
 * Returns the reason why a request with these headers must be refused, or undefined if it is allowed.
 *
 * MCP 2025-11-25, transports, "Security Warning": servers must validate Origin to prevent DNS rebinding. Host is
 * checked for the same reason. A request without Origin is allowed, because it does not come from a web page.
 */
export const refusal = (
  { host, origin }: { readonly host?: string | undefined; readonly origin?: string | undefined },
  access: HttpAccess
): string | undefined => {
  const hostname = host === undefined ? undefined : URL.parse(`http://${host}`)?.hostname
  if (hostname === undefined || !access.allowedHosts.includes(hostname)) {
    return "This Host is not allowed; add it to allowedHosts"
  }
  return origin === undefined || origin === `http://${host}` || access.allowedOrigins.includes(origin)
    ? undefined
    : "This Origin is not allowed; add it to allowedOrigins"
}
