import { MultiServerMCPClient } from "@langchain/mcp-adapters"
import { isStdio, report, server } from "./plan.mjs"

const client = new MultiServerMCPClient({
  mcpServers: {
    it: isStdio ? { transport: "stdio", ...server, stderr: "ignore" } : { transport: "http", url: server.url }
  }
})
const tools = await client.getTools()
await report(
  tools.map(({ name }) => name),
  async (call) => {
    const result = await tools.find(({ name }) => name === call.name).invoke(call.arguments)
    return { isError: false, text: typeof result === "string" ? result : JSON.stringify(result) }
  }
)
await client.close()
