/** A transport for the servers of the official SDKs, over a pair of streams with one JSON-RPC message a line. */
import type { RequestId } from "../../Sdk.ts"
import { LostAnswer, UnreadAnswer } from "../calls/ClientChannel.ts"
import { internalError, invalidRequest } from "../errorCodes.ts"
import { MessageTooLarge } from "../MessageTooLarge.ts"
import { isTooDeep, tooDeep } from "../nesting.ts"
import * as OversizedMessage from "../oversizedMessage.ts"
import { clearTimeout, setTimeout } from "../platform.ts"
import type { Timer } from "../platform.ts"
import { LineReader } from "./LineReader.ts"
import { requestProblem } from "./requestProblem.ts"

/** The members of Node's `Readable` that the transport uses. */
export interface Input {
  readonly destroyed: boolean
  readonly readableEnded: boolean
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown
  on(event: "end" | "close", listener: () => void): unknown
  on(event: "error", listener: (error: Error) => void): unknown
  off(event: "data", listener: (chunk: Uint8Array) => void): unknown
  off(event: "end" | "close", listener: () => void): unknown
  pause(): unknown
  resume(): unknown
}

/** The members of Node's `Writable` that the transport uses. */
export interface Output {
  on(event: "error", listener: (error: Error) => void): unknown
  once(event: "drain", listener: () => void): unknown
  write(text: string): boolean
}

/** The streams and the limit of a transport. */
export interface Options {
  readonly stdin: Input
  readonly stdout: Output
  /**
   * The size of the largest message that is read or written, in bytes.
   */
  readonly maxMessageBytes: number
  /**
   * The time that requests may still take after stdin has ended, in milliseconds.
   */
  readonly endGraceMillis: number
  /**
   * Called once when the transport has closed, after `onclose`, with which the SDK closes its server. Default: nothing.
   */
  readonly onClosed?: (() => void) | undefined
}

/**
 * After the end of stdin the transport closes when the requests that it has received are answered, or after a grace
 * period, which interrupts the calls that are left. What the server asks the client from then on fails. The transport
 * passes malformed notifications and answers on, and refuses malformed requests.
 *
 * While the client does not read what is written to stdout, the transport reads no further messages. Otherwise the
 * responses to them would fill the memory.
 *
 * A message that is larger than `maxMessageBytes` or nested too deep does not end the session. Only the id of such a message is read: an answer
 * becomes an `UnreadAnswer`, and a request becomes an error response. A response that is too large to write becomes an
 * error response as well.
 */
