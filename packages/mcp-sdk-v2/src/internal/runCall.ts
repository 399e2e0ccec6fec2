import { AskTimeout, ClientConnection, Principal } from "@effect-sampling/core/ClientConnection"
import type { Caller, ClientCapabilities } from "@effect-sampling/core/ClientConnection"
import { StateNotKept } from "@effect-sampling/core/RequestState"
import * as HandlerFailure from "@effect-sampling/core/wire/HandlerFailure"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import { CallsInFlight } from "@effect-sampling/mcp-kit/internal/calls/CallsInFlight"
import { ClientChannel, idInUse } from "@effect-sampling/mcp-kit/internal/calls/ClientChannel"
import * as HttpStreams from "@effect-sampling/mcp-kit/internal/http/HttpStreams"
import { timerMillis } from "@effect-sampling/mcp-kit/internal/timerMillis"
import type { InputRequiredResult, Server, ServerContext } from "@modelcontextprotocol/server"
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  ProtocolErrorCode
} from "@modelcontextprotocol/server"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Schema from "effect/Schema"
import { CurrentRequest } from "../CurrentRequest.ts"
import { refusal } from "./refusal.ts"
import { SdkConnection } from "./SdkConnection.ts"
import { callParamsOf, isAnsweredInRounds } from "./sdkInternals.ts"

export type Method = RoundRunner.Call["method"]

/**
 * Runs the effects of calls and interrupts a call when its request ends: with the connection of its client up to MCP
 * 2025-11-25, in rounds later. What it gives is what `toResult` makes of the end, or the asks of a round.
 */
type RunCall<R> = <A, E, B>(
  effect: Effect.Effect<A, E, R>,
  method: Method,
  server: Server,
  ctx: ServerContext,
  toResult: (exit: Exit.Exit<A, unknown>) => B | Promise<B>
) => Promise<B | InputRequiredResult>

/** How calls are run, and what is to be logged of those that failed. */
export interface Runner<R> {
  readonly run: RunCall<R>
  readonly tell: <A>(effect: Effect.Effect<A>) => Promise<A>
}

/** Calls run with the services of the current context, and with those of `captured` that it lacks. */
export const makeRunCall = <R>(
  captured: Context.Context<never> = Context.empty()
): Effect.Effect<Runner<R>, never, R> =>
  Effect.map(Effect.context<R>(), (current): Runner<R> => {
    const services = Context.merge(captured, current)
    const calls = Context.get(services, CallsInFlight)
    const principal = Context.get(services, Principal)
    const askTimeoutMillis = timerMillis(Context.get(services, AskTimeout))
    const run = Effect.runPromiseExitWith(services)

    const runUntilEnd = <A, E, B>(
      effect: Effect.Effect<A, E, R>,
      server: Server,
      ctx: ServerContext,
      toResult: (exit: Exit.Exit<A, E>) => B | Promise<B>
    ): Promise<B> => {
      const { transport } = server
      const { id, signal } = ctx.mcpReq
      if (transport !== undefined && ClientChannel.find(transport)?.isRunning(id) === true) {
        throw HandlerFailure.protocolError(ProtocolErrorCode.InvalidRequest, idInUse(id))
      }
      let call: Fiber<unknown, unknown> | undefined
      return run(effect, {
        onFiberStart: (fiber) => {
          call = fiber
          calls.add(fiber)
          if (signal.aborted || transport === undefined) fiber.interruptUnsafe()
          else ClientChannel.on(transport).watch(id, fiber)
        }
      }).then((exit) => {
        if (call !== undefined) {
          calls.delete(call)
          if (transport !== undefined) ClientChannel.find(transport)?.unwatch(id)
          if (signal.aborted) HttpStreams.find(transport)?.cancelled(id)
        }
        return toResult(exit)
      })
    }

    const runCall: RunCall<R> = (effect, method, server, ctx, toResult) =>
      isAnsweredInRounds(server)
        ? runUntilEnd(
          RoundRunner.run(
            withServices(effect, Context.add(CurrentRequest, ctx)),
            toCall(method, principal(toCaller(ctx)), ctx)
          ),
          server,
          ctx,
          (exit) => {
            if (Exit.isFailure(exit)) {
              const refused = refusal(exit.cause)
              if (refused !== undefined) throw refused
              return toResult(Exit.failCause(exit.cause))
            }
            return exit.value._tag === "InputRequired"
              ? toInputRequired(exit.value)
              : toResult(Exit.succeed(exit.value.value))
          }
        )
        : runUntilEnd(
          withServices(effect, (context) =>
            context.pipe(
              Context.add(CurrentRequest, ctx),
              Context.add(ClientConnection, new SdkConnection(server, ctx, askTimeoutMillis))
            )),
          server,
          ctx,
          toResult
        )

    return { run: runCall, tell: Effect.runPromiseWith(services) }
  })

