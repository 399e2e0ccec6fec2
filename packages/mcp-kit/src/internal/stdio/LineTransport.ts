/**
 * A transport over a pair of streams with a JSON-RPC message a line, for the servers of every official SDK: for adapters.
 *
 * @since 0.1.0
 */
import { UnreadAnswer } from "../calls/ClientChannel.ts"
import { MessageTooLarge } from "../MessageTooLarge.ts"
import * as OversizedMessage from "../oversizedMessage.ts"
import { LineReader } from "./LineReader.ts"

/**
 * What is needed of Node's `Readable`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly destroyed: boolean
  readonly readableEnded: boolean
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown
  on(event: "end" | "close", listener: () => void): unknown
  on(event: "error", listener: (error: Error) => void): unknown
  off(event: "data", listener: (chunk: Uint8Array) => void): unknown
  off(event: "end" | "close", listener: () => void): unknown
  pause(): unknown
}

/**
 * What is needed of Node's `Writable`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Output {
  on(event: "error", listener: (error: Error) => void): unknown
  once(event: "drain", listener: () => void): unknown
  write(text: string): boolean
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly stdin: Input
  readonly stdout: Output
  /**
   * The largest message read or written, in bytes.
   */
  readonly maxMessageBytes: number
  /**
   * Called once when the transport has closed, after `onclose`, with which the SDK closes its server. Default: nothing.
   */
  readonly onClosed?: (() => void) | undefined
}

/**
 * It notices the end of stdin and closes, so that calls in flight are interrupted. A message that is malformed is passed
 * on. Of one that is larger than `maxMessageBytes` only the id is read, and the session goes on: an answer becomes an
 * `UnreadAnswer`, a request an error response. A response that is too large to be written becomes an error response, too.
 *
 * @category models
 * @since 0.1.0
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
  private closed = false
  private batch: { text: string; readonly written: PromiseWithResolvers<void> } | undefined
  private drained: Promise<void> | undefined

  constructor(options: Options) {
    this.stdin = options.stdin
    this.stdout = options.stdout
    this.maxMessageBytes = options.maxMessageBytes
    this.onClosed = options.onClosed
    this.lines = new LineReader(this.maxMessageBytes, this.onLine, this.onLongLine)
  }

  start(): Promise<void> {
    this.stdin.on("data", this.lines.push)
    this.stdin.on("end", this.onEnd)
    this.stdin.on("close", this.onEnd)
    this.stdin.on("error", this.onStreamError)
    this.stdout.on("error", this.onStreamError)
    // These events do not come again.
    if (this.stdin.destroyed || this.stdin.readableEnded) queueMicrotask(this.onEnd)
    return Promise.resolve()
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.closed = true
    this.flush()
    this.stdin.off("data", this.lines.push)
    this.stdin.off("end", this.onEnd)
    this.stdin.off("close", this.onEnd)
    this.stdin.pause()
    this.onclose?.()
    this.onClosed?.()
    return Promise.resolve()
  }

  send(message: object): Promise<void> {
    if (this.closed) return Promise.reject(new Error("The transport is closed"))
    const line = serialize(message)
    if (!this.isTooLong(line)) return this.write(line)
    const error = new MessageTooLarge({ limit: this.maxMessageBytes })
    const id = "id" in message && !("method" in message) ? message.id : undefined
    return id === undefined
      ? Promise.reject(error)
      : this.writeError(id, internalError, `The response was not sent: ${error.message}`)
  }

  private writeError(id: unknown, code: number, message: string): Promise<void> {
    return this.write(serialize({ jsonrpc: "2.0", id, error: { code, message } }))
  }

  /** Lines of the same moment are written at once: a call of the system costs more than most of them. */
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

  /** All writers wait for the same event, so that they do not each add a listener. */
  private drain(): Promise<void> {
    if (this.drained === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.drained = promise
      this.stdout.once("drain", () => {
        this.drained = undefined
        resolve()
      })
    }
    return this.drained
  }

  // A character takes at most 3 bytes, so that most lines need no counting.
  private isTooLong(line: string): boolean {
    return line.length * 3 > this.maxMessageBytes && Buffer.byteLength(line) > this.maxMessageBytes
  }

  private readonly onLine = (line: string): void => {
    if (line === "") return
    let json: unknown
    try {
      json = JSON.parse(line)
    } catch {
      this.onerror?.(new Error("A line on stdin is not JSON"))
      return
    }
    // MCP 2025-03-26 has batches.
    for (const message of Array.isArray(json) ? json : [json]) this.deliver(message)
  }

  private readonly onLongLine = (head: string, tail: string): void => {
    const problem = `it is larger than the ${this.maxMessageBytes} bytes that this server reads`
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
    try {
      this.onmessage?.(message)
    } catch (cause) {
      // The SDKs throw on what they cannot put into an error message: objects nested too deeply.
      this.onerror?.(new Error("A message on stdin could not be handled", { cause }))
    }
  }

  private readonly onEnd = (): void => {
    void this.close()
  }

  private readonly onStreamError = (error: Error): void => {
    this.onerror?.(error)
    void this.close()
  }
}

/** JSON-RPC 2.0, "Error object". */
const internalError = -32603
const invalidRequest = -32600

/** What a pipe of Linux holds, in characters. A larger line is written by itself. */
const largestBatch = 65_536

const serialize = (message: object): string => `${JSON.stringify(message)}\n`

const ignore = (): void => {}
