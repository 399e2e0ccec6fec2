/**
 * The SDK's low-level `Server` in its leanest use: no validation of arguments, no cancellation.
 */
// @effect-diagnostics asyncFunction:off -- this is the SDK without Effect
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import {
  CallToolRequestSchema,
  CreateMessageResultSchema,
  ListToolsRequestSchema
} from "@modelcontextprotocol/sdk/types.js"
import type { Peer } from "../Peer.ts"
import * as Workload from "../Workload.ts"

const serve = (transport: Transport): Promise<void> => {
  const server = new Server({ name: "raw-sdk", version: "1.0.0" }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [{
      name: Workload.toolName,
      description: Workload.toolDescription,
      inputSchema: {
        type: "object" as const,
        properties: { text: { type: "string" }, asks: { type: "integer" } },
        required: ["text", "asks"]
      }
    }]
  }))
  server.setRequestHandler(CallToolRequestSchema, async (request, extra) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no validation, to be as lean as possible
    const { asks, text } = request.params.arguments as unknown as Workload.ToolArguments
    let summary = Workload.resultText(0)
    for (let asked = 0; asked < asks; asked++) {
      // oxlint-disable-next-line eslint/no-await-in-loop -- the bench measures sequential asks
      const reply = await extra.sendRequest(
        {
          method: "sampling/createMessage",
          params: {
            messages: [{ role: "user", content: { type: "text", text: Workload.toPrompt(text) } }],
            maxTokens: Workload.maxTokens
          }
        },
        CreateMessageResultSchema,
        { timeout: Workload.askTimeoutMillis }
      )
      if (reply.content.type !== "text") throw new Error("The model did not answer with text")
      summary = reply.content.text
    }
    return { content: [{ type: "text", text: summary }] }
  })
  return server.connect(transport)
}

const peer: Peer = {
  serveStdio: () => serve(new StdioServerTransport()),
  serveMemory: serve
}

export default peer
