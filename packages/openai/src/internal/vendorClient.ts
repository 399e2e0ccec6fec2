import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import OpenAI from "openai"
import { limitedFetch } from "./transport.ts"

/** The address of the server and the credentials for it. */
export interface Endpoint {
  readonly apiKey: Redacted.Redacted | undefined
  readonly baseUrl: string | URL | undefined
  readonly organization: string | undefined
  readonly maxReplyBytes: number
}

const defaultBaseUrl = "https://api.openai.com/v1"

/**
 * Returns whether the URL is OpenAI's own API, which needs a key and accepts `max_completion_tokens` for every model.
 */
export const isOpenAi = (baseUrl: string | URL | undefined): boolean => {
  const url = parse(baseUrl)
  return url !== undefined && (url.hostname === "api.openai.com" || url.hostname.endsWith(".api.openai.com"))
}

/** Returns what tells one server from another, for the fields that go back only to the server that they came from. */
export const endpointOf = (baseUrl: string | URL | undefined): string => {
  const url = parse(baseUrl)
  return url === undefined ? "" : `${url.host}${url.pathname.replace(/\/+$/, "")}`
}

/**
 * Builds the vendor's client, or fails with the reason why the settings are invalid. Every option that the client would
 * otherwise read from the environment is set. The client neither retries, nor limits the time, nor logs: the caller
 * does.
 *
 * Our `fetch` replaces all headers. The client always adds the headers of `OPENAI_CUSTOM_HEADERS`, so replacing them is
 * the only way to drop them, and this way the client never holds the key.
 */
export const makeVendorClient = (endpoint: Endpoint): Result.Result<OpenAI, string> => {
  const url = parse(endpoint.baseUrl)
  if (url === undefined) return Result.fail("baseUrl is not an http or https URL, such as https://api.openai.com/v1")
  if (url.username !== "" || url.password !== "") {
    return Result.fail("baseUrl contains a user name or password, which fetch refuses: remove them and set apiKey")
  }
  const headers = toHeaders(endpoint)
  if (headers === undefined) {
    return Result.fail("apiKey or organization contains characters that are not allowed in an HTTP header")
  }
  return Result.try({
    try: () =>
      new OpenAI({
        baseURL: url.href.replace(/\/+$/, ""),
        apiKey: "set by fetch",
        adminAPIKey: null,
        organization: null,
        project: null,
        webhookSecret: null,
        logLevel: "off",
        maxRetries: 0,
        timeout: 2 ** 31 - 1,
        fetch: (input, init) =>
          limitedFetch(
            typeof input === "string" ? input : input instanceof URL ? input.href : input.url,
            { ...init, headers: { ...headers(), ...idempotency(init) } },
            endpoint.maxReplyBytes
          )
      }),
    catch: () => "the openai client does not run in this environment, for example in a browser"
  })
}

/**
 * The header that lets a server recognise a request which is sent again after a broken connection. OpenAI documents no
 * such header, and the client sends none by itself; gateways that know it answer from memory, and others ignore it.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header-07.
 */
export const idempotencyHeader = "idempotency-key"

/**
 * Returns the one header of a request that we keep. Its value names the call; another body under the same call, which a
 * server would refuse, gets another value by its length.
 */
const idempotency = (init: RequestInit | undefined): Record<string, string> => {
  const key = new Headers(init?.headers).get(idempotencyHeader)
  return key === null ? {} : { [idempotencyHeader]: `${key}-${typeof init?.body === "string" ? init.body.length : 0}` }
}

const parse = (baseUrl: string | URL | undefined): URL | undefined => {
  const text = typeof baseUrl === "string" ? baseUrl.trim() : baseUrl?.href
  const url = text === undefined || text === "" ? new URL(defaultBaseUrl) : URL.parse(text) ?? undefined
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return undefined
  // The client appends the path of the endpoint to the text of the URL, where a fragment would swallow it.
  url.hash = ""
  return url
}

// The values are trimmed because keys and names that were copied from a file often end in a line break.
const toHeaders = ({ apiKey, organization }: Endpoint): (() => Record<string, string>) | undefined => {
  const key = apiKey === undefined ? Redacted.make("") : Redacted.make(Redacted.value(apiKey).trim())
  const org = organization?.trim() ?? ""
  if (!isHeaderText(Redacted.value(key)) || !isHeaderText(org)) return undefined
  return () => ({
    accept: "application/json",
    "content-type": "application/json",
    "user-agent": "effect-sampling-openai",
    ...(Redacted.value(key) !== "" && { authorization: `Bearer ${Redacted.value(key)}` }),
    ...(org !== "" && { "openai-organization": org })
  })
}

const isHeaderText = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)
