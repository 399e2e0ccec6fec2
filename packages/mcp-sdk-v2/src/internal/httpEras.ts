import type { SdkSession } from "@effect-sampling/mcp-kit/internal/http/HttpSessions"
import type { Server, ServerEventBus } from "@modelcontextprotocol/server"
import {
  createMcpHandler,
  isLegacyRequest,
  WebStandardStreamableHTTPServerTransport
} from "@modelcontextprotocol/server"
import type { IncomingMessage, ServerResponse } from "node:http"
import { forwardListChanges } from "./listChanges.ts"
import { toWebRequest, writeWebResponse } from "./nodeHttp.ts"

/** A session of MCP 2025-11-25 or older. */
export const makeOpenSession =
  (makeServer: () => Server, bus: ServerEventBus | undefined) =>
  (onInitialized: (sessionId: string) => void, onClosed: () => void): SdkSession<IncomingMessage, ServerResponse> => {
    const server = makeServer()
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

/** The requests of MCP 2026-07-28, each with a server of its own. */
export interface Stateless {
  /** Gives whether it was one of them; then it is handled. */
  readonly handle: (request: IncomingMessage, response: ServerResponse, messages: object) => Promise<boolean>
  readonly close: () => Promise<void>
}

export const makeStateless = (
  makeServer: () => Server,
  onError: (error: Error) => void,
  bus: ServerEventBus | undefined
): Stateless => {
  const handler = createMcpHandler(makeServer, {
    legacy: "reject",
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
        return handler.fetch(webRequest, { parsedBody: messages }).then((answer) => {
          writeWebResponse(answer, response)
          return true
        })
      })
    },
    close: () => handler.close()
  }
}
