import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import { ConnectionLost } from "@effect-sampling/core/SamplingError"
import type { SamplingError } from "@effect-sampling/core/SamplingError"
import type { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js"
import { McpError, ResultSchema } from "@modelcontextprotocol/sdk/types.js"
import type { ServerNotification, ServerRequest } from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import { AskTimeout } from "../AskTimeout.ts"
import { toSamplingError } from "./askError.ts"
import { lostStreams } from "./lostStreams.ts"
import { answersWithJson, protocolVersionOf } from "./sdkInternals.ts"
import { timerMillis } from "./timerMillis.ts"

export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

/** The client of one request that an SDK server is handling. One is made for each call, so it holds as little as it can. */
export class SdkConnection implements ClientConnection {
  private readonly server: Server
  private readonly extra: Extra

  constructor(server: Server, extra: Extra) {
    this.server = server
    this.extra = extra
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

  readonly ask = (request: ClientRequest): Effect.Effect<unknown, SamplingError> =>
    Effect.flatMap(AskTimeout, (timeout) => {
      if (this.extra.signal.aborted) return Effect.fail(callEnded())
      const millis = timerMillis(timeout)
      return Effect.callback<unknown, SamplingError>((resume) => {
        const cancellation = new AbortController()
        const forget = lostStreams(this.server.transport)?.onLost(this.extra.requestId, () => {
          cancellation.abort("the stream of the call was lost")
          resume(Effect.fail(streamLost(this)))
        })
        // The SDK passes the request on as it is; our Schema has checked it against the same specification.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
        this.extra.sendRequest(request as ServerRequest, ResultSchema, {
          signal: cancellation.signal,
          timeout: millis,
          onprogress: ignoreProgress,
          resetTimeoutOnProgress: true
        }).then(
          (result) => {
            forget?.()
            resume(Effect.succeed(result))
            // The SDK keeps the progress handler of a request that is answered with a task; nobody asked for one.
            if ("task" in result) cancellation.abort("a task is no answer to a sampling request")
          },
          (error: unknown) => {
            forget?.()
            resume(Effect.fail(toSamplingError(this, error, millis, this.server.transport !== undefined)))
            // A request that could not be written stays registered in the SDK until it is cancelled.
            if (isSendError(error)) cancellation.abort("it could not be sent")
          }
        )
        return Effect.sync(() => {
          forget?.()
          cancellation.abort("the server no longer needs the answer")
        })
      })
    })
}

// The SDK extends a request's time only for requests that listen to progress.
const ignoreProgress = (): void => {}

// A finalizer that asks, for example. The SDK would refuse to send it.
const callEnded = (): ConnectionLost =>
  new ConnectionLost({
    message: "The client cancelled this call or left, so it can no longer be asked on behalf of the call."
  })

const isSendError = (error: unknown): boolean =>
  error instanceof Error && !(error instanceof McpError) && !("issues" in error)

const streamLost = (connection: ClientConnection): ConnectionLost =>
  new ConnectionLost({
    message: `The HTTP stream of this call was dropped, so ${
      connection.client === undefined ? "the client" : JSON.stringify(connection.client.name.slice(0, 80))
    } can no longer be reached. Call the tool again.`
  })
