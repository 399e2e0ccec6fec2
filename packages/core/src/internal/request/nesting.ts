/** Deeper values overflow the stack of `JSON.stringify` and of decoders. */
export const maxDepth = 256

/** Whether a JSON value holds more than `maxDepth` objects and arrays inside each other. */
export const isTooDeep = (json: unknown): boolean => exceeds(json, maxDepth)

// Recursion ends at the limit.
const exceeds = (json: unknown, left: number): boolean =>
  typeof json === "object" && json !== null &&
  (left === 0 || Object.values(json).some((inner) => exceeds(inner, left - 1)))
