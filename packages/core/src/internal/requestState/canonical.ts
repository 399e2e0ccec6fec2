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
export const canonicalJson = (root: unknown): string =>
  isCanonical(root, 0) ? JSON.stringify(root) : writeCanonical(root)

/** Whether JSON.stringify writes it the same way: JSON through and through, with sorted keys, as most arguments are. */
const isCanonical = (value: unknown, depth: number): boolean => {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true
  if (typeof value === "number") return Number.isFinite(value)
  if (typeof value !== "object" || depth === maxFastDepth) return false
  if (Array.isArray(value)) return value.every((member) => isCanonical(member, depth + 1))
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  let last: string | undefined
  for (const [key, member] of Object.entries(value)) {
    if ((last !== undefined && byCodeUnits(last, key) > 0) || !isCanonical(member, depth + 1)) return false
    last = key
  }
  return true
}

const maxFastDepth = 32

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
