import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import type { IncomingMessage } from "node:http"

const sampleBytes = 512

/**
 * A body: its text, or, when it is over the limit, its first and last bytes. A body that is too large is read to its end
 * without being kept, so that the client gets its answer, but not beyond eight times the limit.
 */
export type Body =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "TooLarge"; readonly head: string; readonly tail: string }
  | { readonly _tag: "Aborted" }

export const readBody = (request: IncomingMessage, maxBytes: number): Effect.Effect<Body> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    let sample: { readonly head: Buffer; tail: Buffer } | undefined
    const end = () =>
      resume(Effect.succeed(
        sample === undefined
          ? { _tag: "Text", text: Buffer.concat(chunks).toString("utf8") }
          : { _tag: "TooLarge", head: sample.head.toString("utf8"), tail: sample.tail.toString("utf8") }
      ))
    request.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (sample !== undefined) {
        sample.tail = lastBytes(Buffer.concat([sample.tail, chunk]))
        if (size > maxBytes * 8) {
          request.pause()
          end()
        }
        return
      }
      chunks.push(chunk)
      if (size <= maxBytes) return
      const all = Buffer.concat(chunks)
      chunks.length = 0
      sample = { head: Buffer.from(all.subarray(0, sampleBytes)), tail: lastBytes(all) }
    })
    request.on("end", end)
    request.on("error", () => resume(Effect.succeed({ _tag: "Aborted" })))
    request.on("close", () => resume(Effect.succeed({ _tag: "Aborted" })))
  })

const lastBytes = (bytes: Buffer): Buffer => Buffer.from(bytes.subarray(-sampleBytes))
