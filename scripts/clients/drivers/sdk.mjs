import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { CreateMessageRequestSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import { completion, elicits, form, fromResult, isStdio, report, samples, server } from "./plan.mjs"

const capabilities = { ...(samples && { sampling: {} }), ...(elicits && { elicitation: {} }) }
const client = new Client({ name: "official-sdk", version: "1.0.0" }, { capabilities })
if (samples) client.setRequestHandler(CreateMessageRequestSchema, () => completion)
if (elicits) client.setRequestHandler(ElicitRequestSchema, () => form)
await client.connect(
  isStdio
    ? new StdioClientTransport({ ...server, stderr: "ignore" })
    : new StreamableHTTPClientTransport(new URL(server.url))
)
const { tools } = await client.listTools()
await report(tools.map(({ name }) => name), async (call) => fromResult(await client.callTool(call)))
await client.close()
