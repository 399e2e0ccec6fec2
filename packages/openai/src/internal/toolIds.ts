import { blocks } from "@effect-sampling/core/Content"
import type { SamplingMessage } from "@effect-sampling/core/SamplingMessage"

/** Replaces a tool call id that OpenAI would refuse. OpenAI accepts 40 characters; other providers make longer ids. */
export type ToolIds = (id: string) => string

export const makeToolIds = (messages: ReadonlyArray<SamplingMessage>): ToolIds => {
  const short = new Map<string, string>()
  const taken = new Set<string>()
  for (const message of messages) {
    for (const block of blocks(message.content)) if (block.type === "tool_use") taken.add(block.id)
  }
  let number = 0
  for (const id of taken) {
    if (id.length <= maxLength) continue
    let candidate: string
    do candidate = `call_${++number}`
    while (taken.has(candidate))
    short.set(id, candidate)
  }
  return (id) => short.get(id) ?? id
}

const maxLength = 40
