/**
 * The SDK 2.x with the state machine of rounds written by hand, as its documentation shows: the state counts the answers,
 * and the SDK's own codec signs it.
 */
// @effect-diagnostics asyncFunction:off -- this is the SDK without Effect
import { createRequestStateCodec, inputRequired, inputResponse, Server } from "@modelcontextprotocol/server"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import type { Peer } from "../Peer.ts"
import * as Workload from "../Workload.ts"

const codec = createRequestStateCodec<{ readonly asked: number }>({ key: "a key of thirty-two bytes or more" })

const makeServer = (): Server => {
  const server = new Server({ name: "raw-sdk-v2", version: "1.0.0" }, {
    capabilities: { tools: {} },
    requestState: { verify: (state, ctx) => codec.verify(state, ctx) }
  })
  server.setRequestHandler("tools/call", async (request, { mcpReq }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as lean as it can be
    const { asks, text } = request.params.arguments as unknown as Workload.ToolArguments
    const before = mcpReq.requestState<{ readonly asked: number }>()?.asked ?? 0
    const reply = inputResponse(mcpReq.inputResponses, "summary")
    const asked = reply.kind === "sampling" ? before + 1 : before
    if (asked < asks) {
      return inputRequired({
        inputRequests: {
          summary: inputRequired.createMessage({
            messages: [{ role: "user", content: { type: "text", text: Workload.toPrompt(text) } }],
            maxTokens: Workload.maxTokens
          })
        },
        requestState: await codec.mint({ asked })
      })
    }
    if (reply.kind !== "sampling") return { content: [{ type: "text", text: Workload.resultText(0) }] }
    const { content } = reply.result
    if (Array.isArray(content) || content.type !== "text") throw new Error("The model did not answer with text")
    return { content: [{ type: "text", text: content.text }] }
  })
  return server
}

const peer: Peer = {
  serveRounds: () => {
    serveStdio(makeServer)
    return Promise.resolve()
  }
}

export default peer
