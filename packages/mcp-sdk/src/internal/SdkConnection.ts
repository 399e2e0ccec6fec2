import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import * as ClientAsk from "@effect-sampling/mcp-kit/internal/calls/ClientAsk"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js"
import type { ServerNotification, ServerRequest } from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import { answersWithJson, protocolVersionOf } from "./sdkInternals.ts"

export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

/** The client of one request that an SDK server is handling. One is made for each call, so it holds as little as it can. */
export class SdkConnection implements ClientConnection {
  private readonly server: Server
  private readonly extra: Extra
  private readonly timeoutMillis: number

  constructor(server: Server, extra: Extra, timeoutMillis: number) {
    this.server = server
    this.extra = extra
    this.timeoutMillis = timeoutMillis
  }

  get client(): ClientConnection["client"] {
    return this.server.getClientVersion()
  }

  get protocolVersion(): string | undefined {
    const header = this.extra.requestInfo?.headers["mcp-protocol-version"]
    return protocolVersionOf(this.server) ?? (typeof header === "string" ? header : undefined)
  }

  get capabilities(): ClientConnection["capabilities"] {
    return this.server.getClientCapabilities() ?? {}
  }

  get unreachable(): string | undefined {
    // Only requests over HTTP carry requestInfo.
    if (this.extra.requestInfo === undefined) return undefined
    if (this.extra.sessionId === undefined) {
      return "this server runs stateless HTTP, without sessions, so an answer has no way back. Serve with sessions."
    }
    return answersWithJson(this.server.transport)
      ? "this server answers HTTP requests with plain JSON, so nothing can be sent during a call. Turn off enableJsonResponse."
      : undefined
  }

  ask(request: ClientRequest): Effect.Effect<unknown, SamplingError> {
    const { transport } = this.server
    return this.extra.signal.aborted || transport === undefined
      ? Effect.fail(ClientAsk.callEnded())
      : ClientAsk.make(transport, this, request, this.extra.requestId, this.timeoutMillis)
  }
}
