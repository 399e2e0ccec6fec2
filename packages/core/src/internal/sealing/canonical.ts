import type { Binding } from "../../RequestState.ts"

/**
 * What a state is bound to, as one text: a JSON array, so that no part can pass for another one. Keys are sorted by their
 * code units and numbers and strings are written as RFC 8785 says.
 */
export const canonicalBinding = (binding: Binding): string =>
  canonicalJson([
    domain,
    binding.principal ?? null,
    binding.method,
    binding.name,
    // Absent is something else than null.
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
 * Takes every value, JSON or not, at any depth: members that JSON leaves out are left out, and what it refuses gets a
 * text that no JSON has.
 */
export const canonicalJson = (root: unknown): string => {
  const sorted = sortKeys(root, 0)
  return sorted === undefined ? writeCanonical(root) : JSON.stringify(sorted)
}

/** A copy that JSON.stringify writes in the right order; undefined where it would not, or where this is no plain JSON. */
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

/** Keys that look like array indices come first in every object, and `__proto__` is no key to assign to. */
const isSpecial = (key: string): boolean => /^\d|^__proto__$/.test(key)

const writeCanonical = (root: unknown): string => {
  let out = ""
  const stack: Array<Frame> = []
  // What is open now, to meet a value inside of itself.
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
