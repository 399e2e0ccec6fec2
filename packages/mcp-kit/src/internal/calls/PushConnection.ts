import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import type { InvalidResponse, SamplingError, SamplingRejected } from "@effect-sampling/core/SamplingError"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import type { Sdk, SdkTypes } from "../../Sdk.ts"
import * as ClientAsk from "./ClientAsk.ts"
import { ClientChannel } from "./ClientChannel.ts"
import type { AskLimits } from "./PendingAsks.ts"

/**
 * The connection to the client of one request, up to MCP 2025-11-25: the call waits while the client answers. Each call
 * creates a connection, so it has few fields and computes the rest on demand.
 */
export class PushConnection<T extends SdkTypes> implements ClientConnection {
  private readonly sdk: Sdk<T>
  private readonly server: T["Server"]
  private readonly request: T["Request"]
  private readonly limits: AskLimits

  constructor(sdk: Sdk<T>, server: T["Server"], request: T["Request"], limits: AskLimits) {
    this.sdk = sdk
    this.server = server
    this.request = request
    this.limits = limits
  }

  get client(): ClientConnection["client"] {
    return this.server.getClientVersion()
  }

  get protocolVersion(): string | undefined {
    return this.sdk.protocolVersion(this.server, this.request)
  }

  get capabilities(): ClientConnection["capabilities"] {
    return this.server.getClientCapabilities() ?? {}
  }

  get unreachable(): string | undefined {
    return this.sdk.unreachable(this.server, this.request)?.reason
  }

  get remedy(): string | undefined {
    return this.sdk.unreachable(this.server, this.request)?.remedy
  }

  private limitsOf({ silenceMillis = Infinity }: ClientRequest): AskLimits {
    return silenceMillis < this.limits.timeoutMillis ? { ...this.limits, timeoutMillis: silenceMillis } : this.limits
  }

  ask<A>(
    request: ClientRequest,
    decode: (answer: unknown) => Result.Result<A, InvalidResponse | SamplingRejected>
  ): Effect.Effect<A, SamplingError> {
    const { transport } = this.server
    const { id, signal } = this.sdk.infoOf(this.request)
    return signal.aborted || transport === undefined
      ? Effect.fail(ClientAsk.callEnded())
      : ClientAsk.make(ClientChannel.on(transport, this.sdk), this, request, id, this.limitsOf(request), decode)
  }
}
