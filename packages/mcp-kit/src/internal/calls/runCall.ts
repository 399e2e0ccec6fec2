import { MissingCapabilityAs } from "@effect-sampling/core/Client"
import { AskTimeout, AskTotalTimeout, ClientConnection, Principal } from "@effect-sampling/core/ClientConnection"
import { StateNotKept } from "@effect-sampling/core/RequestState"
import { ReplayMismatch } from "@effect-sampling/core/SamplingError"
import * as Advice from "@effect-sampling/core/wire/Advice"
import * as HandlerFailure from "@effect-sampling/core/wire/HandlerFailure"
import * as RoundRunner from "@effect-sampling/core/wire/RoundRunner"
import { wellFormed } from "@effect-sampling/core/wire/Text"
import * as ToolResult from "@effect-sampling/core/wire/ToolResult"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Schema from "effect/Schema"
import type { Rounds, Sdk, SdkTypes } from "../../Sdk.ts"
import { internalError, invalidRequest } from "../errorCodes.ts"
import * as HttpStreams from "../http/HttpStreams.ts"
import { timerMillis } from "../timerMillis.ts"
import { CallsInFlight } from "./CallsInFlight.ts"
import { ClientChannel, idInUse } from "./ClientChannel.ts"
import type { AskLimits } from "./PendingAsks.ts"
import { PushConnection } from "./PushConnection.ts"
import { refusal } from "./refusal.ts"

/**
 * Runs the effect of a call, and interrupts it when the client cancels the request or leaves. Up to MCP 2025-11-25 the
 * effect runs with the connection to its client, from 2026-07-28 on in rounds. Returns the result of `toResult`, or the
 * asks of a round that is not the last.
 */
type RunCall<T extends SdkTypes, R> = <A, E, B>(
  effect: Effect.Effect<A, E, R>,
  method: RoundRunner.Call["method"],
  server: T["Server"],
  request: T["Request"],
  toResult: (exit: Exit.Exit<A, unknown>) => B | Promise<B>
) => Promise<B | T["InputRequired"]>

/** `run` runs calls. `report` runs the effects that turn a failed call into its result, and log it. */
export interface Runner<T extends SdkTypes, R> {
  readonly run: RunCall<T, R>
  readonly report: <A>(effect: Effect.Effect<A>) => Promise<A>
}

/** Builds a runner whose calls see the current context. The context `captured` supplies services that it lacks. */
export const makeRunner = <T extends SdkTypes, R>(
  sdk: Sdk<T>,
  captured: Context.Context<never> = Context.empty()
): Effect.Effect<Runner<T, R>, never, R> =>
  Effect.map(Effect.context<R>(), (current): Runner<T, R> => {
    const services = Context.merge(captured, current)
    const askLimits: AskLimits = {
      timeoutMillis: timerMillis(Context.get(services, AskTimeout)),
      totalMillis: timerMillis(Context.get(services, AskTotalTimeout))
    }
    const principal = Context.get(services, Principal)
    const missingCapabilityAs = Context.get(services, MissingCapabilityAs)
    const runUntilEnd = makeRunUntilEnd(sdk, services)
    const withRequest = (context: Context.Context<never>, request: T["Request"]): Context.Context<never> =>
      sdk.withRequest === undefined ? context : sdk.withRequest(context, request)

    const runRound = <A, E>(
      rounds: Rounds<T>,
      effect: Effect.Effect<A, E, R>,
      method: RoundRunner.Call["method"],
      request: T["Request"]
    ) => {
      const call = rounds.toCall(method, request)
      const handler = withServices(effect, (context) => withRequest(context, request))
      // `Principal` is the user's function. If it throws, that is a defect: the log gets the cause, and not the client.
      return Effect.suspend(() => RoundRunner.run(handler, { ...call, principal: principal(rounds.callerOf(request)) }))
    }

    const report = Effect.runPromiseWith(services)
    const run: RunCall<T, R> = (effect, method, server, request, toResult) =>
      sdk.rounds?.isAnsweredInRounds(server) === true
        ? runUntilEnd(
          runRound(sdk.rounds, effect, method, request),
          server,
          request,
          toRoundResult(sdk.rounds, report, toResult, method === "tools/call" ? missingCapabilityAs : "protocolError")
        )
        : runUntilEnd(
          withServices(effect, (context) => {
            const connection = new PushConnection(sdk, server, request, askLimits)
            return Context.add(withRequest(context, request), ClientConnection, connection)
          }),
          server,
          request,
          toResult
        )

    return { run, report }
  })