const isStateNotKept = Schema.is(StateNotKept)

/** The end of a tool's call that is not the handler's doing. */
export const interruptedOrNotKept = (cause: Cause.Cause<unknown>): ToolResult.ToolResult | undefined => {
  if (Cause.hasInterruptsOnly(cause)) return ToolResult.interrupted
  const error = cause.reasons.find(Cause.isFailReason)?.error
  return isStateNotKept(error) ? ToolResult.ofError(error.message) : undefined
}

/** For callbacks of prompts and resources, which report failures by throwing. `what` names the handler in the log. */
export const orProtocolError =
  <A, B>(what: string, tell: Runner<never>["tell"], onSuccess: (value: A) => B) =>
  (exit: Exit.Exit<A, unknown>): B | Promise<B> => {
    if (Exit.isSuccess(exit)) return onSuccess(exit.value)
    if (Cause.hasInterruptsOnly(exit.cause)) {
      throw HandlerFailure.protocolError(ProtocolErrorCode.InternalError, HandlerFailure.interruptedText)
    }
    return tell(HandlerFailure.text(exit.cause, what)).then((text) => {
      throw HandlerFailure.protocolError(ProtocolErrorCode.InternalError, text)
    })
  }

/** For the whole fiber, which ends with the call: nothing waits to put the old context back. */
const withServices = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  add: (context: Context.Context<never>) => Context.Context<never>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    fiber.setContext(add(fiber.context))
    return effect
  })

const toCaller = ({ http }: ServerContext): Caller => ({
  header: (name) => http?.req?.headers.get(name) ?? undefined,
  authInfo: http?.authInfo
})

/** What comes with each request since MCP 2026-07-28. The SDK has checked it against its Schema, and types it in part. */
interface Envelope {
  readonly [PROTOCOL_VERSION_META_KEY]: string
  readonly [CLIENT_INFO_META_KEY]?: { readonly name: string; readonly version: string }
  readonly [CLIENT_CAPABILITIES_META_KEY]: ClientCapabilities
}

/** Nobody has checked `inputResponses` and `requestState`: that is for the rounds to do. */
const toCall = (method: Method, principal: string | undefined, ctx: ServerContext): RoundRunner.Call => {
  const params = callParamsOf(ctx)
  // Without them a state would be bound to nothing, and one that came would be forgotten.
  if (params === undefined) throw HandlerFailure.protocolError(ProtocolErrorCode.InternalError, notRemembered)
  const name = params[method === "resources/read" ? "uri" : "name"]
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see `Envelope`
  const envelope = ctx.mcpReq.envelope as unknown as Envelope
  return {
    method,
    name: typeof name === "string" ? name : "",
    arguments: params["arguments"],
    principal,
    client: envelope[CLIENT_INFO_META_KEY],
    protocolVersion: envelope[PROTOCOL_VERSION_META_KEY],
    capabilities: envelope[CLIENT_CAPABILITIES_META_KEY],
    inputResponses: params["inputResponses"],
    requestState: params["requestState"]
  }
}

const notRemembered =
  "The server does not know what it was called with. Register features and wrap handlers before it connects."

const toInputRequired = ({ inputRequests, requestState }: RoundRunner.InputRequired): InputRequiredResult => ({
  resultType: "input_required",
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- requests of the engine, which are what MCP defines; the SDK checks them
  inputRequests: inputRequests as unknown as NonNullable<InputRequiredResult["inputRequests"]>,
  ...(requestState !== undefined && { requestState })
})
