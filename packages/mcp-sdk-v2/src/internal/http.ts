import type { HttpPort, SdkSession, Stateless } from "@effect-sampling/mcp-kit/HttpPort"
import type { Server, ServerEventBus } from "@modelcontextprotocol/server"
import {
  createMcpHandler,
  isInitializeRequest,
  isLegacyRequest,
  WebStandardStreamableHTTPServerTransport
} from "@modelcontextprotocol/server"
import { forwardListChanges } from "./listChanges.ts"
import { newServerWith } from "./newServer.ts"
import { toWebRequest, writeWebResponse, writeWhenReady } from "./nodeHttp.ts"
import { sdk } from "./sdk.ts"
import type { Sdk2 } from "./sdk.ts"

export const http = ({ bus, logging = false }: {
  readonly bus?: ServerEventBus | undefined
  readonly logging?: boolean | undefined
}): HttpPort<Sdk2> => ({
  sdk,
  newServer: newServerWith({ logging, listChanged: bus !== undefined }),
  isInitialize: isInitializeRequest,
  openSession: (makeServer, onInitialized, onClosed) => openSession(makeServer(), bus, onInitialized, onClosed),
  stateless: (makeServer, onError) => makeStateless(makeServer, onError, bus)
})

/** Opens a session for a client of MCP 2025-11-25 or older. */
const openSession = (
  server: Server,
  bus: ServerEventBus | undefined,
  onInitialized: (sessionId: string) => void,
  onClosed: () => void
): SdkSession => {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    onsessioninitialized: onInitialized
  })
  const stopForwarding = forwardListChanges(bus, () => server)
  server.onclose = () => {
    stopForwarding()
    onClosed()
  }
  return {
    transport,
    connect: () => server.connect(transport),
    close: () => server.close(),
    closeStream: (id) => transport.closeSSEStream(id),
    handle: (request, response, messages) =>
      transport.handleRequest(toWebRequest(request), messages === undefined ? {} : { parsedBody: messages })
        .then((answer) => writeWebResponse(answer, response))
  }
}

/** Builds the handler for requests of MCP 2026-07-28, each of which has a server of its own. */
const makeStateless = (
  makeServer: () => Server,
  onError: (error: Error) => void,
  bus: ServerEventBus | undefined
): Stateless => {
  const handler = createMcpHandler(makeServer, {
    legacy: "reject",
    // The kit keeps all streams alive.
    keepAliveMs: 0,
    onerror: onError,
    ...(bus !== undefined && { bus })
  })
  return {
    handle: (request, response, messages) => {
      const dropped = new AbortController()
      const webRequest = toWebRequest(request, dropped.signal)
      return isLegacyRequest(webRequest, messages).then((isLegacy) => {
        if (isLegacy) return false
        // MCP 2026-07-28, transports: closing the response stream cancels its request.
        response.once("close", () => {
          if (!response.writableFinished) dropped.abort()
        })
        if (response.destroyed) dropped.abort()
        return writeWhenReady(handler.fetch(webRequest, { parsedBody: messages }), response).then(() => true)
      })
    },
    close: () => handler.close()
  }
}
