import type { ClientConnection } from "../../ClientConnection.ts"
import { describe } from "../../ClientConnection.ts"
import { blocks } from "../../Content.ts"
import { SamplingUnsupported } from "../../SamplingError.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import { isToolBlock, needsTools } from "../loop/toolPairing.ts"
import { quote } from "../quote.ts"

/** Why this client must not be sent this request, or undefined. Nothing is sent before this is known. */
export const findUnsupported = (
  connection: ClientConnection,
  request: SamplingRequest
): SamplingUnsupported | undefined => {
  const { protocolVersion, unreachable } = connection
  const sampling = connection.capabilities.sampling
  const who = () => describe(connection)
  if (unreachable !== undefined) {
    return new SamplingUnsupported({
      missing: "backChannel",
      message: `Cannot ask the model of ${who()}: ${unreachable} ${orProvider}`
    })
  }
  if (!isDeclared(sampling)) {
    return new SamplingUnsupported({
      missing: "sampling",
      message:
        `Cannot ask the model of ${who()}: it did not declare the capability "sampling". Use a client that does. ${orProvider}`
    })
  }
  if (!isDeclared(sampling.tools) && needsTools(request)) {
    return new SamplingUnsupported({
      missing: "sampling.tools",
      message: `Cannot ask the model of ${who()} with tools: it declared "sampling" but not "sampling.tools". ` +
        `Sample without tools, or use a client that supports them. ${orProvider}`
    })
  }
  const isBeforeAudio = protocolVersion !== undefined && isBefore(protocolVersion, "2025-03-26")
  if (isBeforeAudio && hasAudio(request)) {
    return new SamplingUnsupported({
      missing: "content",
      message: `Cannot send audio to ${who()}: it speaks MCP ${quote(protocolVersion)}, which has none ` +
        `(2025-03-26 added it). ${orProvider}`
    })
  }
  return undefined
}

/**
 * Whether the request asks for context that this client must not be asked for. `includeContext` is a hint that any client
 * may ignore, so a client that did not declare `sampling.context` gets the request without it. Before 2025-11-25 there was
 * no such capability, and every client could be asked.
 *
 * MCP 2025-11-25, sampling, "Capabilities".
 */
export const omitsContext = (connection: ClientConnection, { includeContext }: SamplingRequest): boolean =>
  (includeContext === "thisServer" || includeContext === "allServers") &&
  !isDeclared(connection.capabilities.sampling?.context) &&
  !isBefore(connection.protocolVersion, "2025-11-25")

/**
 * The parameters as this client's revision defines them: before 2025-11-25 (and where the revision is unknown) a message
 * holds exactly one block, so longer ones are split into several of the same role.
 */
export const toWireParams = (
  connection: ClientConnection,
  given: SamplingRequest
): SamplingRequest => {
  const own = given.key === undefined && given.responseFormat === undefined ? given : withoutOwn(given)
  const request = omitsContext(connection, own) ? withoutContext(own) : own
  const onlySingleBlocks = connection.protocolVersion === undefined ||
    isBefore(connection.protocolVersion, "2025-11-25")
  return onlySingleBlocks && request.messages.some((message) => !("type" in message.content))
    ? { ...request, messages: request.messages.flatMap(splitMessage) }
    : request
}

/** Without what is not MCP's. */
const withoutOwn = (given: SamplingRequest): SamplingRequest => {
  const { key: _, responseFormat: __, ...request } = given
  return request
}

const withoutContext = (given: SamplingRequest): SamplingRequest => {
  const { includeContext: _, ...request } = given
  return request
}

/** Whether this client can be asked at all. */
export const canSample = (connection: ClientConnection): boolean =>
  connection.unreachable === undefined && isDeclared(connection.capabilities.sampling)

/** Whether this client's requests may carry tools. */
export const canUseTools = (connection: ClientConnection): boolean => {
  const sampling = connection.capabilities.sampling
  return isDeclared(sampling) && isDeclared(sampling.tools)
}

const orProvider = "Or configure a provider: Sampler.fallback(ClientSampler.layer, provider)."

// MCP revisions are dates, so they order as text.
const isBefore = (version: string | undefined, revision: string): boolean => version !== undefined && version < revision

// The client declares: null where an object is due is no promise.
const isDeclared = <A extends object>(capability: A | null | undefined): capability is A =>
  capability !== undefined && capability !== null

const hasAudio = (request: SamplingRequest): boolean =>
  request.messages.some((message) => blocks(message.content).some((block) => block.type === "audio"))

const splitMessage = (message: SamplingMessage): ReadonlyArray<SamplingMessage> =>
  "type" in message.content || message.content.some(isToolBlock)
    ? [message]
    : message.content.map((content) => ({ ...message, content }))
