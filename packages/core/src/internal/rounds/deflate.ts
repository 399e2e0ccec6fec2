import * as Effect from "effect/Effect"
import { builtin } from "../platform.ts"

interface Zlib {
  readonly deflateRawSync: (data: Uint8Array, options: { readonly level: number }) => Uint8Array
  readonly inflateRawSync: (data: Uint8Array) => Uint8Array
}

const zlib = builtin<Zlib>("node:zlib")

/** Compresses data with DEFLATE (RFC 1951): synchronously if the platform can, and as a stream otherwise. */
export const deflate = (data: Uint8Array): Effect.Effect<Uint8Array> =>
  zlib === undefined
    ? Effect.promise(() => through(new web.CompressionStream("deflate-raw"), data))
    : Effect.sync(() => zlib.deflateRawSync(data, { level: 1 }))

/** Decompresses data. Returns undefined if it is not a DEFLATE stream. */
export const inflate = (data: Uint8Array): Effect.Effect<Uint8Array | undefined> =>
  Effect.catch(
    zlib === undefined
      ? Effect.tryPromise(() => through(new web.DecompressionStream("deflate-raw"), data))
      : Effect.try({ try: () => zlib.inflateRawSync(data), catch: () => undefined }),
    () => Effect.undefined
  )

interface Web {
  readonly CompressionStream: new(format: "deflate-raw") => unknown
  readonly DecompressionStream: new(format: "deflate-raw") => unknown
  readonly Blob: new(parts: ReadonlyArray<Uint8Array>) => {
    readonly stream: () => { readonly pipeThrough: (transform: unknown) => unknown }
  }
  readonly Response: new(body: unknown) => { readonly arrayBuffer: () => Promise<ArrayBuffer> }
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the Compression Streams Standard: every platform without node:zlib has it
const web = globalThis as unknown as Web

const through = (transform: unknown, data: Uint8Array): Promise<Uint8Array> =>
  new web.Response(new web.Blob([data]).stream().pipeThrough(transform)).arrayBuffer()
    .then((buffer) => new Uint8Array(buffer))