export class LineTransport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: object) => void

  private readonly stdin: Input
  private readonly stdout: Output
  private readonly maxMessageBytes: number
  private readonly lines: LineReader
  private readonly onClosed: (() => void) | undefined
  private readonly endGraceMillis: number
  /** The requests of the client that are neither answered nor cancelled. */
  private readonly received = new Set<unknown>()
  /** The requests of the server that the client has not answered. */
  private readonly asked = new Set<RequestId>()
  private endTimer: Timer | undefined
  private ended = false
  private closed = false
  private batch: { text: string; readonly written: PromiseWithResolvers<void> } | undefined
  private drained: Promise<void> | undefined

  constructor(options: Options) {
    this.stdin = options.stdin
    this.stdout = options.stdout
    this.maxMessageBytes = options.maxMessageBytes
    this.endGraceMillis = options.endGraceMillis
    this.onClosed = options.onClosed
    this.lines = new LineReader(this.maxMessageBytes, this.onLine, this.onLongLine)
  }

  start(): Promise<void> {
    this.stdin.on("data", this.lines.push)
    this.stdin.on("end", this.onEnd)
    this.stdin.on("close", this.onClose)
    // The error listeners stay after `close`: an error without a listener would end the process.
    this.stdin.on("error", this.onStreamError)
    this.stdout.on("error", this.onStreamError)
    // A stream that has already ended does not emit these events again.
    if (this.stdin.destroyed || this.stdin.readableEnded) queueMicrotask(this.onEnd)
    return Promise.resolve()
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.closed = true
    this.flush()
    this.stdin.off("data", this.lines.push)
    this.stdin.off("end", this.onEnd)
    this.stdin.off("close", this.onClose)
    this.stdin.pause()
    clearTimeout(this.endTimer)
    this.onclose?.()
    this.onClosed?.()
    return Promise.resolve()
  }

  send(message: object): Promise<void> {
    if (this.closed) return Promise.reject(new Error("The transport is closed"))
    const id = "id" in message ? message.id : undefined
    const isRequest = "method" in message && isId(id)
    if (isRequest && this.ended) return Promise.reject(new Error("The client has closed its side"))
    const line = serialize(message)
    if (!("method" in message)) return this.answer(id, line)
    if (this.isTooLong(line)) return Promise.reject(new MessageTooLarge({ limit: this.maxMessageBytes }))
    if (isRequest) this.asked.add(id)
    return this.write(line)
  }

  private answer(id: unknown, line: string): Promise<void> {
    const sent = this.isTooLong(line)
      ? this.writeError(
        id,
        internalError,
        `The response was not sent: ${new MessageTooLarge({ limit: this.maxMessageBytes }).message}`
      )
      : this.write(line)
    this.received.delete(id)
    return this.ended ? sent.finally(this.closeIfAnswered) : sent
  }

  private readonly closeIfAnswered = (): void => {
    if (this.ended && this.received.size === 0) void this.close()
  }

  private writeError(id: unknown, code: number, message: string): Promise<void> {
    return this.write(serialize({ jsonrpc: "2.0", id, error: { code, message } }))
  }

  /** Returns whether the client can answer nothing more. */
  get hasEnded(): boolean {
    return this.ended || this.closed
  }

  /** Writes the lines of one tick together, because a system call costs more than most lines. */
  private write(line: string): Promise<void> {
    if (this.batch !== undefined && this.batch.text.length + line.length > largestBatch) this.flush()
    if (this.batch === undefined) {
      this.batch = { text: "", written: Promise.withResolvers() }
      process.nextTick(this.flush)
    }
    this.batch.text += line
    return this.batch.written.promise
  }

  private readonly flush = (): void => {
    if (this.batch === undefined) return
    const { text, written } = this.batch
    this.batch = undefined
    try {
      written.resolve(this.stdout.write(text) ? undefined : this.drain())
    } catch (error) {
      written.reject(error)
    }
  }

  /** Waits for the stream to drain. All writers share one listener. */
  private drain(): Promise<void> {
    if (this.drained === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.drained = promise
      this.stdin.pause()
      this.stdout.once("drain", () => {
        this.drained = undefined
        if (!this.closed) this.stdin.resume()
        resolve()
      })
    }
    return this.drained
  }

  // A UTF-16 code unit takes at most 3 bytes in UTF-8, so most lines need no exact count.
  private isTooLong(line: string): boolean {
    return line.length * 3 > this.maxMessageBytes && Buffer.byteLength(line) > this.maxMessageBytes
  }

  private readonly onLine = (line: string): void => {
    if (line === "") return
    if (isTooDeep(line)) {
      const { head, tail } = OversizedMessage.endsOf(line)
      return this.refuseLine(head, tail, tooDeep)
    }
    let json: unknown
    try {
      json = JSON.parse(line)
    } catch {
      this.onerror?.(new Error("A line on stdin is not JSON"))
      return
    }
    // MCP 2025-03-26 allows batches.
    for (const message of Array.isArray(json) ? json : [json]) this.deliver(message)
  }

  private readonly onLongLine = (head: string, tail: string): void => {
    this.refuseLine(head, tail, `it is larger than the ${this.maxMessageBytes} bytes that this server reads`)
  }

  private refuseLine(head: string, tail: string, problem: string): void {
    this.onerror?.(new Error(`A line on stdin was not read: ${problem}`))
    const message = OversizedMessage.make(head, tail)
    if (message?.kind === "answer") this.deliver(new UnreadAnswer(message.id, problem))
    else if (message?.kind === "request") {
      this.writeError(message.id, invalidRequest, `The request was not read: ${problem}`).catch(ignore)
    }
  }

  private deliver(message: unknown): void {
    if (typeof message !== "object" || message === null) {
      this.onerror?.(new Error("A line on stdin is not a JSON-RPC message"))
      return
    }
    const problem = isRequest(message) ? requestProblem(message) : undefined
    if (problem !== undefined) {
      this.writeError(Reflect.get(message, "id"), invalidRequest, `The request is not valid: ${problem}`).catch(ignore)
      return
    }
    this.note(message)
    try {
      this.onmessage?.(message)
    } catch (cause) {
      // The SDKs throw for an object that is nested too deeply to appear in an error message.
      this.onerror?.(new Error("A message on stdin could not be handled", { cause }))
    }
  }

  /** Notes requests that have to be answered, and those that no longer have to be. */
  private note(message: object): void {
    const id = "id" in message ? message.id : undefined
    if (!("method" in message)) {
      if (isId(id)) this.asked.delete(id)
    } else if (isId(id)) {
      if (message.method !== lasting) this.received.add(id)
    } else if (message.method === "notifications/cancelled") this.received.delete(cancelledId(message))
  }

  private readonly onEnd = (): void => {
    if (this.closed || this.ended) return
    this.lines.end()
    this.ended = true
    if (this.received.size === 0) {
      void this.close()
      return
    }
    this.endTimer = setTimeout(closeLate, this.endGraceMillis, this)
    for (const id of this.asked) this.deliver(new LostAnswer(id))
    this.asked.clear()
  }

  /** A stream that closes without an end was destroyed. */
  private readonly onClose = (): void => {
    if (!this.ended) void this.close()
  }

  private readonly onStreamError = (error: Error): void => {
    this.onerror?.(error)
    void this.close()
  }
}

/** The capacity of a Linux pipe, in characters. A larger line is written by itself. */
const largestBatch = 65_536

/**
 * The request that is answered only when its client cancels it.
 *
 * Source: MCP 2026-07-28, "Subscriptions".
 */
const lasting = "subscriptions/listen"

const closeLate = (transport: LineTransport): void => void transport.close()

const isId = (id: unknown): id is RequestId => typeof id === "number" || typeof id === "string"

/** An answer may repeat the method of its ask. */
const isRequest = (message: object): boolean =>
  "method" in message && "id" in message && isId(message.id) && !("result" in message || "error" in message)

const cancelledId = (message: object): unknown =>
  "params" in message && typeof message.params === "object" && message.params !== null && "requestId" in message.params
    ? message.params.requestId
    : undefined

/** Escapes the two line ends that JSON allows in strings, because some clients split their input there as well. */
const serialize = (message: object): string => {
  const json = JSON.stringify(message)
  return `${otherLineEnd.test(json) ? json.replaceAll(otherLineEnds, escapeLineEnd) : json}\n`
}

const otherLineEnd = /[\u2028\u2029]/

const otherLineEnds = /[\u2028\u2029]/g

const escapeLineEnd = (lineEnd: string): string => lineEnd === "\u2028" ? "\\u2028" : "\\u2029"

const ignore = (): void => {}
