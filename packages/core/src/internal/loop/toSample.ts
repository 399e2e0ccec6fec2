import * as Content from "../../Content.ts"
import * as ModelPreferences from "../../ModelPreferences.ts"
import type { Resolved } from "../../SamplingPrompt.ts"
import type { SamplingRequest } from "../../SamplingRequest.ts"
import type { SamplingResponse } from "../../SamplingResponse.ts"
import type { Sample, SampleOptions } from "../sampleTypes.ts"
import type { LoopResult } from "./runLoop.ts"

export const toRequest = (prompt: Resolved, options: SampleOptions): SamplingRequest => {
  const systemPrompt = joinPrompts(prompt.systemPrompt, options.systemPrompt)
  return {
    messages: prompt.messages,
    maxTokens: options.maxTokens ?? 512,
    ...(systemPrompt !== undefined && { systemPrompt }),
    ...(options.temperature !== undefined && { temperature: options.temperature }),
    ...(options.modelPreferences !== undefined &&
      { modelPreferences: ModelPreferences.make(options.modelPreferences) }),
    ...(options.includeContext !== undefined && { includeContext: options.includeContext }),
    ...(options.stopSequences !== undefined && { stopSequences: options.stopSequences }),
    ...(options.metadata !== undefined && { metadata: options.metadata }),
    ...(options.key !== undefined && { key: options.key })
  }
}

export const joinPrompts = (first: string | undefined, second: string | undefined): string | undefined =>
  first === undefined ? second : second === undefined ? first : `${first}\n\n${second}`

export const toSample = (
  response: SamplingResponse,
  { history, turns, usage }: Pick<LoopResult<unknown>, "history" | "turns" | "usage">
): Sample => ({
  text: Content.text(response.content),
  content: Content.blocks(response.content),
  model: response.model,
  stopReason: response.stopReason,
  truncated: response.stopReason === "maxTokens",
  source: response.source,
  passedOver: response.passedOver,
  usage,
  history,
  turns
})
