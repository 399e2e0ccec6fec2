import type { ClientConnection, ClientRequest } from "@effect-sampling/core/ClientConnection"
import type { InvalidResponse, SamplingError, SamplingRejected } from "@effect-sampling/core/SamplingError"
import { toSamplingError } from "@effect-sampling/core/wire/AskError"
import * as McpSchema from "effect/ai/McpSchema"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { fromCause, invalidRequest } from "./askError.ts"

/** The client of one request to Effect's server, up to MCP 2025-11-25. The call waits while the client is asked. */
export class McpConnection implements ClientConnection {
  private readonly server: McpSchema.McpServerClient["Service"]
  private readonly timeout: Duration.Duration

  constructor(server: McpSchema.McpServerClient["Service"], timeout: Duration.Duration) {
    this.server = server
    this.timeout = timeout
  }

  get client(): ClientConnection["client"] {
    return this.server.clientInfo
  }

  get protocolVersion(): string {
    return this.server.protocolVersion
  }

  get capabilities(): ClientConnection["capabilities"] {
    return this.server.clientCapabilities
  }

  /** The stateful revisions always have a back-channel: stdio, or the HTTP stream of the call. */
  readonly unreachable = undefined

  ask<A>(
    request: ClientRequest,
    decode: (answer: unknown) => Result.Result<A, InvalidResponse | SamplingRejected>
  ): Effect.Effect<A, SamplingError> {
    return Effect.flatMap(this.send(request), (answer) => Effect.fromResult(decode(answer)))
  }

  private send(request: ClientRequest): Effect.Effect<unknown, SamplingError> {
    const timeout = Duration.min(this.timeout, Duration.millis(request.silenceMillis ?? Infinity))
    const answer = Effect.scoped(Effect.flatMap(this.server.getClient, (client) => askBy(this, client, request)))
    return Effect.catchCause(
      // A finalizer of a cancelled call is uninterruptible, and the client no longer answers: without this, an ask in
      // the finalizer would end only with the time-out.
      Effect.interruptible(
        Duration.isFinite(timeout)
          ? Effect.timeoutOrElse(answer, {
            duration: timeout,
            orElse: () =>
              Effect.fail(toSamplingError(this, request.method, { _tag: "TimedOut" }, Duration.toMillis(timeout)))
          })
          : answer
      ),
      // This also catches defects, because Effect's RPC client dies on a malformed answer. An interruption of this
      // fiber gets here only if the surrounding region is uninterruptible.
      (cause) => Effect.fail(fromCause(this, request, cause))
    )
  }
}

const askBy = (
  connection: ClientConnection,
  client: McpSchema.McpReverseClient,
  { method, params }: ClientRequest
): Effect.Effect<unknown, unknown> => {
  switch (method) {
    case "sampling/createMessage":
      return decodeCreateMessage(params).pipe(
        Effect.catchTag("SchemaError", (error) => Effect.fail(invalidRequest(connection, method, error))),
        Effect.flatMap(client.createMessage),
        Effect.flatMap(encodeCreateMessageResult)
      )
    case "elicitation/create":
      return decodeElicit(params).pipe(
        Effect.catchTag("SchemaError", (error) => Effect.fail(invalidRequest(connection, method, error))),
        Effect.flatMap(client.elicit),
        Effect.flatMap(encodeElicitResult)
      )
    case "roots/list":
      return Effect.flatMap(client.listRoots(), encodeListRootsResult)
  }
}

const decodeCreateMessage = Schema.decodeUnknownEffect(McpSchema.CreateMessage.payloadSchema)
const encodeCreateMessageResult = Schema.encodeEffect(McpSchema.CreateMessageResult)
const decodeElicit = Schema.decodeUnknownEffect(McpSchema.ElicitRequestParams)
const encodeElicitResult = Schema.encodeEffect(McpSchema.ElicitResult)
const encodeListRootsResult = Schema.encodeEffect(McpSchema.ListRootsResult)
