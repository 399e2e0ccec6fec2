/**
 * The workload of every peer: one tool that asks the client's model a number of times, one after the other, and answers
 * with the last text.
 */
export const toolName = "summarise"

export const toolDescription = "Summarises a text"

export interface ToolArguments {
  readonly text: string
  readonly asks: number
}

export const maxTokens = 300

export const askTimeoutMillis = 10 * 60 * 1000

export const toPrompt = (text: string): string => `Summarise:\n\n${text}`

export const text = "The quick brown fox jumps over the lazy dog and goes on its way. ".repeat(4)

export const answer = {
  role: "assistant",
  content: { type: "text", text: "A fox jumps over a dog, and goes on." },
  model: "bench-model",
  stopReason: "endTurn"
}

/** Returns the correct answer of the tool. */
export const resultText = (asks: number): string => asks === 0 ? "nothing asked" : answer.content.text

export const initialize = {
  protocolVersion: "2025-11-25",
  capabilities: { sampling: { tools: {} } },
  clientInfo: { name: "bench", version: "1.0.0" }
}

/** The metadata that a client of MCP 2026-07-28 sends with each request. */
export const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": { sampling: { tools: {} } },
  "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1.0.0" }
}
