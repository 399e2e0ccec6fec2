import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import * as ClientAsk from "@effect-sampling/mcp-kit/internal/calls/ClientAsk"
import type { Server, ServerContext } from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import { answersWithJson } from "./sdkInternals.ts"

/**
 * The client of one request that an SDK server is handling, up to MCP 2025-11-25. One is made for each call, so it holds as
 * little as it can.
 */
export class SdkConnection implements ClientConnection {
  private readonly server: Server
  private readonly ctx: ServerContext
  private readonly timeoutMillis: number

  constructor(server: Server, ctx: ServerContext, timeoutMillis: number) {
    this.server = server
    this.ctx = ctx
    this.timeoutMillis = timeoutMillis
  }

  get client(): ClientConnection["client"] {
    return this.server.getClientVersion()
  }

  get protocolVersion(): string | undefined {
    return this.server.getNegotiatedProtocolVersion() ??
      this.ctx.http?.req?.headers.get("mcp-protocol-version") ?? undefined
  }

  get capabilities(): ClientConnection["capabilities"] {
    return this.server.getClientCapabilities() ?? {}
  }

  get unreachable(): string | undefined {
    if (this.ctx.http === undefined) return undefined
    if (this.ctx.sessionId === undefined) {
      return "this server runs stateless HTTP, without sessions, so an answer has no way back. Serve clients up to MCP " +
        "2025-11-25 with sessions, as StreamableHttpServer does, or use a client that speaks 2026-07-28."
    }
    return answersWithJson(this.server.transport)
      ? "this server answers HTTP requests with plain JSON, so nothing can be sent during a call. Turn off enableJsonResponse."
      : undefined
  }

  ask(request: ClientRequest): Effect.Effect<unknown, SamplingError> {
    const { transport } = this.server
    return this.ctx.mcpReq.signal.aborted || transport === undefined
      ? Effect.fail(ClientAsk.callEnded())
      : ClientAsk.make(transport, this, request, this.ctx.mcpReq.id, this.timeoutMillis)
  }
}
