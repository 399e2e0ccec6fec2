import { maxDepth } from "./request/nesting.ts"

/**
 * Replaces lone surrogates by U+FFFD in every text of a JSON value, as every UTF-8 encoder does. A string that was cut
 * in the middle of an emoji ends with a lone surrogate, and some receivers reject JSON that holds one. Returns the
 * value itself if it has none.
 */
export const wellFormed = <A>(value: A): A =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the copy differs in the content of texts only
  isWellFormed(value, maxDepth, { left: cheapVisits }) ? value : copy(value, new Map(), maxDepth) as A

/**
 * Returns whether a value certainly holds no lone surrogate. It allocates nothing, because almost every value of a call
 * is small and well-formed. It remembers nothing either, so it gives up after a thousand members: an object may hold
 * itself.
 */
const isWellFormed = (value: unknown, depth: number, visits: { left: number }): boolean => {
  if (--visits.left < 0) return false
  if (typeof value === "string") return value.isWellFormed()
  if (typeof value !== "object" || value === null || depth === 0) return true
  if (Array.isArray(value)) {
    for (const item of value) if (!isWellFormed(item, depth - 1, visits)) return false
    return true
  }
  if (!isRecord(value)) return true
  for (const name in value) {
    // `JSON.stringify` does not read inherited members, and a getter among them could throw.
    if (Object.hasOwn(value, name) && !(name.isWellFormed() && isWellFormed(value[name], depth - 1, visits))) {
      return false
    }
  }
  return true
}

const cheapVisits = 1000

/** `known` holds what was visited, because a value may hold one object many times, or itself. */
const copy = (value: unknown, known: Map<object, unknown>, left: number): unknown => {
  if (typeof value === "string") return value.isWellFormed() ? value : value.toWellFormed()
  if (typeof value !== "object" || value === null || left === 0) return value
  if (known.has(value)) return known.get(value)
  known.set(value, value)
  const copied = Array.isArray(value)
    ? copyList(value, known, left - 1)
    : isRecord(value)
    ? copyMembers(value, known, left - 1)
    : value
  known.set(value, copied)
  return copied
}

const copyList = (
  list: ReadonlyArray<unknown>,
  known: Map<object, unknown>,
  left: number
): ReadonlyArray<unknown> => {
  const copied = list.map((item) => copy(item, known, left))
  return copied.every((item, index) => Object.is(item, list[index])) ? list : copied
}

const copyMembers = (members: object, known: Map<object, unknown>, left: number): object => {
  let isChanged = false
  const copied = Object.entries(members).map(([name, value]) => {
    const member = [name.toWellFormed(), copy(value, known, left)] as const
    isChanged ||= member[0] !== name || !Object.is(member[1], value)
    return member
  })
  if (!isChanged) return members
  // An instance of a Schema's class stays one.
  const target: object = Object.create(Object.getPrototypeOf(members))
  return Object.assign(target, Object.fromEntries(copied))
}

/** Bytes, dates and other built-in objects hold no texts that are sent as they are. */
const isRecord = (value: object): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === "[object Object]"