/** Returns the function that runs effects as calls in flight, which a client can cancel and a shutdown waits for. */
const makeRunUntilEnd = <T extends SdkTypes, R>(sdk: Sdk<T>, services: Context.Context<R>) => {
  const calls = Context.get(services, CallsInFlight)
  const run = Effect.runPromiseExitWith(services)
  return <A, E, B>(
    effect: Effect.Effect<A, E, R>,
    { transport }: T["Server"],
    request: T["Request"],
    toResult: (exit: Exit.Exit<A, E>) => B | Promise<B>
  ): Promise<B> => {
    const { id, signal } = sdk.infoOf(request)
    if (transport !== undefined && ClientChannel.find(transport)?.isUsedByAnother(id, signal) === true) {
      throw HandlerFailure.protocolError(invalidRequest, idInUse(id))
    }
    let call: Fiber<unknown, unknown> | undefined
    return run(effect, {
      onFiberStart: (fiber) => {
        call = fiber
        calls.add(fiber)
        if (signal.aborted || transport === undefined) fiber.interruptUnsafe()
        else ClientChannel.on(transport, sdk).watch(id, signal, fiber)
      }
      // The cleanup is not a second observer of the fiber: V8 would enlarge the array of observers for many more.
    }).then((exit) => {
      if (call !== undefined) {
        calls.delete(call)
        if (transport !== undefined) ClientChannel.find(transport)?.unwatch(id, call)
        if (signal.aborted) HttpStreams.find(transport)?.cancelled(id)
      }
      return toResult(exit)
    })
  }
}

const toRoundResult = <T extends SdkTypes, A, B>(
  rounds: Rounds<T>,
  report: Runner<T, never>["report"],
  toResult: (exit: Exit.Exit<A, unknown>) => B | Promise<B>,
  missingCapabilityAs: typeof MissingCapabilityAs["Service"]
) =>
(exit: Exit.Exit<RoundRunner.Round<A>, unknown>): B | T["InputRequired"] | Promise<B | T["InputRequired"]> => {
  if (Exit.isFailure(exit)) {
    const refused = refusal(exit.cause, missingCapabilityAs)
    if (refused !== undefined) {
      return report(logAdvice("A call", exit.cause)).then(() => {
        throw refused
      })
    }
    return toResult(Exit.failCause(exit.cause))
  }
  return exit.value._tag === "InputRequired"
    ? rounds.toInputRequired(exit.value)
    : toResult(Exit.succeed(exit.value.value))
}

const isBrokenOff = Schema.is(Schema.Union([StateNotKept, ReplayMismatch]))

const logAdvice = (what: string, cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Advice.log(cause.reasons.find(Cause.isFailReason)?.error, what)

/** Returns the result of a tool call that was interrupted or that cannot continue in rounds, and undefined otherwise. */
export const interruptedOrBrokenOff = (
  cause: Cause.Cause<unknown>
): Effect.Effect<ToolResult.ToolResult> | undefined => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.succeed(ToolResult.interrupted)
  const error = cause.reasons.find(Cause.isFailReason)?.error
  return isBrokenOff(error)
    ? Effect.as(Advice.log(error, "A call in rounds"), ToolResult.ofError(error.message))
    : undefined
}

/** Converts the exit of a prompt or a resource, whose failures are thrown. `what` names the handler in the log. */
export const orProtocolError =
  <A, B>(what: string, report: Runner<SdkTypes, never>["report"], onSuccess: (value: A) => B) =>
  (exit: Exit.Exit<A, unknown>): B | Promise<B> => {
    if (Exit.isSuccess(exit)) return wellFormed(onSuccess(exit.value))
    if (Cause.hasInterruptsOnly(exit.cause)) {
      throw HandlerFailure.protocolError(internalError, HandlerFailure.interruptedText)
    }
    return report(HandlerFailure.text(exit.cause, what)).then((text) => {
      throw HandlerFailure.protocolError(internalError, text)
    })
  }

/**
 * Runs the effect in a context with more services. The context is never restored, because the fiber ends with the call.
 * Restoring it would keep one more frame in memory for as long as the call runs.
 */
const withServices = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  add: (context: Context.Context<never>) => Context.Context<never>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    fiber.setContext(add(fiber.context))
    return effect
  })
