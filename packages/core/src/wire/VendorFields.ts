/**
 * Keeps the fields that only a provider understands out of what a client and a server exchange.
 *
 * @since 0.1.0
 */
import type { Content } from "../Content.ts"
import { mapBlocks, mapContent, withoutVendorFields } from "../internal/ownMeta.ts"
import type { SamplingRequest } from "../SamplingRequest.ts"

/**
 * Removes the fields of all providers from a content that leaves this process.
 *
 * @category removing
 * @since 0.1.0
 */
export const removeFromContent = (content: Content | ReadonlyArray<Content>): Content | ReadonlyArray<Content> =>
  mapBlocks(content, withoutVendorFields)

/**
 * Removes the fields of all providers from a request that came from outside, which may have made them up.
 *
 * @category removing
 * @since 0.1.0
 */
export const removeFromRequest = (request: SamplingRequest): SamplingRequest => {
  const messages = mapContent(request.messages, withoutVendorFields)
  return messages === request.messages ? request : { ...request, messages }
}
