import * as Predicate from "effect/Predicate"

/**
 * Returns the value as JSON text without lone surrogates, because some servers refuse a body that contains one. Throws
 * for a value that JSON cannot represent (a cycle, a BigInt); `toChatRequest` turns that into an `InvalidRequest`.
 */
export const toJson = (value: unknown): string => JSON.stringify(value, wellFormed) ?? "null"

/** Returns a copy that is guaranteed to be a JSON object. */
export const toJsonObject = (value: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const copy: unknown = JSON.parse(toJson(value))
  return Predicate.isObject(copy) ? copy : {}
}

/** Returns the value of a JSON text, or undefined if the text is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const wellFormed = (_key: string, value: unknown): unknown => typeof value === "string" ? value.toWellFormed() : value
