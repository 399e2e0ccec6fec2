import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import type { IncomingMessage } from "node:http"
import { lastBytes, sampleBytes } from "../bytes.ts"
import { fromUtf8 } from "../platform.ts"

/**
 * The body of a request: its text, or the first and last bytes of a body over the limit, or nothing if the server has
 * no room for it. The rest of a body that is not kept is read and discarded, so that a client that reads the response
 * only after sending its body still gets the response. Reading stops at eight times the limit.
 */
export type Body =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "TooLarge"; readonly head: string; readonly tail: string }
  | { readonly _tag: "NoRoom" }
  | { readonly _tag: "Aborted" }

/** Reads a body. `hasRoom` receives the size of each chunk, and returns whether the server has room for it. */
export const readBody = (
  request: IncomingMessage,
  maxBytes: number,
  hasRoom: (bytes: number) => boolean
): Effect.Effect<Body> =>
  Effect.callback((resume) => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    let sample: { readonly head: Uint8Array; tail: Uint8Array } | undefined
    let isRefused = false
    const end = () =>
      resume(Effect.succeed(
        isRefused
          ? { _tag: "NoRoom" }
          : sample === undefined
          ? { _tag: "Text", text: fromUtf8(Bytes.concat(chunks)) }
          : { _tag: "TooLarge", head: fromUtf8(sample.head), tail: fromUtf8(sample.tail) }
      ))
    request.on("data", (chunk: Uint8Array) => {
      size += chunk.length
      if (sample !== undefined || isRefused) {
        if (sample !== undefined) sample.tail = lastBytes([sample.tail, chunk])
        if (size > maxBytes * 8) {
          request.pause()
          end()
        }
        return
      }
      if (!hasRoom(chunk.length)) {
        isRefused = true
        chunks.length = 0
        return
      }
      chunks.push(chunk)
      if (size <= maxBytes) return
      sample = { head: Bytes.concat(chunks).slice(0, sampleBytes), tail: lastBytes(chunks) }
      chunks.length = 0
    })
    request.on("end", end)
    request.on("error", () => resume(Effect.succeed({ _tag: "Aborted" })))
    request.on("close", () => resume(Effect.succeed({ _tag: "Aborted" })))
  })
