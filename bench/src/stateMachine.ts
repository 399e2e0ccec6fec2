/**
 * The SDK 2.x with a state machine for rounds, written by hand as its documentation shows. The state counts the
 * answers, and the SDK's own codec signs it.
 */
// @effect-diagnostics asyncFunction:off -- this is the SDK without Effect
import {
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  type RequestStateCodec,
  type RequestStateCodecOptions,
  Server
} from "@modelcontextprotocol/server"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import type { Peer } from "./Peer.ts"
import * as Workload from "./Workload.ts"

/** The state of one call: the number of answers so far. */
interface State {
  readonly asked: number
}

export const stateMachine = (options: Pick<RequestStateCodecOptions, "bind">): Peer => ({
  serveRounds: () => {
    const codec = createRequestStateCodec<State>({ key: "a key of thirty-two bytes or more", ...options })
    serveStdio(() => makeServer(codec))
    return Promise.resolve()
  }
})

const makeServer = (codec: RequestStateCodec<State>): Server => {
  const server = new Server({ name: "state-machine", version: "1.0.0" }, {
    capabilities: { tools: {} },
    requestState: { verify: (state, ctx) => codec.verify(state, ctx) }
  })
  server.setRequestHandler("tools/call", async (request, ctx) => {
    const { mcpReq } = ctx
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no validation, to be as lean as possible
    const { asks, text } = request.params.arguments as unknown as Workload.ToolArguments
    const before = mcpReq.requestState<State>()?.asked ?? 0
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
        requestState: await codec.mint({ asked }, ctx)
      })
    }
    if (reply.kind !== "sampling") return { content: [{ type: "text", text: Workload.resultText(0) }] }
    const { content } = reply.result
    if (Array.isArray(content) || content.type !== "text") throw new Error("The model did not answer with text")
    return { content: [{ type: "text", text: content.text }] }
  })
  return server
}
