/**
 * Requests to one client beside those of an official SDK, on the transport of its server: for adapters.
 *
 * @since 0.1.0
 */
import type { AskFailure } from "@effect-sampling/core/wire/AskError"
import type { Fiber } from "effect/Fiber"
import type { RequestId, Transport } from "../../Sdk.ts"
import { MessageTooLarge } from "../MessageTooLarge.ts"
import { PendingAsks } from "./PendingAsks.ts"
import type { Pending } from "./PendingAsks.ts"

/**
 * How an ask ended: with the result of the client, or without one.
 */
type AskOutcome = { readonly _tag: "Result"; readonly result: unknown } | AskFailure

/**
 * In place of an answer that came but could not be read, for example because it is too large. A transport delivers it as a
 * message.
 *
 * @category models
 * @since 0.1.0
 */
export class UnreadAnswer {
  readonly id: RequestId
  readonly problem: string

  constructor(id: RequestId, problem: string) {
    this.id = id
    this.problem = problem
  }
}

/**
 * A request to the client that waits for its answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ask {
  /**
   * Forgets it and tells the client. Its outcome is not reported any more.
   */
  readonly cancel: (reason: string) => void
}

/**
 * What goes on between this library and one client, on the transport of the SDK's server: the calls that it handles, and
 * its own requests beside those of the SDK; answers are told apart by their ids.
 *
 * The SDK's own `request` drops malformed answers in silence, reports a cancellation as a time-out, keeps what it could
 * not send, and checks each answer three times before our Schema does.
 *
 * @category models
 * @since 0.1.0
 */
export class ClientChannel {
  private readonly transport: Transport
  /** By their limit of time: there are as many as there are values of `AskTimeout`. */
  private readonly pending = new Map<number, PendingAsks<PendingAsk>>()
  private readonly calls = new Map<RequestId, Fiber<unknown, unknown>>()
  private asks = 0

  private constructor(transport: Transport) {
    this.transport = transport
    const { onclose, onmessage } = transport
    transport.onmessage = (message, extra) => {
      if (this.receive(message)) return
      onmessage?.call(transport, message, extra)
      if (isRecord(message) && message["method"] === "notifications/cancelled") this.onCancelled(message["params"])
    }
    transport.onclose = () => {
      onclose?.()
      for (const call of this.calls.values()) call.interruptUnsafe()
      for (const asks of this.pending.values()) {
        for (const ask of asks.values()) this.settle(ask, { _tag: "Closed" })
        asks.close()
      }
    }
  }

  /** The channel on a transport that is connected to an SDK server. */
  static on(transport: Transport): ClientChannel {
    const known = channels.get(transport)
    if (known !== undefined) return known
    const channel = new ClientChannel(transport)
    channels.set(transport, channel)
    return channel
  }

  /** The channel on a transport, if anything was asked on it. */
  static find(transport: Transport): ClientChannel | undefined {
    return channels.get(transport)
  }

  /** Whether a call with this id runs, which then no other call may have: asks and results would go to the wrong one. */
  isRunning(requestId: RequestId): boolean {
    return this.calls.has(requestId)
  }

  /** Interrupts a call when the client cancels it or leaves. Listening to the abort signal of each call costs more. */
  watch(requestId: RequestId, call: Fiber<unknown, unknown>): void {
    this.calls.set(requestId, call)
  }

  unwatch(requestId: RequestId): void {
    this.calls.delete(requestId)
  }

  private onCancelled(params: unknown): void {
    const id = isRecord(params) ? params["requestId"] : undefined
    const call = isId(id) ? this.calls.get(id) : undefined
    // After the SDK, which has to know that no answer is wanted.
    if (call !== undefined) queueMicrotask(() => call.interruptUnsafe())
  }

  /** Sends a request on the stream of the call that it belongs to. Progress starts its time anew. */
  ask(
    request: { readonly method: string; readonly params: object },
    relatedRequestId: RequestId,
    timeoutMillis: number,
    report: (outcome: AskOutcome) => void
  ): Ask {
    const id = firstId + this.asks++
    const ask = new PendingAsk(this, this.pendingFor(timeoutMillis), id, relatedRequestId, report)
    ask.asks.start(ask)
    const { method, params } = request
    const meta: unknown = Reflect.get(params, "_meta")
    const message = {
      jsonrpc: "2.0",
      id,
      method,
      params: { ...params, _meta: { ...(isRecord(meta) && meta), progressToken: id } }
    }
    this.send(message, ask).catch((cause: unknown) => this.settle(ask, toNotSent(cause)))
    return ask
  }

