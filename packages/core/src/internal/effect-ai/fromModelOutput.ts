import type * as Prompt from "effect/ai/Prompt"
import * as Base64 from "effect/encoding/Base64"
import type { AudioContent, EmbeddedResource, ImageContent, ResourceLink, TextContent } from "../../Content.ts"

/**
 * Converts one part of a tool's model output to a block that tool results can carry. It is the inverse of `Content.toModelOutput`.
 * A file that is neither an image nor audio becomes an embedded resource, and a file given by URL becomes a resource
 * link.
 */
export const fromModelOutput = (
  part: Prompt.ToolModelOutputPart
):
  | Pick<TextContent, "type" | "text">
  | Pick<ImageContent | AudioContent, "type" | "data" | "mimeType">
  | Pick<ResourceLink, "type" | "uri" | "name" | "mimeType">
  | Pick<EmbeddedResource, "type" | "resource"> =>
{
  if (part.type === "text") return { type: "text", text: part.text }
  const mimeType = part.mediaType
  if (typeof part.data !== "string" && !(part.data instanceof Uint8Array)) {
    const uri = String(part.data)
    return { type: "resource_link", uri, name: part.fileName ?? uri, mimeType }
  }
  const data = typeof part.data === "string" ? part.data : Base64.encode(part.data)
  const type = mimeType.startsWith("image/") ? "image" : mimeType.startsWith("audio/") ? "audio" : undefined
  return type === undefined
    ? { type: "resource", resource: { uri: `file:///${part.fileName ?? "result"}`, mimeType, blob: data } }
    : { type, data, mimeType }
}
