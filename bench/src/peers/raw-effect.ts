/**
 * The low-level `Server` with handlers in bare Effect, without this repository: one fiber for each call, and asks that
 * are interrupted when the call is cancelled. The difference to `effect-sampling` is the cost of this repository.
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { CallToolRequestSchema, CreateMessageResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { Effect } from "effect"
import type { Peer } from "../Peer.ts"
import * as Workload from "../Workload.ts"

const serve = (transport: Transport): Promise<void> => {
  const server = new Server({ name: "raw-effect", version: "1.0.0" }, { capabilities: { tools: {} } })
  server.setRequestHandler(CallToolRequestSchema, (request, extra) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no validation, to be as lean as possible
    const { asks, text } = request.params.arguments as unknown as Workload.ToolArguments
    const call = Effect.gen(function*() {
      let summary = Workload.resultText(0)
      for (let asked = 0; asked < asks; asked++) {
        const reply = yield* Effect.promise((signal) =>
          extra.sendRequest(
            {
              method: "sampling/createMessage",
              params: {
                messages: [{ role: "user", content: { type: "text", text: Workload.toPrompt(text) } }],
                maxTokens: Workload.maxTokens
              }
            },
            CreateMessageResultSchema,
            { timeout: Workload.askTimeoutMillis, signal }
          )
        )
        if (reply.content.type !== "text") return yield* Effect.die("The model did not answer with text")
        summary = reply.content.text
      }
      return { content: [{ type: "text" as const, text: summary }] }
    })
    return Effect.runPromise(call, { signal: extra.signal })
  })
  return server.connect(transport)
}

const peer: Peer = {
  serveStdio: () => serve(new StdioServerTransport()),
  serveMemory: serve
}

export default peer
