import type { HttpPort } from "@effect-sampling/mcp-kit/HttpPort"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js"
import { randomUUID } from "node:crypto"
import { newServer, sdk } from "./sdk.ts"
import type { Sdk1 } from "./sdk.ts"

export const http: HttpPort<Sdk1> = {
  sdk,
  newServer,
  isInitialize: isInitializeRequest,
  openSession: (makeServer, onInitialized, onClosed) => {
    const server = makeServer()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: onInitialized
    })
    server.onclose = onClosed
    return {
      transport,
      connect: () => server.connect(transport),
      close: () => server.close(),
      closeStream: (id) => transport.closeSSEStream(id),
      handle: (request, response, messages) => transport.handleRequest(request, response, messages)
    }
  }
}
