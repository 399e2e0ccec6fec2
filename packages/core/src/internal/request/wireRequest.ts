import * as Effect from "effect/Effect"
import type { ClientConnection } from "../../ClientConnection.ts"
import { describe } from "../../ClientConnection.ts"
import { blocks } from "../../Content.ts"
import { SamplingUnsupported } from "../../SamplingError.ts"
import type { SamplingMessage } from "../../SamplingMessage.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import { withAdvice } from "../advice.ts"
import { isToolBlock, needsTools } from "../loop/toolPairing.ts"
import { mapContent, withoutOwnMeta } from "../ownMeta.ts"
import { quote } from "../quote.ts"
import type { SamplingRequirement } from "../sampleTypes.ts"

/** Fails if the client of a call, or its absence, makes every request that needs this fail. */
export const checkClient = (
  connection: ClientConnection | undefined,
  requirement: SamplingRequirement
): Effect.Effect<void, SamplingUnsupported> => {
  const unsupported = connection === undefined
    ? noClient()
    : findUnsupported(connection, {
      messages: [],
      maxTokens: 1,
      ...(requirement === "sampling.tools" && { tools: [] })
    })
  return unsupported === undefined ? Effect.void : Effect.fail(unsupported)
}

/** Builds the error of a request where no client is connected. */
export const noClient = (): SamplingUnsupported =>
  withAdvice(
    new SamplingUnsupported({
      missing: "client",
      message: "Cannot ask a client's model: no client is connected here."
    }),
    "Run this inside a tool, prompt or resource handler of an MCP server adapter, or provide another Sampler: " +
      "Sampler.fallback(ClientSampler.layer, provider)."
  )

/** Returns why this request must not be sent to this client, or undefined. Call it before anything is sent. */
export const findUnsupported = (
  connection: ClientConnection,
  request: SamplingRequest
): SamplingUnsupported | undefined => {
  const { protocolVersion, remedy, unreachable } = connection
  const sampling = connection.capabilities.sampling
  const who = () => describe(connection)
  if (unreachable !== undefined) {
    return withProvider({ missing: "backChannel", message: `Cannot ask the model of ${who()}: ${unreachable}` }, remedy)
  }
  if (!isDeclared(sampling)) {
    return withProvider({
      missing: "sampling",
      message: `Cannot ask the model of ${who()}: it did not declare the capability "sampling". Use a client that does.`
    })
  }
  if (!isDeclared(sampling.tools) && needsTools(request)) {
    return withProvider({
      missing: "sampling.tools",
      message: `Cannot ask the model of ${who()} with tools: it declared "sampling" but not "sampling.tools". Use a ` +
        "client that supports them."
    })
  }
  const isBeforeAudio = protocolVersion !== undefined && isBefore(protocolVersion, "2025-03-26")
  if (isBeforeAudio && hasAudio(request)) {
    return withProvider({
      missing: "content",
      message: `Cannot send audio to ${who()}: it speaks MCP ${quote(protocolVersion)}, which has no audio ` +
        "(2025-03-26 added it). Use a newer client."
    })
  }
  return undefined
}

/**
 * Returns whether `includeContext` has to be left out of the request. It is a hint that any client may ignore, so a
 * client that did not declare `sampling.context` receives the request without it. Before 2025-11-25 that capability did
 * not exist, and every client could be asked for context.
 *
 * MCP 2025-11-25, sampling, "Capabilities".
 */
export const omitsContext = (connection: ClientConnection, { includeContext }: SamplingRequest): boolean =>
  (includeContext === "thisServer" || includeContext === "allServers") &&
  !isDeclared(connection.capabilities.sampling?.context) &&
  !isBefore(connection.protocolVersion, "2025-11-25")

/**
 * Converts a request to the parameters that this client's revision defines. Before 2025-11-25, and if the revision is
 * unknown, a message holds exactly one block, so a longer message is split into several of the same role.
 */
export const toWireParams = (
  connection: ClientConnection,
  given: SamplingRequest
): SamplingRequest => {
  const own = withoutOwn(given)
  const request = omitsContext(connection, own) ? withoutContext(own) : own
  const onlySingleBlocks = connection.protocolVersion === undefined ||
    isBefore(connection.protocolVersion, "2025-11-25")
  return onlySingleBlocks && request.messages.some((message) => !("type" in message.content))
    ? { ...request, messages: request.messages.flatMap(splitMessage) }
    : request
}

/** Removes the fields that are not part of MCP, and the metadata that only this library understands. */
const withoutOwn = (given: SamplingRequest): SamplingRequest => {
  const messages = mapContent(given.messages, withoutOwnMeta)
  if (given.key === undefined && given.responseFormat === undefined && messages === given.messages) return given
  const { key: _, responseFormat: __, ...request } = given
  return { ...request, messages }
}

const withoutContext = (given: SamplingRequest): SamplingRequest => {
  const { includeContext: _, ...request } = given
  return request
}

/** Returns whether this client can be asked at all. */
export const canSample = (connection: ClientConnection): boolean =>
  connection.unreachable === undefined && isDeclared(connection.capabilities.sampling)

/** Returns whether requests to this client may carry tools. */
export const canUseTools = (connection: ClientConnection): boolean => {
  const sampling = connection.capabilities.sampling
  return isDeclared(sampling) && isDeclared(sampling.tools)
}

const withProvider = (
  problem: Pick<SamplingUnsupported, "missing" | "message">,
  remedy?: string
): SamplingUnsupported =>
  withAdvice(new SamplingUnsupported(problem), remedy === undefined ? provider : `${remedy} ${provider}`)

const provider = "Configure a provider for such clients: Sampler.fallback(ClientSampler.layer, provider)."

// MCP revisions are dates, so they order as text.
const isBefore = (version: string | undefined, revision: string): boolean => version !== undefined && version < revision

// The client's declaration is not validated, and null in place of an object does not declare a capability.
const isDeclared = <A extends object>(capability: A | null | undefined): capability is A =>
  capability !== undefined && capability !== null

const hasAudio = (request: SamplingRequest): boolean =>
  request.messages.some((message) => blocks(message.content).some((block) => block.type === "audio"))

const splitMessage = (message: SamplingMessage): ReadonlyArray<SamplingMessage> =>
  "type" in message.content || message.content.some(isToolBlock)
    ? [message]
    : message.content.map((content) => ({ ...message, content }))
