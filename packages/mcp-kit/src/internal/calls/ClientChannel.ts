/** Sends requests of this library to one client, on the transport that an official SDK uses for its own requests. */
import type { AskFailure } from "@effect-sampling/core/wire/AskError"
import { quote } from "@effect-sampling/core/wire/Text"
import type { Fiber } from "effect/Fiber"
import type { RequestId, RequestStreams, Transport } from "../../Sdk.ts"
import { invalidRequest } from "../errorCodes.ts"
import { MessageTooLarge } from "../MessageTooLarge.ts"
import { PendingAsks } from "./PendingAsks.ts"
import type { AskLimits, Pending } from "./PendingAsks.ts"

/**
 * The outcome of an ask: the client's result, or the reason why there is none.
 */
type AskOutcome = { readonly _tag: "Result"; readonly result: unknown } | AskFailure

/**
 * Stands for an answer that arrived but could not be read, for example because it is too large. A transport delivers it
 * as a message.
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
 * Stands for an answer that cannot come, because the client has closed its side. A transport delivers it as a message.
 * The SDK reads it as the error with which it ends its own requests when a connection closes.
 */
export class LostAnswer {
  readonly jsonrpc = "2.0"
  readonly id: RequestId
  readonly error = { code: -32_000, message: "Connection closed" }

  constructor(id: RequestId) {
    this.id = id
  }
}

/** A request to the client that waits for its answer. */
export interface Ask {
  /**
   * Forgets the request and notifies the client. The outcome of the request is no longer reported.
   */
  readonly cancel: (reason: string) => void
  /** The time limit that ends the request, in milliseconds. */
  readonly limitMillis: number
}

/**
 * The traffic between this library and one client on the transport of an SDK server: the calls in progress, and the
 * requests of this library, which share the transport with those of the SDK. The id of an answer shows to which of the
 * two it belongs.
 *
 * We do not use the SDK's own `request`, because it silently drops malformed answers, reports a cancellation as a
 * time-out, keeps a request that it could not send, and checks each answer three times before our Schema does.
 */
export class ClientChannel {
  readonly transport: Transport
  /** The open asks by their time limits: one entry for each pair of limits in use. */
  private readonly pending: Array<PendingAsks<PendingAsk>> = []
  private readonly calls = new Map<RequestId, RunningCall>()
  private readonly streams: RequestStreams | undefined
  private asks = 0

  private constructor(transport: Transport, streams: RequestStreams | undefined) {
    this.transport = transport
    this.streams = streams
    const { onclose, onmessage } = transport
    transport.onmessage = (message, extra) => {
      if (this.receive(message)) return
      const id = isRecord(message) && "method" in message ? message["id"] : undefined
      const call = isId(id) ? this.calls.get(id) : undefined
      if (isId(id) && call !== undefined) return this.refuse(id, call)
      onmessage?.call(transport, message, extra)
      if (isRecord(message) && message["method"] === "notifications/cancelled") this.onCancelled(message["params"])
    }
    transport.onclose = () => {
      onclose?.()
      for (const call of this.calls.values()) interrupt(call)
      for (const asks of this.pending) {
        for (const ask of asks.values()) this.settle(ask, { _tag: "Closed" })
        asks.close()
      }
    }
  }

  /** Returns the channel on a transport that is connected to an SDK server, and creates it at the first call. */
  static on(transport: Transport, sdk: TransportInternals): ClientChannel {
    const known = channels.get(transport)
    if (known !== undefined) return known
    const channel = new ClientChannel(transport, sdk.requestStreams(transport))
    channels.set(transport, channel)
    return channel
  }

  /** Returns the channel on a transport, or undefined if it has none. */
  static find(transport: Transport): ClientChannel | undefined {
    return channels.get(transport)
  }

  /**
   * Returns whether a call with this id is running. A second call must not have the same id: asks and results would go
   * to the wrong call.
   */
  isRunning(requestId: RequestId): boolean {
    return this.calls.has(requestId)
  }

