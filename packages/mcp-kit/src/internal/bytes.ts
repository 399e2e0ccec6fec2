/** Of a message that is too large, this much is kept at each end. */
export const sampleBytes = 512

export const empty = new Uint8Array(0)

/** The last bytes, as a copy: it is kept while the next chunks come. */
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
