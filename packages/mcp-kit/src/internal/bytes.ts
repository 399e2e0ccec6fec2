import * as Bytes from "effect/Bytes"

/** The number of bytes that are kept from the start, and from the end, of a message that is too large. */
export const sampleBytes = 512

export const empty = new Uint8Array(0)

/** Returns a copy of the last bytes, because a view would keep the whole chunks in memory. */
export const lastBytes = (parts: ReadonlyArray<Uint8Array>): Uint8Array => Bytes.concat(parts).slice(-sampleBytes)
