// The clients that `npm run clients` drives, and what each of them is expected to do.
//
// - `packages`: what is installed, at exact versions; the first one is the client
// - `driver`: the program in `drivers/` that drives it
// - `eras`: `legacy`, and `auto` where the client also speaks 2026-07-28
// - `offers`: by era, what the client can answer when it is given a scripted model and a scripted user
// - `probes`: the transports over which the client waits so briefly for `server/discover` that it may go on with the
//   handshake of 2025-11-25
export const clients = [
  {
    name: "mcp-sdk-1",
    title: "official SDK 1.x",
    packages: { "@modelcontextprotocol/sdk": "1.32.2" },
    driver: "sdk",
    eras: ["legacy"],
    offers: { legacy: ["sampling", "elicitation"] }
  },
  {
    name: "mcp-sdk-2",
    title: "official SDK 2.x",
    packages: { "@modelcontextprotocol/client": "2.4.0" },
    driver: "sdk-v2",
    eras: ["legacy", "auto"],
    offers: { legacy: ["sampling", "elicitation"], auto: ["sampling", "elicitation"] }
  },
  {
    name: "mcp-use",
    title: "mcp-use",
    packages: { "mcp-use": "1.34.6" },
    driver: "mcp-use",
    eras: ["legacy"],
    offers: { legacy: ["sampling", "elicitation"] }
  },
  {
    name: "ai-sdk",
    title: "AI SDK",
    packages: { "@ai-sdk/mcp": "2.0.99" },
    driver: "ai-sdk",
    eras: ["legacy", "auto"],
    offers: { legacy: ["elicitation"], auto: ["elicitation"] },
    probes: ["stdio"]
  },
  {
    name: "mastra",
    title: "Mastra",
    packages: { "@mastra/mcp": "2.0.0" },
    driver: "mastra",
    eras: ["legacy", "auto"],
    offers: { legacy: ["elicitation"], auto: ["elicitation"] }
  },
  {
    name: "langchain",
    title: "LangChain",
    packages: { "@langchain/mcp-adapters": "1.1.4", "@langchain/core": "1.4.0" },
    driver: "langchain",
    eras: ["legacy"],
    offers: { legacy: [] }
  },
  {
    name: "mcporter",
    title: "mcporter",
    packages: { mcporter: "0.12.3" },
    driver: "mcporter",
    eras: ["legacy"],
    offers: { legacy: [] }
  },
  {
    name: "inspector",
    title: "MCP Inspector, `--cli`",
    packages: { "@modelcontextprotocol/inspector": "2.12.0" },
    driver: "inspector",
    eras: ["legacy", "auto"],
    offers: { legacy: [], auto: [] }
  },
  {
    name: "mcpdo",
    title: "MCP Inspector, `mcpdo`",
    packages: { "@modelcontextprotocol/inspector": "2.12.0" },
    driver: "mcpdo",
    eras: ["legacy", "auto"],
    offers: { legacy: ["elicitation"], auto: ["elicitation"] }
  },
  {
    name: "pi",
    title: "Pi with pi-mcp-adapter",
    packages: { "@earendil-works/pi-coding-agent": "0.86.1", "pi-mcp-adapter": "2.36.0" },
    driver: "pi",
    eras: ["legacy", "auto"],
    offers: { legacy: ["sampling"], auto: ["sampling"] }
  }
]
