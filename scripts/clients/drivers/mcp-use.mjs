import { MCPClient } from "mcp-use/client"
import { completion, elicits, form, fromResult, isStdio, report, samples, server } from "./plan.mjs"

const client = new MCPClient({ mcpServers: { it: isStdio ? server : { url: server.url } } }, {
  ...(samples && { onSampling: async () => completion }),
  ...(elicits && { onElicitation: async () => form })
})
const session = await client.createSession("it")
const tools = await session.listTools()
await report(
  tools.map(({ name }) => name),
  async (call) => fromResult(await session.callTool(call.name, call.arguments))
)
await client.closeAllSessions()
