import { LenientJson } from "./lenientJson.ts"
import type { Broken } from "./lenientJson.ts"
import { endOfValue, parseJson } from "./parseJson.ts"

/** At most this many values of each kind are kept, the last ones of a text. */
const maxValues = 16

/** The values that a text holds, and the first place at which one of them breaks off or is not JSON. */
export interface JsonIn {
  readonly values: ReadonlyArray<unknown>
  readonly problem: string | undefined
}

/**
 * Returns the JSON values in a text: the whole text, or else the contents of its code fences, and then the objects and
 * lists in it, in order. A value that is broken or cut off does not count, and neither does any part of it.
 *
 * The time that it takes grows with the length of the text, whatever the text holds.
 */
export const jsonIn = (text: string): JsonIn => {
  const whole = parseJson(text)
  if (whole !== undefined) return { values: [whole.value], problem: undefined }
  const { problem, values } = inText(text)
  return { values: [...inFences(text), ...values], problem }
}

const fence = "```"

/** Only scalars need their fences: objects and lists are found in any text. */
const inFences = (text: string): ReadonlyArray<unknown> => {
  const contents: Array<string> = []
  let open = text.indexOf(fence)
  while (open !== -1) {
    const start = open + fence.length
    const close = text.indexOf(fence, start)
    if (close === -1) break
    if (contents.push(text.slice(start, close)) > maxValues) contents.shift()
    open = text.indexOf(fence, close + fence.length)
  }
  return contents.flatMap((content) => {
    const scalar = content.replace(/^[a-zA-Z0-9]{0,20}\s/, "").trim()
    const parsed = /^[[{]/.test(scalar) ? undefined : parseJson(scalar)
    return parsed === undefined ? [] : [parsed.value]
  })
}

const inText = (text: string): JsonIn => {
  const json = new LenientJson(text)
  // Apart, so that the many small lists of a text with citations do not displace its object.
  const objects: Array<Found> = []
  const lists: Array<Found> = []
  let problem: string | undefined
  // Each attempt costs what it reads, so text that is made to be read again and again ends the search.
  let budget = 4 * text.length + 10_000
  for (let start = 0; start < text.length && budget > 0; start++) {
    if (!mayStart(text, start)) continue
    const read = json.read(start)
    if (read._tag === "Read") {
      budget -= read.end - start
      const found = Array.isArray(read.value) ? lists : objects
      if (found.push({ start, value: read.value }) > maxValues) found.shift()
      start = read.end - 1
      continue
    }
    budget -= read.at - start
    if (!looksLikeJson(text, start)) continue
    problem ??= describe(text, read)
    // A value inside of a broken one would be only a part of the answer.
    const end = read.isCut ? undefined : endOfValue(text, start)
    if (end === undefined) break
    budget -= end - start
    start = end - 1
  }
  const found = [...objects, ...lists].toSorted((one, other) => one.start - other.start)
  return { values: found.map(({ value }) => value), problem }
}

interface Found {
  readonly start: number
  readonly value: unknown
}

/** Returns whether an object or a list may start here, which most brackets of other texts do not look like. */
const mayStart = (text: string, start: number): boolean => {
  const character = text[start]
  if (character !== "{" && character !== "[") return false
  const next = text[start + 1] ?? ""
  return character === "{" ? next !== "{" && next !== "[" : next !== "}" && next !== ")"
}

const looksLikeJson = (text: string, start: number): boolean =>
  /^(\{\s*["'“]|\[\s*["{[\d-])/.test(text.slice(start, start + 100))

const describe = (text: string, { at, expected, isCut }: Broken): string => {
  const before = text.slice(0, at)
  const line = before.split("\n").length
  const place = `line ${line}, column ${at - before.lastIndexOf("\n")}`
  return isCut
    ? `It holds no complete JSON value: the text ends inside of one (${place})`
    : `It holds no valid JSON value: at ${place}, expected ${expected}`
}

/**
 * Returns the ways to read a JSON value, the most literal one first: as it is, and without a text or a list of one
 * around it.
 */
export const readings = (json: unknown): ReadonlyArray<unknown> => {
  const inner = unwrap(json)
  if (inner === undefined) return [json]
  const innermost = unwrap(inner.value)
  return innermost === undefined ? [json, inner.value] : [json, inner.value, innermost.value]
}

const unwrap = (json: unknown): { readonly value: unknown } | undefined => {
  if (Array.isArray(json)) return json.length === 1 ? { value: json[0] } : undefined
  const text = typeof json === "string" ? json.trim() : ""
  if (!/^[[{]/.test(text)) return undefined
  const read = new LenientJson(text).read(0)
  return read._tag === "Read" && read.end === text.length ? read : undefined
}
