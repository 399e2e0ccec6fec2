/**
 * The content blocks that sampling messages carry, as Schemas whose encoded form is the MCP wire JSON.
 *
 * Source: MCP 2025-11-25 `schema.ts` (`SamplingMessageContentBlock`), unchanged in 2026-07-28. Text and image exist
 * since 2024-11-05, audio since 2025-03-26, `tool_use` and `tool_result` since 2025-11-25.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Schema from "effect/Schema"

const JsonObject = Schema.Record(Schema.String, Schema.Unknown)

const common = {
  annotations: Schema.optionalKey(JsonObject),
  _meta: Schema.optionalKey(JsonObject)
}

/**
 * Plain text.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TextContent = Schema.Struct({
  type: Schema.Literal("text"),
  text: Schema.String,
  ...common
})

/**
 * @category models
 * @since 0.1.0
 */
export type TextContent = typeof TextContent.Type

/**
 * An image: `data` is base64, `mimeType` for example `image/png`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageContent = Schema.Struct({
  type: Schema.Literal("image"),
  data: Schema.String.check(Schema.isBase64()),
  mimeType: Schema.String,
  ...common
})

/**
 * @category models
 * @since 0.1.0
 */
export type ImageContent = typeof ImageContent.Type

/**
 * Audio: `data` is base64, `mimeType` for example `audio/wav`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AudioContent = Schema.Struct({
  type: Schema.Literal("audio"),
  data: Schema.String.check(Schema.isBase64()),
  mimeType: Schema.String,
  ...common
})

/**
 * @category models
 * @since 0.1.0
 */
export type AudioContent = typeof AudioContent.Type

/**
 * A tool call that the model requests. The {@link ToolResultContent} whose `toolUseId` is this `id` answers it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ToolUseContent = Schema.Struct({
  type: Schema.Literal("tool_use"),
  id: Schema.String,
  name: Schema.String,
  input: JsonObject,
  _meta: Schema.optionalKey(JsonObject)
})

/**
 * @category models
 * @since 0.1.0
 */
export type ToolUseContent = typeof ToolUseContent.Type

/**
 * A link to a resource, inside a tool result.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ResourceLink = Schema.Struct({
  type: Schema.Literal("resource_link"),
  uri: Schema.String,
  name: Schema.String,
  title: Schema.optionalKey(Schema.String),
  description: Schema.optionalKey(Schema.String),
  mimeType: Schema.optionalKey(Schema.String),
  size: Schema.optionalKey(Schema.Finite),
  icons: Schema.optionalKey(Schema.Array(JsonObject)),
  ...common
})

/**
 * @category models
 * @since 0.1.0
 */
export type ResourceLink = typeof ResourceLink.Type

const resourceContents = {
  uri: Schema.String,
  mimeType: Schema.optionalKey(Schema.String),
  _meta: Schema.optionalKey(JsonObject)
}

/**
 * The contents of a resource, inside a tool result.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EmbeddedResource = Schema.Struct({
  type: Schema.Literal("resource"),
  resource: Schema.Union([
    Schema.Struct({ ...resourceContents, text: Schema.String }),
    Schema.Struct({ ...resourceContents, blob: Schema.String.check(Schema.isBase64()) })
  ]),
  ...common
})

/**
 * @category models
 * @since 0.1.0
 */
export type EmbeddedResource = typeof EmbeddedResource.Type

/**
 * The result of a tool call. It answers the {@link ToolUseContent} whose `id` is this `toolUseId`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ToolResultContent = Schema.Struct({
  type: Schema.Literal("tool_result"),
  toolUseId: Schema.String,
  content: Schema.Array(Schema.Union([TextContent, ImageContent, AudioContent, ResourceLink, EmbeddedResource])),
  structuredContent: Schema.optionalKey(JsonObject),
  isError: Schema.optionalKey(Schema.Boolean),
  _meta: Schema.optionalKey(JsonObject)
})

/**
 * @category models
 * @since 0.1.0
 */
export type ToolResultContent = typeof ToolResultContent.Type

/**
 * One block of a sampling message.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Content = Schema.Union([TextContent, ImageContent, AudioContent, ToolUseContent, ToolResultContent])
  .annotate({ expected: "a content block (text, image, audio, tool_use or tool_result)" })

/**
 * @category models
 * @since 0.1.0
 */
export type Content = typeof Content.Type

/**
 * Returns the blocks of a message or response as an array, even if the wire carried a single block.
 *
 * **Example** (Reading the blocks of a message)
 *
 * ```ts
 * import { Content } from "@effect-sampling/core"
 *
 * const blocks = Content.blocks({ type: "text", text: "hello" })
 * blocks.length // => 1
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const blocks = (content: Content | ReadonlyArray<Content>): ReadonlyArray<Content> =>
  isArray(content) ? content : [content]

/**
 * Returns the text of all text blocks, joined without a separator, because providers split one text into several blocks
 * at arbitrary positions.
 *
 * **Example** (Joining text around an image)
 *
 * ```ts
 * import { Content } from "@effect-sampling/core"
 *
 * const all = Content.text([
 *   { type: "text", text: "Hello, " },
 *   { type: "image", data: "AAAA", mimeType: "image/png" },
 *   { type: "text", text: "world" }
 * ])
 * all // => "Hello, world"
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const text = (content: Content | ReadonlyArray<Content>): string => {
  if (!isArray(content)) return content.type === "text" ? content.text : ""
  let all = ""
  for (const block of content) if (block.type === "text") all += block.text
  return all
}

/**
 * Converts blocks to the model output of an `effect/ai` tool. Pass it as `toModelOutput` of a tool whose success is
 * content: MCP clients then receive the blocks themselves, including images and audio, instead of JSON.
 *
 * **Details**
 *
 * `tool_use` and `tool_result` blocks are not allowed in a tool's output, so each becomes a text that holds its JSON.
 *
 * **Example** (Returning a reply's content from a tool)
 *
 * ```ts
 * import { Content } from "@effect-sampling/core"
 * import { Schema } from "effect"
 * import { Tool } from "effect/ai"
 *
 * const Draw = Tool.make("draw", {
 *   parameters: Schema.Struct({ subject: Schema.String }),
 *   success: Schema.Array(Content.Content),
 *   toModelOutput: Content.toModelOutput
 * })
 * Draw.name // => "draw"
 * ```
 *
 * @category converting
 * @since 0.1.0
 */
export const toModelOutput = (content: Content | ReadonlyArray<Content>): Array<Prompt.ToolModelOutputPart> =>
  blocks(content).map((block) => {
    switch (block.type) {
      case "text":
        return Prompt.textPart({ text: block.text })
      case "image":
      case "audio":
        return Prompt.filePart({ mediaType: block.mimeType, data: block.data })
      case "tool_use":
      case "tool_result":
        return Prompt.textPart({ text: JSON.stringify(block) })
    }
  })

// Array.isArray does not narrow readonly arrays.
const isArray = (content: Content | ReadonlyArray<Content>): content is ReadonlyArray<Content> => Array.isArray(content)
