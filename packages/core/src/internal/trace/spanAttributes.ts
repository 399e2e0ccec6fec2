import type { ToolUseContent } from "../../Content.ts"
import type { SamplingError } from "../../SamplingError.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import type { SamplingResponse, Usage } from "../../SamplingResponse.ts"
import { truncate } from "../quote.ts"

/**
 * Attributes of the request, by the names of the OpenTelemetry GenAI and MCP semantic conventions. No prompt text.
 */
export const requestAttributes = (request: SamplingRequest): Record<string, unknown> => ({
  "mcp.method.name": "sampling/createMessage",
  "gen_ai.operation.name": "chat",
  "gen_ai.request.max_tokens": request.maxTokens,
  ...(request.temperature !== undefined && { "gen_ai.request.temperature": request.temperature })
})

/**
 * Who answered, and why the sources before it did not. No text, and nothing long: a client chooses its name.
 */
export const sourceAttributes = (response: SamplingResponse): Record<string, unknown> => ({
  "sampling.source.kind": response.source.kind,
  "sampling.source.name": truncate(response.source.name, maxLength),
  ...(response.passedOver.length > 0 && { "sampling.passed_over": response.passedOver.map(reason) })
})

/**
 * Attributes of the response: who answered, model, stop reason, tokens. No text, and nothing long.
 */
export const responseAttributes = (response: SamplingResponse): Record<string, unknown> => ({
  ...sourceAttributes(response),
  ...(response.source.kind === "provider" && { "gen_ai.provider.name": truncate(response.source.name, maxLength) }),
  "gen_ai.response.model": truncate(response.model, maxLength),
  ...(response.stopReason !== undefined && {
    "gen_ai.response.finish_reasons": [truncate(response.stopReason, maxLength)]
  }),
  ...(response.usage?.inputTokens !== undefined && { "gen_ai.usage.input_tokens": response.usage.inputTokens }),
  ...(response.usage?.outputTokens !== undefined && { "gen_ai.usage.output_tokens": response.usage.outputTokens })
})

/** Attributes of one turn of a loop. Its tokens are not `gen_ai.usage`: the completion's span has those already. */
export const turnAttributes = (
  response: SamplingResponse,
  calls: ReadonlyArray<ToolUseContent>
): Record<string, unknown> => ({
  "sampling.turn.calls": calls.length,
  ...(response.stopReason !== undefined && { "sampling.turn.stop_reason": truncate(response.stopReason, maxLength) }),
  ...usageAttributes("sampling.turn", response.usage)
})

/** Attributes of a whole loop. */
export const loopAttributes = (turns: number, usage: Usage | undefined): Record<string, unknown> => ({
  "sampling.turns": turns,
  ...usageAttributes("sampling", usage)
})

const usageAttributes = (prefix: string, usage: Usage | undefined): Record<string, unknown> => ({
  ...(usage?.inputTokens !== undefined && { [`${prefix}.input_tokens`]: usage.inputTokens }),
  ...(usage?.outputTokens !== undefined && { [`${prefix}.output_tokens`]: usage.outputTokens })
})

const maxLength = 200

// Not the message: that of a client's error is the client's own text.
const reason = (error: SamplingError): string =>
  error._tag === "SamplingUnsupported"
    ? `${error._tag}: ${error.missing}`
    : error._tag === "ProviderError"
    ? `${error._tag}: ${error.reason}`
    : error._tag
