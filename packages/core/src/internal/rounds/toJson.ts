/** Writes a value as JSON. Returns undefined if JSON cannot carry it. */
export const toJson = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** Returns the value as it comes back from JSON, or the value itself if JSON cannot carry it. */
export const toPlain = <A>(value: A): A => {
  const json = toJson(value)
  return json === undefined ? value : JSON.parse(json)
}
