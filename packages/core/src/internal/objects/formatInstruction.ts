import type { ResponseFormat, SamplingRequest } from "../../SamplingRequest.ts"
import { joinPrompts } from "../loop/toSample.ts"

/**
 * Rewrites a request for a source that does not support `responseFormat`: the system prompt asks for the format in
 * words.
 */
export const withFormatInstruction = (
  { responseFormat, ...request }: SamplingRequest & { readonly responseFormat: ResponseFormat }
): SamplingRequest => ({
  ...request,
  systemPrompt: joinPrompts(
    request.systemPrompt,
    formatInstruction(responseFormat.schema)
  )!
})

export const formatInstruction = (schema: ResponseFormat["schema"]): string =>
  "Answer with one JSON value and nothing else: no explanation and no code fence. It must fit this JSON Schema:\n" +
  JSON.stringify(schema)
