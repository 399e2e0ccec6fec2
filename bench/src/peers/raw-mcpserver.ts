/**
 * The SDK's `McpServer` with `registerTool`, as its documentation shows it.
 */
// @effect-diagnostics asyncFunction:off -- this is the SDK without Effect
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { CreateMessageResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { z } from "zod"
import type { Peer } from "../Peer.ts"
import * as Workload from "../Workload.ts"

const serve = (transport: Transport): Promise<void> => {
  const server = new McpServer({ name: "raw-mcpserver", version: "1.0.0" })
  server.registerTool(
    Workload.toolName,
    { description: Workload.toolDescription, inputSchema: { text: z.string(), asks: z.number().int() } },
    async ({ asks, text }, extra) => {
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
    }
  )
  return server.connect(transport)
}

const peer: Peer = {
  serveStdio: () => serve(new StdioServerTransport()),
  serveMemory: serve
}

export default peer
