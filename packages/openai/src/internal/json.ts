import * as Predicate from "effect/Predicate"

/**
 * JSON text without lone surrogates: some servers refuse a body that holds one. Throws for what JSON cannot carry (a
 * cycle, a BigInt); `toChatRequest` turns that into an `InvalidRequest`.
 */
export const toJson = (value: unknown): string => JSON.stringify(value, wellFormed) ?? "null"

/** A copy that certainly is a JSON object. */
export const toJsonObject = (value: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const copy: unknown = JSON.parse(toJson(value))
  return Predicate.isObject(copy) ? copy : {}
}

/** The value of a JSON text, or undefined. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const wellFormed = (_key: string, value: unknown): unknown => typeof value === "string" ? value.toWellFormed() : value
