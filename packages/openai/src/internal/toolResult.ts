import type {
  AudioContent,
  EmbeddedResource,
  ImageContent,
  ResourceLink,
  ToolResultContent
} from "@effect-sampling/core/Content"
import type { SamplingUnsupported } from "@effect-sampling/core/SamplingError"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import { parseJson, toJson } from "./json.ts"
import { unsupportedContent } from "./unsupported.ts"

/** Moves an image or audio to a place where the API accepts it, and returns the text that refers to it. */
type Attach = (media: ImageContent | AudioContent) => Result.Result<string, SamplingUnsupported>

/** Converts a tool result to text, because a tool message accepts only text. */
export const resultText = (
  provider: string,
  result: ToolResultContent,
  place: string,
  attach: Attach
): Result.Result<string, SamplingUnsupported> =>
  Result.gen(function*() {
    const texts: Array<string> = result.isError === true ? ["The tool failed:"] : []
    for (const block of result.content) {
      switch (block.type) {
        case "text":
          texts.push(block.text.toWellFormed())
          break
        case "image":
        case "audio":
          texts.push(yield* attach(block))
          break
        case "resource_link":
          texts.push(linkText(block))
          break
        case "resource":
          texts.push(yield* resourceText(provider, block, place, attach))
      }
    }
    if (result.structuredContent !== undefined && !repeats(result, result.structuredContent)) {
      texts.push(toJson(result.structuredContent))
    }
    return texts.join("\n")
  })

const linkText = (link: ResourceLink): string => `Resource link: ${toJson(withoutMeta(link))}`

const withoutMeta = ({ description, mimeType, name, title, uri }: ResourceLink) => ({
  uri,
  name,
  title,
  description,
  mimeType
})

const resourceText = (
  provider: string,
  { resource }: EmbeddedResource,
  place: string,
  attach: Attach
): Result.Result<string, SamplingUnsupported> => {
  const { mimeType, uri } = resource
  const head = `Resource ${toJson({ uri, mimeType })}:\n`
  if ("text" in resource) return Result.succeed(head + resource.text.toWellFormed())
  const kind = mimeType?.toLowerCase().startsWith("image/")
    ? "image"
    : mimeType?.toLowerCase().startsWith("audio/")
    ? "audio"
    : undefined
  return kind === undefined || mimeType === undefined
    ? Result.fail(
      unsupportedContent(provider, `${place} contains a binary resource that is neither an image nor audio`)
    )
    : Result.map(attach({ type: kind, data: resource.blob, mimeType }), (text) => head + text)
}

/**
 * Returns whether a text block already holds the structured content. MCP asks servers to send it in both forms
 * (2025-11-25, tools, "Structured Content"), and the model should read it once.
 */
const repeats = (result: ToolResultContent, structured: unknown): boolean =>
  result.content.some((block) =>
    block.type === "text" && block.text.trimStart().startsWith("{") && Equal.equals(parseJson(block.text), structured)
  )