  /** Calls `listener` once when the running call with this id has ended. */
  onceEnded(requestId: RequestId, listener: () => void): void {
    const call = this.calls.get(requestId)
    if (call !== undefined) (call.onEnd ??= []).push(listener)
  }

  /** Returns whether another request with this id is running. The signal tells the requests apart. */
  isUsedByAnother(requestId: RequestId, signal: AbortSignal): boolean {
    const call = this.calls.get(requestId)
    return call !== undefined && call.signal !== signal
  }

  /**
   * Interrupts the call when the client cancels it or leaves. One map of calls costs less than a listener on the abort
   * signal of each call. A request has several fibers if its handler runs several wrapped functions.
   */
  watch(requestId: RequestId, signal: AbortSignal, fiber: Fiber<unknown, unknown>): void {
    const call = this.calls.get(requestId)
    if (call === undefined) {
      this.calls.set(requestId, {
        signal,
        stream: this.streams?.get(requestId),
        fiber,
        others: undefined,
        onEnd: undefined
      })
    } else (call.others ??= new Set()).add(fiber)
  }

  unwatch(requestId: RequestId, fiber: Fiber<unknown, unknown>): void {
    const call = this.calls.get(requestId)
    if (call === undefined) return
    if (call.others?.delete(fiber) === true) return
    if (call.fiber !== fiber) return
    const [next] = call.others ?? []
    if (next === undefined) {
      this.calls.delete(requestId)
      for (const listener of call.onEnd ?? []) listener()
    } else {
      call.others?.delete(next)
      call.fiber = next
    }
  }

  /**
   * Refuses a request with the id of a running call before the SDK sees it. An SDK's HTTP transport has already given
   * the id to the stream of the new request, which ends with the refusal; the running call gets the id back.
   */
  private refuse(requestId: RequestId, call: RunningCall): void {
    const restore = (): void => {
      if (call.stream !== undefined && this.calls.get(requestId) === call) this.streams?.set(requestId, call.stream)
    }
    const error = { code: invalidRequest, message: idInUse(requestId) }
    this.transport.send({ jsonrpc: "2.0", id: requestId, error }).then(restore, restore)
    restore()
  }

  private onCancelled(params: unknown): void {
    const id = isRecord(params) ? params["requestId"] : undefined
    const call = isId(id) ? this.calls.get(id) : undefined
    // The interruption waits for the SDK, which must first record that the client no longer wants a response.
    if (call !== undefined) queueMicrotask(() => interrupt(call))
  }

