import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"

/** A value that JSON would change or drop: where it is, what it is, and what its author can return instead. */
export interface NotJson {
  readonly place: string
  readonly kind: string
  readonly cure: string
}

/**
 * Returns a value as JSON carries it: without the members that are undefined. Fails with the first value that JSON would
 * change or drop.
 */
export const toJsonValue = (value: unknown): Result.Result<Schema.Json, NotJson> => visit(value, "$", 0)

const maxDepth = 100

const visit = (value: unknown, place: string, depth: number): Result.Result<Schema.Json, NotJson> => {
  if (value === null || typeof value === "string" || typeof value === "boolean") return Result.succeed(value)
  if (typeof value === "number" && Number.isFinite(value)) return Result.succeed(value)
  if (typeof value !== "object") return Result.fail({ place, ...describe(value) })
  if (depth > maxDepth) return Result.fail({ place, ...tooDeep })
  if (Array.isArray(value)) {
    return Result.all(value.map((item, index) => visit(item, `${place}[${index}]`, depth + 1)))
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return Result.fail({ place, ...describe(value) })
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Result.map(
    Result.all(members.map(([name, member]) => visit(member, `${place}.${name}`, depth + 1))),
    (values) => Object.fromEntries(members.map(([name], index) => [name, values[index]!]))
  )
}

const tooDeep = {
  kind: `a value inside more than ${maxDepth} others`,
  cure: "Return less, without an object that contains itself"
}

const describe = (value: unknown): Pick<NotJson, "kind" | "cure"> => {
  switch (typeof value) {
    case "number":
      return { kind: String(value), cure: "Return null or a string" }
    case "bigint":
      return { kind: "a bigint", cure: "Return its toString()" }
    case "undefined":
      return { kind: "undefined", cure: "Return null" }
    case "function":
      return { kind: "a function", cure: "Return what it computes" }
    case "symbol":
      return { kind: "a symbol", cure: "Return its description" }
    default:
      return describeInstance(value)
  }
}

const describeInstance = (value: unknown): Pick<NotJson, "kind" | "cure"> => {
  if (value instanceof Date) return { kind: "a Date", cure: "Return its getTime() or toISOString()" }
  if (value instanceof Map) return { kind: "a Map", cure: "Return [...map]" }
  if (value instanceof Set) return { kind: "a Set", cure: "Return [...set]" }
  const name = value instanceof Object ? value.constructor.name : ""
  return {
    kind: name === "" ? "an instance of a class" : `an instance of ${name}`,
    cure: "Return a plain object with what you need of it"
  }
}
