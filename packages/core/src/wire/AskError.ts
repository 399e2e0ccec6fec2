/**
 * For adapters: the typed errors of requests to a client that ended without a result.
 *
 * @since 0.1.0
 */
import type { ClientConnection, ClientRequest } from "../ClientConnection.ts"
import { describe } from "../ClientConnection.ts"
import { withAdvice } from "../internal/advice.ts"
import { quote } from "../internal/quote.ts"
import { isDenial } from "../internal/request/isDenial.ts"
import {
  ClientError,
  ConnectionLost,
  InvalidRequest,
  InvalidResponse,
  SamplingRejected,
  SamplingTimeout,
  SamplingUnsupported
} from "../SamplingError.ts"
import type { SamplingError } from "../SamplingError.ts"

/**
 * The way in which a request to the client ended without a result.
 *
 * @category models
 * @since 0.1.0
 */
export type AskFailure =
  | { readonly _tag: "Error"; readonly code: number; readonly message: string }
  | { readonly _tag: "Malformed"; readonly problem: string }
  | { readonly _tag: "TimedOut" }
  | { readonly _tag: "Closed" }
  | { readonly _tag: "NotSent"; readonly problem: string }

/**
 * Converts the way in which an ask ended to a typed error, in the words of its method. `Client` gives the errors of
 * elicitation and roots types of their own.
 *
 * @category converting
 * @since 0.1.0
 */
export const toSamplingError = (
  connection: ClientConnection,
  method: ClientRequest["method"],
  outcome: AskFailure,
  timeoutMillis: number
): SamplingError => {
  const who = describe(connection)
  const what = requests[method]
  switch (outcome._tag) {
    case "Error":
      return fromClient(who, method, outcome.code, outcome.message)
    case "Malformed":
      return withAdvice(
        new InvalidResponse({ message: `The answer of ${who} to ${what} cannot be used: ${outcome.problem}.` }),
        fixClient
      )
    case "TimedOut":
      return withAdvice(
        new SamplingTimeout({
          afterMillis: timeoutMillis,
          message: `${capital(who)} did not answer ${what} within ${timeoutMillis / 1000} seconds. Its user may not ` +
            "have approved it in time: call the tool again, and look for a question of the client."
        }),
        "To wait longer, raise ClientConnection.AskTimeout."
      )
    case "NotSent":
      return new InvalidRequest({ message: `${capital(what)} was not sent to ${who}: ${outcome.problem}.` })
    case "Closed":
      return new ConnectionLost({
        message: `The connection to ${who} was lost before it answered ${what}. Call the tool again.`
      })
  }
}

const requests: Readonly<Record<ClientRequest["method"], string>> = {
  "sampling/createMessage": "the sampling request",
  "elicitation/create": "the elicitation request",
  "roots/list": "the request for its roots"
}

const capabilities: Readonly<Record<ClientRequest["method"], string>> = {
  "sampling/createMessage": "sampling",
  "elicitation/create": "elicitation",
  "roots/list": "roots"
}

const fixClient = "Fix the client's handler for this request."

/** Follows MCP sampling, "Error Handling", and recognizes the other answers that clients are known to send instead. */
const fromClient = (
  who: string,
  method: ClientRequest["method"],
  code: number,
  message: string
): SamplingError => {
  const said = quoteError(message)
  const what = requests[method]
  if (code === -1 || isDenial(message)) {
    return new SamplingRejected({ message: `The user or a policy of ${who} rejected ${what} (it said ${said}).` })
  }
  if (code === methodNotFound || notSupported.test(message)) {
    const capability = capabilities[method]
    return withAdvice(
      new SamplingUnsupported({
        missing: "sampling",
        message: `${capital(who)} declared "${capability}" but has no handler for it (it said ${said}). Use another ` +
          "client for this."
      }),
      method === "sampling/createMessage"
        ? "Fix the client, or configure a provider: Sampler.fallback(ClientSampler.layer, provider)."
        : "Fix the client, or let the handler catch ClientUnsupported."
    )
  }
  return new ClientError({ code, message: `${capital(who)} failed to answer ${what}: error ${code}, ${said}.` })
}

/**
 * The Python SDK without a handler answers -32600, "Sampling not supported", "Elicitation not supported" or "List roots
 * not supported"; the TypeScript SDK "Client does not support form-mode elicitation requests".
 */
const notSupported = new RegExp(
  "^(?:MCP error -?\\d+: )?(?:(?:sampling|elicitation|(?:list )?roots) (?:is )?not supported|" +
    "client does not support (?:form(?:[- ]mode)? )?(?:sampling|elicitation|(?:listing )?roots)(?: requests?)?)\\.?$",
  "i"
)

/** JSON-RPC 2.0, "Error object". */
const methodNotFound = -32601

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

// Clients built on the SDK repeat the error code in the message.
const quoteError = (text: string): string => quote(text.replace(/^MCP error -?\d+: /, ""), 200)
