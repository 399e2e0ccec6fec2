import type { SdkSession } from "@effect-sampling/mcp-kit/internal/http/HttpSessions"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Feature } from "../Feature.ts"

export interface Settings {
  readonly name: string
  readonly version: string
  readonly instructions: string | undefined
  readonly features: ReadonlyArray<Feature>
  readonly onError: (error: Error) => void
}

/** Makes the SDK server and transport of each session. */
export const makeOpenSession = (settings: Settings) => {
  const makeServer = (): Server => {
    const { features, instructions, name, version } = settings
    const server = new Server({ name, version }, instructions === undefined ? {} : { instructions })
    for (const feature of features) feature.install(server)
    return server
  }
  // Features that do not go together are a defect now, not in each session.
  makeServer()

  return (
    onInitialized: (sessionId: string) => void,
    onClosed: () => void
  ): SdkSession<IncomingMessage, ServerResponse> => {
    const server = makeServer()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: onInitialized
    })
    server.onerror = settings.onError
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
