import { MCPClient } from "@mastra/mcp"
import { elicits, era, form, fromResult, isStdio, report, server } from "./plan.mjs"

const client = new MCPClient({
  servers: {
    it: {
      ...(isStdio ? { ...server, stderr: "ignore" } : { url: new URL(server.url) }),
      ...(era === "legacy" && { protocolVersion: "legacy" }),
      ...(elicits && { inputRequests: async () => form })
    }
  }
})
const tools = await client.listTools()
await report(
  Object.keys(tools).map((name) => name.replace("it_", "")),
  async (call) => {
    const result = await tools[`it_${call.name}`].execute(call.arguments, {})
    // A result with structured content is that content alone.
    return result?.content === undefined ? { isError: false, text: JSON.stringify(result) } : fromResult(result)
  }
)
await client.disconnect()
process.exit()