  /** Takes a message if it belongs to a request of this channel. Whatever it is, it does not throw. */
  receive(message: unknown): boolean {
    if (!isRecord(message)) return false
    if (message instanceof UnreadAnswer) return this.fail(message.id, message.problem)
    if (message["method"] === "notifications/progress") {
      const token = isRecord(message["params"]) ? message["params"]["progressToken"] : undefined
      const waiting = this.find(token)
      waiting?.asks.start(waiting)
      return waiting !== undefined
    }
    const id = message["id"]
    const ask = "result" in message || "error" in message || !("method" in message) ? this.find(id) : undefined
    if (ask === undefined) return false
    this.settle(ask, toOutcome(message))
    return true
  }

  /** An answer came that could not be read. Gives whether its request is one of this channel. */
  fail(id: RequestId, problem: string): boolean {
    const ask = this.find(id)
    if (ask !== undefined) this.settle(ask, { _tag: "Malformed", problem })
    return ask !== undefined
  }

  settle(ask: PendingAsk, outcome: AskOutcome): void {
    if (ask.asks.remove(ask)) ask.report(outcome)
  }

  cancel(ask: PendingAsk, reason: string): void {
    if (!ask.asks.remove(ask)) return
    this.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: ask.id, reason } }, ask)
      .catch(ignore)
  }

  /** As the SDK does, it takes an id that came back as text. */
  private find(id: unknown): PendingAsk | undefined {
    if (!isId(id)) return undefined
    for (const asks of this.pending.values()) {
      const ask = asks.get(Number(id))
      if (ask !== undefined) return ask
    }
    return undefined
  }

  private pendingFor(limitMillis: number): PendingAsks<PendingAsk> {
    const known = this.pending.get(limitMillis)
    if (known !== undefined) return known
    const asks = new PendingAsks<PendingAsk>(limitMillis)
    this.pending.set(limitMillis, asks)
    return asks
  }

  private send(message: object, ask: PendingAsk): Promise<void> {
    try {
      return this.transport.send(message, { relatedRequestId: ask.relatedRequestId })
    } catch (cause) {
      // A transport that writes before it returns throws what cannot be written.
      return Promise.reject(cause)
    }
  }
}

/**
 * Why a request is refused whose id belongs to a request of the same client that has not ended.
 *
 * MCP 2025-11-25, "Requests": an id must not have been used before in its session. JSON-RPC error -32600.
 *
 * @category texts
 * @since 0.1.0
 */
export const idInUse = (id: RequestId): string =>
  `The id ${
    JSON.stringify(String(id).slice(0, 80))
  } belongs to a request that has not ended. Send each request with an id of its own.`

/** The SDK counts its own requests from 0. */
const firstId = 2 ** 30

const channels = new WeakMap<Transport, ClientChannel>()

class PendingAsk implements Ask, Pending {
  readonly id: number
  readonly relatedRequestId: RequestId
  readonly report: (outcome: AskOutcome) => void
  readonly asks: PendingAsks<PendingAsk>
  since = 0
  private readonly channel: ClientChannel

  constructor(
    channel: ClientChannel,
    asks: PendingAsks<PendingAsk>,
    id: number,
    relatedRequestId: RequestId,
    report: (outcome: AskOutcome) => void
  ) {
    this.channel = channel
    this.asks = asks
    this.id = id
    this.relatedRequestId = relatedRequestId
    this.report = report
  }

  cancel(reason: string): void {
    this.channel.cancel(this, reason)
  }

  expire(): void {
    this.cancel("no answer came in time")
    this.report({ _tag: "TimedOut" })
  }
}

/** Why a request was not sent. A TypeError is what JSON.stringify throws. Everything else means that nobody is there. */
const toNotSent = (cause: unknown): AskOutcome =>
  cause instanceof MessageTooLarge
    ? { _tag: "NotSent", problem: cause.message }
    : cause instanceof TypeError
    ? { _tag: "NotSent", problem: notJson }
    : { _tag: "Closed" }

const notJson = "it holds a value that JSON cannot carry (a BigInt, or an object within itself); look at metadata"

/** JSON-RPC 2.0, "Response object": either an object as result (MCP), or an error with an integer and a text. */
const toOutcome = (message: Readonly<Record<string, unknown>>): AskOutcome => {
  const { error, result } = message
  if (message["jsonrpc"] === "2.0" && !("method" in message)) {
    if (isRecord(result) && !("error" in message)) return { _tag: "Result", result }
    if (isRecord(error) && !("result" in message)) {
      const { code, message: text } = error
      if (typeof code === "number" && Number.isSafeInteger(code) && typeof text === "string") {
        return { _tag: "Error", code, message: text }
      }
    }
  }
  return { _tag: "Malformed", problem: malformed }
}

const malformed = "its JSON-RPC response is malformed: it needs jsonrpc \"2.0\" and either an object as result or an " +
  "error with code and message"

const isId = (u: unknown): u is RequestId => typeof u === "string" || typeof u === "number"

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)

const ignore = (): void => {}
