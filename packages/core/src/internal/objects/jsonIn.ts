import { maxDepth } from "../request/nesting.ts"

/** At most this many positions of a text are tried, because each costs a scan. */
const maxPlaces = 16

/**
 * Returns the JSON values in a text, most likely answers first: the whole text, or else the contents of its code fences
 * and then the objects and arrays among its prose. A value that is cut off at the end of the text does not count, and
 * neither does any part of it.
 */
export const jsonIn = (text: string): ReadonlyArray<unknown> => {
  const whole = parse(text)
  return whole === undefined ? [...inFences(text), ...amongProse(text)] : [whole.value]
}

const parse = (text: string): { readonly value: unknown } | undefined => {
  const json = text.trim()
  // JSON.parse takes minutes for a value that is nested a million levels deep.
  if (/^[[{]/.test(json) && endOfValue(json, 0) !== json.length) return undefined
  try {
    return { value: JSON.parse(json) }
  } catch {
    return undefined
  }
}

const fence = "```"

const inFences = (text: string): ReadonlyArray<unknown> => {
  const found: Array<unknown> = []
  let open = text.indexOf(fence)
  for (let places = 0; open !== -1 && places < maxPlaces; places++) {
    const start = open + fence.length
    const close = text.indexOf(fence, start)
    if (close === -1) break
    const parsed = parse(text.slice(start, close).replace(/^[a-zA-Z0-9]{0,20}\s/, ""))
    if (parsed !== undefined) found.push(parsed.value)
    open = text.indexOf(fence, close + fence.length)
  }
  return found
}

const amongProse = (text: string): ReadonlyArray<unknown> => {
  const found: Array<unknown> = []
  const bracket = /[[{]/g
  let match = bracket.exec(text)
  for (let places = 0; match !== null && places < maxPlaces; places++) {
    const start = match.index
    const end = endOfValue(text, start)
    // A value inside one that is cut off, or nested too deep, would be only a part of the answer.
    if (end === undefined && looksLikeJson(text, start)) break
    const parsed = end === undefined ? undefined : parse(text.slice(start, end))
    if (parsed !== undefined) {
      found.push(parsed.value)
      bracket.lastIndex = end!
    }
    match = bracket.exec(text)
  }
  return found
}

const looksLikeJson = (text: string, start: number): boolean =>
  /^(\{\s*"|\[\s*["{[\d-])/.test(text.slice(start, start + 100))

/**
 * Returns the end of the object or array that starts at `start`, or undefined if its brackets do not match or nest too
 * deep.
 */
const endOfValue = (text: string, start: number): number | undefined => {
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
