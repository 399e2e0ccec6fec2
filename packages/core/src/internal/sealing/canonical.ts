import type { Binding } from "./models.ts"

/**
 * Writes the binding of a state as one text. It is a JSON array, so no part can be mistaken for another. Keys are
 * sorted by their code units, and numbers and strings are written as in RFC 8785.
 */
export const canonicalBinding = (binding: Binding): string =>
  canonicalJson([
    domain,
    binding.principal ?? null,
    binding.method,
    binding.name,
    // Absent arguments must not have the same text as null.
    ...(binding.arguments === undefined ? [] : [binding.arguments])
  ])

const domain = "effect-sampling/request-state/1"

interface Frame {
  readonly value: object
  readonly keys: ReadonlyArray<string> | undefined
  readonly length: number
  index: number
  empty: boolean
}

/**
 * Writes any value, JSON or not, nested to any depth. Members that JSON omits are omitted. A value that JSON refuses, such
 * as a cycle or a bigint, gets a text that no JSON value has.
 */
export const canonicalJson = (root: unknown): string => {
  const sorted = sortKeys(root, 0)
  return sorted === undefined ? writeCanonical(root) : JSON.stringify(sorted)
}

/**
 * Copies plain JSON so that `JSON.stringify` writes it in canonical order, which is faster than `writeCanonical`.
 * Returns undefined if the value is not plain JSON, is nested too deep, or has a key whose order cannot be set.
 */
const sortKeys = (value: unknown, depth: number): unknown => {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined
  if (typeof value !== "object" || depth === maxFastDepth) return undefined
  if (Array.isArray(value)) {
    const members: Array<unknown> = []
    for (const each of value) {
      const member = sortKeys(each, depth + 1)
      if (member === undefined) return undefined
      members.push(member)
    }
    return members
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined
  const sorted: Record<string, unknown> = {}
  for (const key of Object.keys(value).toSorted(byCodeUnits)) {
    const member = isSpecial(key) ? undefined : sortKeys(Reflect.get(value, key), depth + 1)
    if (member === undefined) return undefined
    sorted[key] = member
  }
  return sorted
}

const maxFastDepth = 32

/** JavaScript orders keys that look like array indices first, and assigning to `__proto__` does not create a key. */
const isSpecial = (key: string): boolean => /^\d|^__proto__$/.test(key)

const writeCanonical = (root: unknown): string => {
  let out = ""
  const stack: Array<Frame> = []
  // The objects and arrays that enclose the current value, to detect cycles.
  const ancestors = new Set<object>()
  const write = (value: unknown): void => {
    if (typeof value !== "object" || value === null) {
      out += scalar(value)
    } else if (ancestors.has(value)) {
      out += "cycle"
    } else {
      const keys = Array.isArray(value) ? undefined : Object.keys(value).toSorted(byCodeUnits)
      ancestors.add(value)
      out += keys === undefined ? "[" : "{"
      stack.push({ value, keys, length: Array.isArray(value) ? value.length : keys!.length, index: 0, empty: true })
    }
  }
  write(root)
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    if (frame.index === frame.length) {
      out += frame.keys === undefined ? "]" : "}"
      ancestors.delete(frame.value)
      stack.pop()
      continue
    }
    const key = frame.keys === undefined ? frame.index : frame.keys[frame.index]!
    frame.index++
    const member: unknown = Reflect.get(frame.value, key)
    if (frame.keys !== undefined && isNothing(member)) continue
    if (!frame.empty) out += ","
    frame.empty = false
    if (frame.keys !== undefined) out += `${JSON.stringify(key)}:`
    write(member)
  }
  return out
}

const isNothing = (value: unknown): boolean =>
  value === undefined || typeof value === "function" || typeof value === "symbol"

const scalar = (value: unknown): string =>
  typeof value === "bigint" ? `${value}n` : isNothing(value) ? "null" : JSON.stringify(value)

const byCodeUnits = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0
