import { maxDepth } from "../request/nesting.ts"

/** Parses a whole text as JSON. Returns undefined if it is not JSON, or nested too deep. */
export const parseJson = (text: string): { readonly value: unknown } | undefined => {
  const json = text.trim()
  // JSON.parse takes minutes for a value that is nested a million levels deep.
  if (/^[[{]/.test(json) && endOfValue(json, 0) !== json.length) return undefined
  try {
    return { value: JSON.parse(json) }
  } catch {
    return undefined
  }
}

/**
 * Returns the end of the object or array that starts at `start`, or undefined if its brackets do not match or nest too
 * deep.
 */
export const endOfValue = (text: string, start: number): number | undefined => {
  let depth = 0
  let inString = false
  for (let index = start; index < text.length; index++) {
    const character = text[index]
    if (inString) {
      if (character === "\\") index++
      else if (character === "\"") inString = false
    } else if (character === "\"") inString = true
    else if (character === "{" || character === "[") {
      if (++depth > maxDepth) return undefined
    } else if ((character === "}" || character === "]") && --depth === 0) return index + 1
  }
  return undefined
}
