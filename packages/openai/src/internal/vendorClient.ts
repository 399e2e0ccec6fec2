import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import OpenAI from "openai"

/** Where requests go and how they are signed. */
export interface Endpoint {
  readonly apiKey: Redacted.Redacted | undefined
  readonly baseUrl: string | URL | undefined
  readonly organization: string | undefined
}

const defaultBaseUrl = "https://api.openai.com/v1"

/** Whether this is OpenAI itself, which needs a key and takes `max_completion_tokens` for every model. */
export const isOpenAi = (baseUrl: string | URL | undefined): boolean => {
  const url = parse(baseUrl)
  return url !== undefined && (url.hostname === "api.openai.com" || url.hostname.endsWith(".api.openai.com"))
}

/**
 * The vendor's client, with every default that it would read from the environment set, and retries, time limit and
 * logging left to the caller; or what is wrong with the settings.
 *
 * The headers are ours alone. The client cannot be kept from adding those of `OPENAI_CUSTOM_HEADERS`, and this way it
 * never holds the key.
 */
export const makeVendorClient = (endpoint: Endpoint): Result.Result<OpenAI, string> => {
  const url = parse(endpoint.baseUrl)
  if (url === undefined) return Result.fail("baseUrl is not an http or https URL, such as https://api.openai.com/v1")
  if (url.username !== "" || url.password !== "") {
    return Result.fail("baseUrl holds a user name or password, which fetch refuses: remove them and pass apiKey")
  }
  const headers = toHeaders(endpoint)
  if (headers === undefined) {
    return Result.fail("apiKey or organization holds characters that an HTTP header cannot carry")
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
        fetch: (input, init) => globalThis.fetch(input, { ...init, headers: headers() })
      }),
    catch: () => "the openai client does not run here, for example because this is a browser"
  })
}

const parse = (baseUrl: string | URL | undefined): URL | undefined => {
  const text = typeof baseUrl === "string" ? baseUrl.trim() : baseUrl?.href
  const url = text === undefined || text === "" ? new URL(defaultBaseUrl) : URL.parse(text) ?? undefined
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return undefined
  // The path of the endpoint is appended to the text of the URL.
  url.hash = ""
  return url
}

// Keys and names copied from a file often end in a line break.
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
