/**
 * A stdio transport for SDK 1.x servers.
 *
 * @since 0.1.0
 */
import { serializeMessage } from "@modelcontextprotocol/sdk/shared/stdio.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { ErrorCode } from "@modelcontextprotocol/sdk/types.js"
import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js"
import { Buffer } from "node:buffer"
import { once } from "node:events"
import * as Process from "node:process"
import type { Readable, Writable } from "node:stream"
import { ClientChannel } from "./internal/ClientChannel.ts"
import { LineReader } from "./internal/LineReader.ts"
import { MessageTooLarge } from "./internal/MessageTooLarge.ts"
import { oversizedMessage } from "./internal/oversizedMessage.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Default: the process's own.
   */
  readonly stdin?: Readable | undefined
  /**
   * Default: the process's own.
   */
  readonly stdout?: Writable | undefined
  /**
   * The largest message read or written, in bytes. Default: 10 MiB, which is what clients on SDK 1.x read: they close
   * the session on a larger one.
   */
  readonly maxMessageBytes?: number | undefined
}

/**
 * Makes a transport for `server.connect`.
 *
 * **When to use**
 *
 * Use in place of the SDK's `StdioServerTransport` in an existing server. `StdioServer` uses it.
 *
 * **Details**
 *
 * It notices the end of stdin and closes, so that calls in flight are interrupted (the SDK's transport waits forever). An
 * answer that is malformed or larger than `maxMessageBytes` fails the request it belongs to, at once, and the session goes
 * on (the SDK's transport drops the one and closes on the other). A request or a response that is too large becomes an
 * error response.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Transport => new StdioTransport(options)

class StdioTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void

  private readonly stdin: Readable
  private readonly stdout: Writable
  private readonly maxMessageBytes: number
  private readonly lines: LineReader
  private closed = false
  private drained: Promise<void> | undefined

  constructor(options: Options) {
    this.stdin = options.stdin ?? Process.stdin
    this.stdout = options.stdout ?? Process.stdout
    this.maxMessageBytes = options.maxMessageBytes ?? 10 * 1024 * 1024
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
    this.stdin.off("data", this.lines.push)
    this.stdin.off("end", this.onEnd)
    this.stdin.off("close", this.onEnd)
    this.stdin.pause()
    this.onclose?.()
    return Promise.resolve()
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (this.closed) return Promise.reject(new Error("The transport is closed"))
    const line = serializeMessage(message)
    if (!this.isTooLong(line)) return this.write(line)
    const error = new MessageTooLarge({ limit: this.maxMessageBytes })
    return "id" in message && message.id !== undefined && !("method" in message)
      ? this.writeError(message.id, ErrorCode.InternalError, `The response was not sent: ${error.message}`)
      : Promise.reject(error)
  }

  private writeError(id: RequestId, code: ErrorCode, message: string): Promise<void> {
    return this.write(serializeMessage({ jsonrpc: "2.0", id, error: { code, message } }))
  }

  private write(line: string): Promise<void> {
    if (this.stdout.write(line)) return Promise.resolve()
    // All writers wait for the same event, so that they do not each add a listener.
    this.drained ??= once(this.stdout, "drain").then(ignore).finally(() => {
      this.drained = undefined
    })
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
    const message = oversizedMessage(head, tail)
    if (message?.kind === "answer") ClientChannel.find(this)?.fail(message.id, problem)
    else if (message?.kind === "request") {
      this.writeError(message.id, ErrorCode.InvalidRequest, `The request was not read: ${problem}`).catch(ignore)
    }
  }

  private deliver(message: unknown): void {
    if (typeof message !== "object" || message === null) {
      this.onerror?.(new Error("A line on stdin is not a JSON-RPC message"))
      return
    }
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK checks what it is given
      this.onmessage?.(message as JSONRPCMessage)
    } catch (cause) {
      // The SDK throws on what it cannot put into an error message: objects nested too deeply.
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

const ignore = (): void => {}
