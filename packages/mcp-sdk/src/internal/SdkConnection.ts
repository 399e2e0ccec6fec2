import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import { ConnectionLost } from "@effect-sampling/core/SamplingError"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import type { RequestId, ServerNotification, ServerRequest } from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import { toSamplingError } from "./askError.ts"
import { ClientChannel } from "./ClientChannel.ts"
import type { Ask } from "./ClientChannel.ts"
import { lostStreams } from "./lostStreams.ts"
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
      ? Effect.fail(callEnded())
      : askOn(transport, this, request, this.extra.requestId, this.timeoutMillis)
  }
}

const askOn = (
  transport: Transport,
  connection: ClientConnection,
  request: ClientRequest,
  requestId: RequestId,
  timeoutMillis: number
): Effect.Effect<unknown, SamplingError> =>
  Effect.callback((resume) => {
    let ask: Ask | undefined
    let isLost = false
    const forget = lostStreams(transport)?.onLost(requestId, () => {
      isLost = true
      ask?.cancel("the stream of the call was lost")
      resume(Effect.fail(streamLost(connection)))
    })
    if (isLost) return
    // The answer may come before `ask` returns: nothing says how a transport delivers it.
    ask = ClientChannel.on(transport).ask(request, requestId, timeoutMillis, (outcome) => {
      forget?.()
      resume(
        outcome._tag === "Result"
          ? Effect.succeed(outcome.result)
          : Effect.fail(toSamplingError(connection, outcome, timeoutMillis))
      )
    })
    return Effect.sync(() => {
      forget?.()
      ask?.cancel("the server no longer needs the answer")
    })
  })

// A finalizer that asks, for example.
const callEnded = (): ConnectionLost =>
  new ConnectionLost({
    message: "The client cancelled this call or left, so it can no longer be asked on behalf of the call."
  })

const streamLost = (connection: ClientConnection): ConnectionLost =>
  new ConnectionLost({
    message: `The HTTP stream of this call was dropped, so ${
      connection.client === undefined ? "the client" : JSON.stringify(connection.client.name.slice(0, 80))
    } can no longer be reached. Call the tool again.`
  })
