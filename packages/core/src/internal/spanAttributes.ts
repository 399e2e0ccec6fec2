import type { SamplingRequest } from "../SamplingRequest.ts"
import type { SamplingResponse } from "../SamplingResponse.ts"

/**
 * Attributes of the request, by the names of the OpenTelemetry GenAI and MCP semantic conventions. No prompt text.
 */
export const requestAttributes = (request: SamplingRequest): Record<string, unknown> => ({
  "mcp.method.name": "sampling/createMessage",
  "gen_ai.operation.name": "chat",
  "gen_ai.request.max_tokens": request.maxTokens,
  ...(request.temperature !== undefined && { "gen_ai.request.temperature": request.temperature })
})

/** Attributes of the response: who answered and why others did not, model, stop reason, tokens. No text. */
export const responseAttributes = (response: SamplingResponse): Record<string, unknown> => ({
  "sampling.source.kind": response.source.kind,
  "sampling.source.name": response.source.name,
  ...(response.passedOver.length > 0 && {
    "sampling.passed_over": response.passedOver.map((error) => `${error._tag}: ${error.message}`)
  }),
  ...(response.source.kind === "provider" && { "gen_ai.provider.name": response.source.name }),
  "gen_ai.response.model": response.model,
  ...(response.stopReason !== undefined && { "gen_ai.response.finish_reasons": [response.stopReason] }),
  ...(response.usage?.inputTokens !== undefined && { "gen_ai.usage.input_tokens": response.usage.inputTokens }),
  ...(response.usage?.outputTokens !== undefined && { "gen_ai.usage.output_tokens": response.usage.outputTokens })
})
