/** Asks the client of a call over the transport of an SDK server. */
import { describe } from "@effect-sampling/core/ClientConnection"
import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import { ConnectionLost } from "@effect-sampling/core/SamplingError"
import type { InvalidResponse, SamplingError, SamplingRejected } from "@effect-sampling/core/SamplingError"
import { toSamplingError } from "@effect-sampling/core/wire/AskError"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import type { RequestId } from "../../Sdk.ts"
import * as HttpStreams from "../http/HttpStreams.ts"
import type { Ask, ClientChannel } from "./ClientChannel.ts"
import type { AskLimits } from "./PendingAsks.ts"

/**
 * Sends a request on the stream of the call `requestId` and decodes the result from its answer. Fails if no answer comes
 * within the limits, or if the stream is lost. Interruption cancels the request at the client.
 *
 * The answer is decoded where it arrives: a frame that waits for it would use memory for as long as the ask is open.
 */
export const make = <A>(
  channel: ClientChannel,
  connection: ClientConnection,
  request: ClientRequest,
  requestId: RequestId,
  limits: AskLimits,
  decode: (answer: unknown) => Result.Result<A, InvalidResponse | SamplingRejected>
): Effect.Effect<A, SamplingError> =>
  Effect.callback((resume) => {
    let ask: Ask | undefined
    let isLost = false
    const forget = HttpStreams.find(channel.transport)?.onLost(requestId, () => {
      isLost = true
      ask?.cancel("the stream of the call was lost")
      resume(Effect.fail(streamLost(connection)))
    })
    if (isLost) return
    // A transport may deliver the answer before `ask` returns.
    ask = channel.ask(request, requestId, limits, (outcome) => {
      forget?.()
      resume(
        outcome._tag === "Result"
          ? Effect.suspend(() => Effect.fromResult(decode(outcome.result)))
          : Effect.fail(toSamplingError(connection, request.method, outcome, ask?.limitMillis ?? limits.timeoutMillis))
      )
    })
    return Effect.sync(() => {
      forget?.()
      ask?.cancel("the server no longer needs the answer")
    })
  })

/** Builds the error of an ask that starts after its call has ended, for example in a finalizer. */
export const callEnded = (): ConnectionLost =>
  new ConnectionLost({
    message: "The client cancelled this call or left, so it can no longer be asked on behalf of the call."
  })

const streamLost = (connection: ClientConnection): ConnectionLost =>
  new ConnectionLost({
    message: `The HTTP stream of this call was dropped, so ${
      describe(connection)
    } can no longer be reached. Call the tool again.`
  })
