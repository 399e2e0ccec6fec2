import { Buffer } from "node:buffer"

const sampleBytes = 512

/**
 * Splits a byte stream into lines, in time linear in its size. Of a line over the limit only the first and last bytes
 * are kept, and the stream goes on after it.
 */
export class LineReader {
  private readonly maxBytes: number
  private readonly onLine: (line: string) => void
  private readonly onLongLine: (head: string, tail: string) => void
  private chunks: Array<Buffer> = []
  private size = 0
  private head: Buffer | undefined
  private tail: Buffer = Buffer.alloc(0)

  constructor(maxBytes: number, onLine: (line: string) => void, onLongLine: (head: string, tail: string) => void) {
    this.maxBytes = maxBytes
    this.onLine = onLine
    this.onLongLine = onLongLine
  }

  readonly push = (chunk: Buffer): void => {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.add(chunk.subarray(start, end))
      this.endLine()
      start = end + 1
    }
    if (start < chunk.length) this.add(chunk.subarray(start))
  }

  private add(part: Buffer): void {
    this.size += part.length
    if (this.head !== undefined) {
      this.tail = lastBytes([this.tail, part])
    } else if (this.size > this.maxBytes) {
      const kept = [...this.chunks, part]
      this.head = Buffer.from(Buffer.concat(kept).subarray(0, sampleBytes))
      this.tail = lastBytes(kept)
      this.chunks = []
    } else this.chunks.push(part)
  }

  private endLine(): void {
    const { chunks, head, tail } = this
    this.chunks = []
    this.size = 0
    this.head = undefined
    this.tail = Buffer.alloc(0)
    if (head !== undefined) this.onLongLine(head.toString("utf8"), tail.toString("utf8"))
    else {
      const line = (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString("utf8")
      this.onLine(line.endsWith("\r") ? line.slice(0, -1) : line)
    }
  }
}

const lastBytes = (parts: ReadonlyArray<Buffer>): Buffer => {
  const whole = Buffer.concat(parts)
  return Buffer.from(whole.subarray(Math.max(0, whole.length - sampleBytes)))
}
