/** Undefined for what JSON cannot carry. */
export const toJson = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** The value as it comes back from JSON; the same where JSON cannot carry it. */
export const toPlain = <A>(value: A): A => {
  const json = toJson(value)
  return json === undefined ? value : JSON.parse(json)
}
