import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { completion, elicits, era, form, fromResult, isStdio, report, samples, server } from "./plan.mjs"

const client = new Client({ name: "official-client", version: "1.0.0" }, {
  capabilities: { ...(samples && { sampling: {} }), ...(elicits && { elicitation: { form: {} } }) },
  versionNegotiation: { mode: era }
})
if (samples) client.setRequestHandler("sampling/createMessage", () => completion)
if (elicits) client.setRequestHandler("elicitation/create", () => form)
await client.connect(
  isStdio
    ? new StdioClientTransport({ ...server, stderr: "ignore" })
    : new StreamableHTTPClientTransport(new URL(server.url))
)
const { tools } = await client.listTools()
await report(tools.map(({ name }) => name), async (call) => fromResult(await client.callTool(call)))
await client.close()