  /** Sends a request on the stream of the call that it belongs to. Progress from the client restarts the time limit. */
  ask(
    request: { readonly method: string; readonly params: object },
    relatedRequestId: RequestId,
    limits: AskLimits,
    report: (outcome: AskOutcome) => void
  ): Ask {
    const id = firstId + this.asks++
    const ask = new PendingAsk(this, this.pendingFor(limits), id, relatedRequestId, report)
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

  /**
   * Handles a message that belongs to a request of this channel. Returns false for any other message. Never throws,
   * even for malformed input.
   */
  receive(message: unknown): boolean {
    if (!isRecord(message)) return false
    if (message instanceof UnreadAnswer) return this.fail(message.id, message.problem)
    if (message["method"] === "notifications/progress") {
      const token = isRecord(message["params"]) ? message["params"]["progressToken"] : undefined
      const waiting = this.find(token)
      waiting?.asks.restart(waiting)
      return waiting !== undefined
    }
    const id = message["id"]
    const ask = "result" in message || "error" in message || !("method" in message) ? this.find(id) : undefined
    if (ask === undefined) return false
    this.settle(ask, message instanceof LostAnswer ? { _tag: "Closed" } : toOutcome(message))
    return true
  }

  /** Ends the ask whose answer could not be read. Returns false if the ask does not belong to this channel. */
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

  /** Finds an ask by its id, and accepts an id that came back as a string, as the SDK does. */
  private find(id: unknown): PendingAsk | undefined {
    if (!isId(id)) return undefined
    for (const asks of this.pending) {
      const ask = asks.get(Number(id))
      if (ask !== undefined) return ask
    }
    return undefined
  }

  private pendingFor(limits: AskLimits): PendingAsks<PendingAsk> {
    const { timeoutMillis, totalMillis } = limits
    const known = this.pending.find((asks) =>
      asks.limits.timeoutMillis === timeoutMillis && asks.limits.totalMillis === totalMillis
    )
    if (known !== undefined) return known
    const asks = new PendingAsks<PendingAsk>(limits)
    this.pending.push(asks)
    return asks
  }

  private send(message: object, ask: PendingAsk): Promise<void> {
    try {
      return this.transport.send(message, { relatedRequestId: ask.relatedRequestId })
    } catch (cause) {
      // A transport that writes synchronously throws for a message that it cannot write.
      return Promise.reject(cause)
    }
  }
}

/**
 * Returns the text that refuses a request whose id belongs to an open request of the same client.
 *
 * MCP 2025-11-25, "Requests": an id must not have been used before in its session. JSON-RPC error -32600.
 */
export const idInUse = (id: RequestId): string =>
  `The id ${quote(String(id))} belongs to a request that has not ended. Send each request with an id of its own.`

/** The part of the port that a channel needs. */
interface TransportInternals {
  readonly requestStreams: (transport: Transport) => RequestStreams | undefined
}

/** The first id of our requests. The SDK counts its own requests from 0, so the ids do not collide. */
const firstId = 2 ** 30

/** A request that is being handled. */
interface RunningCall {
  /** The signal tells requests with one id apart. */
  readonly signal: AbortSignal
  /** What the SDK's HTTP transport sends this request's messages to. Undefined on other transports. */
  readonly stream: unknown
  fiber: Fiber<unknown, unknown>
  /** The other fibers of a request whose handler runs several wrapped functions. Most have none. */
  others: Set<Fiber<unknown, unknown>> | undefined
  onEnd: Array<() => void> | undefined
}

const interrupt = ({ fiber, others }: RunningCall): void => {
  fiber.interruptUnsafe()
  for (const other of others ?? []) other.interruptUnsafe()
}

const channels = new WeakMap<Transport, ClientChannel>()

class PendingAsk implements Ask, Pending {
  readonly id: number
  readonly relatedRequestId: RequestId
  readonly report: (outcome: AskOutcome) => void
  readonly asks: PendingAsks<PendingAsk>
  begun = 0
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

  get limitMillis(): number {
    const { timeoutMillis, totalMillis } = this.asks.limits
    return this.since === this.begun ? timeoutMillis : totalMillis
  }

  cancel(reason: string): void {
    this.channel.cancel(this, reason)
  }

  expire(): void {
    this.cancel("no answer came in time")
    this.report({ _tag: "TimedOut" })
  }
}

/**
 * Converts the reason why a request was not sent. A TypeError comes from JSON.stringify. Any other error means that the
 * client is gone.
 */
const toNotSent = (cause: unknown): AskOutcome =>
  cause instanceof MessageTooLarge
    ? { _tag: "NotSent", problem: cause.message }
    : cause instanceof TypeError
    ? { _tag: "NotSent", problem: notJson }
    : { _tag: "Closed" }

const notJson = "it holds a value that JSON cannot carry (a BigInt, or an object within itself); look at metadata"

/**
 * Converts an answer. JSON-RPC 2.0, "Response object": a response has either a result, which is an object in MCP, or an
 * error with an integer code and a message.
 */
const toOutcome = (message: Readonly<Record<string, unknown>>): AskOutcome => {
  const { error, result } = message
  if (message["jsonrpc"] === "2.0" && !("method" in message)) {
    // JSON-RPC 1.0 had both members, one of them null.
    if (isRecord(result) && (error === undefined || error === null)) return { _tag: "Result", result }
    if (isRecord(error) && (result === undefined || result === null)) {
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
