import type { ToolUseContent } from "../../Content.ts"
import type { SamplingError } from "../../SamplingError.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import type { SamplingResponse, Usage } from "../../SamplingResponse.ts"
import { truncate } from "../quote.ts"

/**
 * Returns the attributes of a request, named by the OpenTelemetry GenAI and MCP semantic conventions. They hold no
 * prompt text.
 */
export const requestAttributes = (request: SamplingRequest): Record<string, unknown> => ({
  "mcp.method.name": "sampling/createMessage",
  "gen_ai.operation.name": "chat",
  "gen_ai.request.max_tokens": request.maxTokens,
  ...(request.temperature !== undefined && { "gen_ai.request.temperature": request.temperature })
})

/**
 * Returns the source that answered, and why the sources before it did not. Values are cut to a limited length, because
 * a client chooses its own name.
 */
export const sourceAttributes = (response: SamplingResponse): Record<string, unknown> => ({
  "sampling.source.kind": response.source.kind,
  "sampling.source.name": truncate(response.source.name, maxLength),
  ...(response.passedOver.length > 0 && { "sampling.passed_over": response.passedOver.map(reason) })
})

/**
 * Returns the attributes of a response: source, model, stop reason and tokens. They hold no text of the answer, and
 * values are cut to a limited length.
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

/**
 * Returns the attributes of one turn of a loop. Its tokens are not under `gen_ai.usage`, because the completion's span
 * already counts them there.
 */
export const turnAttributes = (
  response: SamplingResponse,
  calls: ReadonlyArray<ToolUseContent>
): Record<string, unknown> => ({
  "sampling.turn.calls": calls.length,
  ...(response.stopReason !== undefined && { "sampling.turn.stop_reason": truncate(response.stopReason, maxLength) }),
  ...usageAttributes("sampling.turn", response.usage)
})

/** Returns the attributes of a whole loop. */
export const loopAttributes = (turns: number, usage: Usage | undefined): Record<string, unknown> => ({
  "sampling.turns": turns,
  ...usageAttributes("sampling", usage)
})

const usageAttributes = (prefix: string, usage: Usage | undefined): Record<string, unknown> => ({
  ...(usage?.inputTokens !== undefined && { [`${prefix}.input_tokens`]: usage.inputTokens }),
  ...(usage?.outputTokens !== undefined && { [`${prefix}.output_tokens`]: usage.outputTokens })
})

const maxLength = 200

// The message is left out, because the message of a client's error may hold text that the client wrote.
const reason = (error: SamplingError): string =>
  error._tag === "SamplingUnsupported"
    ? `${error._tag}: ${error.missing}`
    : error._tag === "ProviderError"
    ? `${error._tag}: ${error.reason}`
    : error._tag
