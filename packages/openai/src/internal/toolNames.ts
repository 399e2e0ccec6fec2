import { blocks } from "@effect-sampling/core/Content"
import type { SamplingRequest } from "@effect-sampling/core/SamplingRequest"

/**
 * Converts tool names to names that OpenAI accepts (`^[a-zA-Z0-9_-]{1,64}$`), and back. MCP names may also contain dots
 * and may be longer.
 */
export interface ToolNames {
  readonly toWire: (name: string) => string
  readonly fromWire: (name: string) => string
}

export const makeToolNames = (request: SamplingRequest): ToolNames => {
  const wire = new Map<string, string>()
  const original = new Map<string, string>()
  const names = new Set(request.tools?.map((tool) => tool.name))
  for (const message of request.messages) {
    for (const block of blocks(message.content)) if (block.type === "tool_use") names.add(block.name)
  }
  // Names that already fit come first: they stay as they are, so no replacement may claim one of them.
  const ordered = [...names].toSorted((a, b) => Number(fits(b)) - Number(fits(a)))
  for (const name of ordered) {
    const safe = fits(name)
      ? name
      : unique(name.replaceAll(/[^a-zA-Z0-9_-]/gu, "_").slice(0, maxLength) || "_", original)
    wire.set(name, safe)
    original.set(safe, name)
  }
  return { toWire: (name) => wire.get(name) ?? name, fromWire: (name) => original.get(name) ?? name }
}

const maxLength = 64

const fits = (name: string): boolean => /^[a-zA-Z0-9_-]{1,64}$/.test(name)

const unique = (name: string, taken: ReadonlyMap<string, string>): string => {
  let candidate = name
  for (let number = 2; taken.has(candidate); number++) {
    const suffix = `_${number}`
    candidate = name.slice(0, maxLength - suffix.length) + suffix
  }
  return candidate
}
