/**
 * The deepest nesting that is allowed, because much deeper values overflow the stack of `JSON.stringify` and of
 * decoders.
 */
export const maxDepth = 256

/** Returns whether objects and arrays in a JSON value are nested more than `maxDepth` levels deep. */
export const isTooDeep = (json: unknown): boolean => exceeds(json, maxDepth)

// The recursion stops at the limit, so it cannot overflow the stack either.
const exceeds = (json: unknown, left: number): boolean => {
  if (typeof json !== "object" || json === null) return false
  if (left === 0) return true
  for (const key in json) if (exceeds(Reflect.get(json, key), left - 1)) return true
  return false
}
