/** Splits the bytes of stdin into lines. */
import * as Bytes from "effect/Bytes"
import { empty, lastBytes, sampleBytes } from "../bytes.ts"
import { fromUtf8 } from "../platform.ts"

/**
 * Splits a byte stream into lines, in time linear in the size of the stream. Only the first and last bytes of a line
 * over the limit are kept, and reading continues with the next line.
 */
export class LineReader {
  private readonly maxBytes: number
  private readonly onLine: (line: string) => void
  private readonly onLongLine: (head: string, tail: string) => void
  private chunks: Array<Uint8Array> = []
  private size = 0
  private head: Uint8Array | undefined
  private tail: Uint8Array = empty

  constructor(maxBytes: number, onLine: (line: string) => void, onLongLine: (head: string, tail: string) => void) {
    this.maxBytes = maxBytes
    this.onLine = onLine
    this.onLongLine = onLongLine
  }

  readonly push = (chunk: Uint8Array): void => {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.add(chunk.subarray(start, end))
      this.endLine()
      start = end + 1
    }
    if (start < chunk.length) this.add(chunk.subarray(start))
  }

  /** Takes the bytes since the last line end for a line, because the stream has ended. */
  end(): void {
    if (this.size > 0) this.endLine()
  }

  private add(part: Uint8Array): void {
    this.size += part.length
    if (this.head !== undefined) {
      this.tail = lastBytes([this.tail, part])
    } else if (this.size > this.maxBytes) {
      const kept = [...this.chunks, part]
      this.head = Bytes.concat(kept).slice(0, sampleBytes)
      this.tail = lastBytes(kept)
      this.chunks = []
    } else this.chunks.push(part)
  }

  private endLine(): void {
    const { chunks, head, tail } = this
    this.chunks = []
    this.size = 0
    this.head = undefined
    this.tail = empty
    if (head !== undefined) this.onLongLine(fromUtf8(head), fromUtf8(tail))
    else {
      const line = fromUtf8(chunks.length === 1 ? chunks[0]! : Bytes.concat(chunks))
      this.onLine(line.endsWith("\r") ? line.slice(0, -1) : line)
    }
  }
}
