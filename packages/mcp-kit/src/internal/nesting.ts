/** Measures how deep JSON is nested before it is parsed, because parsing much deeper JSON takes seconds. */

/** The number of levels to which objects and arrays of a message may be nested. */
const maxDepth = 256

export const tooDeep = `it is nested more than ${maxDepth} levels deep`

/** Returns whether objects and arrays in a JSON text are nested more than `maxDepth` levels deep. */
export const isTooDeep = (json: string): boolean => {
  if (json.length <= maxDepth) return false
  let depth = 0
  for (let index = 0; index < json.length; index++) {
    switch (json.charCodeAt(index)) {
      case quote:
        index = endOfString(json, index)
        break
      case openBracket:
      case openBrace:
        if (++depth > maxDepth) return true
        break
      case closeBracket:
      case closeBrace:
        depth--
        break
      default:
    }
  }
  return false
}

/** Returns the index of the quote that ends the string, or the length of the text. */
const endOfString = (json: string, start: number): number => {
  let end = json.indexOf("\"", start + 1)
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf("\"", end + 1)
  return end === -1 ? json.length : end
}

const isEscaped = (json: string, index: number): boolean => {
  let first = index
  while (json.charCodeAt(first - 1) === backslash) first--
  return (index - first) % 2 === 1
}

const quote = 0x22
const backslash = 0x5C
const openBracket = 0x5B
const closeBracket = 0x5D
const openBrace = 0x7B
const closeBrace = 0x7D
