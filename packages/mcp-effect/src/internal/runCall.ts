import { ClientUnsupported, MissingCapabilityAs } from "@effect-sampling/core/Client"
import { AskTimeout, ClientConnection, Principal } from "@effect-sampling/core/ClientConnection"
import type { Caller } from "@effect-sampling/core/ClientConnection"
import { StateRejected } from "@effect-sampling/core/RequestState"
import type { StateNotKept } from "@effect-sampling/core/RequestState"
import type { ReplayMismatch } from "@effect-sampling/core/SamplingError"
import { SamplingUnsupported } from "@effect-sampling/core/SamplingError"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { visible } from "@effect-sampling/core/wire/Text"
import * as McpSchema from "effect/ai/McpSchema"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import { McpConnection } from "./McpConnection.ts"
import { missingCapability, Refused } from "./Refused.ts"

type Target = Pick<RoundRunner.Call, "method" | "name" | "arguments">

/**
 * Runs the handler of a call with its client. Up to MCP 2025-11-25 the handler runs to its end, from then on to the end
 * of a round. Fails with `Refused` if the JSON-RPC request itself has to fail, not the tool or prompt that it names.
 */
export const runCall = <A, E, R>(
  handler: Effect.Effect<A, E, R>,
  target: Target
): Effect.Effect<RoundRunner.Round<A>, E | StateNotKept | ReplayMismatch | Refused, R | McpSchema.McpRequestContext> =>
  Effect.contextWith((
    context: Context.Context<R | McpSchema.McpRequestContext>
  ): Effect.Effect<RoundRunner.Round<A>, E | StateNotKept | ReplayMismatch | Refused, R> => {
    const server = Context.getOrUndefined(context, McpSchema.McpServerClient)
    return server === undefined
      ? Effect.catchCause(
        RoundRunner.run(handler, toCall(context, target)),
        refuse(target.method === "tools/call" ? Context.get(context, MissingCapabilityAs) : "protocolError")
      )
      : Effect.map(Effect.provideService(handler, ClientConnection, push(context, server)), complete)
  })

const complete = <A>(value: A): RoundRunner.Complete<A> => ({ _tag: "Complete", value })

const push = (context: Context.Context<never>, server: McpSchema.McpServerClient["Service"]): ClientConnection =>
  new McpConnection(server, Duration.fromInputUnsafe(Context.get(context, AskTimeout)))

const toCall = (context: Context.Context<McpSchema.McpRequestContext>, target: Target): RoundRunner.Call => {
  const request = Context.get(context, McpSchema.McpRequestContext)
  return {
    ...target,
    principal: Context.get(context, Principal)(toCaller(context)),
    client: request.clientInfo,
    protocolVersion: request.protocolVersion,
    capabilities: request.clientCapabilities,
    inputResponses: request.inputResponses,
    requestState: request.requestState
  }
}

/**
 * Effect's server has no token verifier, so `authInfo` stays undefined. Middleware checks tokens and may provide
 * `Principal`.
 */
const toCaller = (context: Context.Context<never>): Caller => {
  const headers = Context.getOrUndefined(context, HttpServerRequest)?.headers
  return { header: (name) => headers?.[name.toLowerCase()], authInfo: undefined }
}

const refuse = (missingCapabilityAs: typeof MissingCapabilityAs["Service"]) =>
<E>(
  cause: Cause.Cause<E | StateRejected | StateNotKept | RoundRunner.InvalidParams>
): Effect.Effect<never, E | StateNotKept | ReplayMismatch | Refused> => {
  const error = Cause.hasDies(cause) ? undefined : cause.reasons.find(Cause.isFailReason)?.error
  if (isStateRejected(error) || isInvalidParams(error)) {
    return Effect.fail(new Refused({ code: McpSchema.INVALID_PARAMS_ERROR_CODE, message: visible(error.message) }))
  }
  const missing = isUnsupported(error) && missingCapabilityAs === "protocolError" ? missingCapability(error) : undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the other errors of the engine are handled above
  return missing ?? Effect.failCause(cause as Cause.Cause<E | StateNotKept>)
}

const isStateRejected = Schema.is(StateRejected)
const isInvalidParams = Schema.is(RoundRunner.InvalidParams)
const isUnsupported = Schema.is(Schema.Union([SamplingUnsupported, ClientUnsupported]))

/**
 * Runs the handler of a resource with its client. Effect's server can answer `resources/read` only with contents, so a
 * resource never runs in rounds.
 */
export const runRead = <A, E, R>(
  handler: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | McpSchema.McpRequestContext> =>
  Effect.contextWith((context: Context.Context<R | McpSchema.McpRequestContext>) => {
    const server = Context.getOrUndefined(context, McpSchema.McpServerClient)
    return Effect.provideService(
      handler,
      ClientConnection,
      server === undefined ? unreachable(Context.get(context, McpSchema.McpRequestContext)) : push(context, server)
    )
  })

const unreachable = (request: McpSchema.McpRequestContext["Service"]): ClientConnection => ({
  client: request.clientInfo,
  protocolVersion: request.protocolVersion,
  capabilities: request.clientCapabilities,
  unreachable: `Effect's McpServer cannot ask on behalf of a resource over MCP ${request.protocolVersion}.`,
  remedy: "Offer it as a tool or a prompt instead.",
  ask: () => Effect.die("An unreachable connection was asked")
})
