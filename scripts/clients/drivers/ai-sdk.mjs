import { createMCPClient, ElicitationRequestSchema } from "@ai-sdk/mcp"
import { StdioMCPTransport } from "@ai-sdk/mcp/mcp-stdio"
import { elicits, era, form, fromResult, isStdio, report, server } from "./plan.mjs"

const client = await createMCPClient({
  transport: isStdio ? new StdioMCPTransport({ ...server, stderr: "ignore" }) : { type: "http", url: server.url },
  protocolVersionDiscovery: era === "auto",
  ...(elicits && { capabilities: { elicitation: {} } })
})
if (elicits) client.onElicitationRequest(ElicitationRequestSchema, () => form)
const { tools } = await client.listTools()
await report(tools.map(({ name }) => name), async (call) => fromResult(await client.callTool(call)))
await client.close()
