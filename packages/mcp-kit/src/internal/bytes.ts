/** The number of bytes that are kept from the start, and from the end, of a message that is too large. */
export const sampleBytes = 512

export const empty = new Uint8Array(0)

/** Returns a copy of the last bytes, because a view would keep the whole chunks in memory. */
export const lastBytes = (parts: ReadonlyArray<Uint8Array>): Uint8Array => concat(parts).slice(-sampleBytes)

export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
