/** Decides which HTTP requests a server accepts, by their headers Host and Origin. */
import * as Result from "effect/Result"

/** The names that a server has, each with its port where only that port is allowed, and the origins that may use it. */
export interface HttpAccess {
  readonly hosts: ReadonlySet<string>
  readonly origins: ReadonlySet<string>
}

/** Reads the names and origins that a server allows, in any spelling that a URL may have. */
export const make = ({ allowedHosts, allowedOrigins }: {
  readonly allowedHosts: ReadonlyArray<string>
  readonly allowedOrigins: ReadonlyArray<string>
}): Result.Result<HttpAccess, string> => {
  const hosts = allowedHosts.map((host) => [host, parseHost(host)] as const)
  const wrongHost = hosts.find(([, parsed]) => parsed === undefined)
  if (wrongHost !== undefined) {
    return Result.fail(`allowedHosts: ${JSON.stringify(wrongHost[0])} is not a valid host name, such as "app.example"`)
  }
  const origins = allowedOrigins.map((origin) => [origin, parseOrigin(origin)] as const)
  const wrongOrigin = origins.find(([, parsed]) => parsed === undefined)
  if (wrongOrigin !== undefined) {
    return Result.fail(
      `allowedOrigins: ${JSON.stringify(wrongOrigin[0])} is not a valid origin, such as "https://app.example"`
    )
  }
  return Result.succeed({
    hosts: new Set(hosts.flatMap(([, parsed]) => parsed === undefined ? [] : [keyOf(parsed)])),
    origins: new Set(origins.flatMap(([, parsed]) => parsed ?? []))
  })
}

/** Why a request is refused, with the HTTP status that says so. */
export interface Refusal {
  readonly status: 400 | 403
  readonly message: string
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
): Refusal | undefined => {
  const parsed = host === undefined ? undefined : parseHost(host)
  if (parsed === undefined) return { status: 400, message: "The Host header is not valid" }
  if (!access.hosts.has(parsed.name) && !access.hosts.has(keyOf(parsed))) {
    return { status: 403, message: "This Host is not allowed; add it to allowedHosts" }
  }
  if (origin === undefined) return undefined
  const parsedOrigin = parseOrigin(origin)
  return parsedOrigin !== undefined &&
      (parsedOrigin === parseOrigin(`http://${host}`) || access.origins.has(parsedOrigin))
    ? undefined
    : { status: 403, message: "This Origin is not allowed; add it to allowedOrigins" }
}

interface Host {
  readonly name: string
  readonly port: string | undefined
}

const keyOf = ({ name, port }: Host): string => port === undefined ? name : `${name}:${port}`

/** A name or an IP address, and a port. Everything else that a URL may have before its path is not a host. */
const hostPattern = /^(\[[\d:.a-f]+\]|[^\s#%/:<>?@[\\\]^|]+)(?::(\d{1,5}))?$/i

const parseHost = (host: string): Host | undefined => {
  const [, name, port] = hostPattern.exec(host) ?? []
  const hostname = name === undefined ? undefined : URL.parse(`http://${name}`)?.hostname
  return hostname === undefined ? undefined : { name: withoutFinalDot(hostname), port }
}

/** Returns the origin in the spelling of a browser, or undefined for what is not the origin of a web page. */
const parseOrigin = (origin: string): string | undefined => {
  const url = URL.parse(origin)
  if (url === null || url.origin === "null" || url.username !== "" || url.pathname !== "/" || url.search !== "") {
    return undefined
  }
  url.hostname = withoutFinalDot(url.hostname)
  return url.origin
}

const withoutFinalDot = (name: string): string => name.endsWith(".") ? name.slice(0, -1) : name
