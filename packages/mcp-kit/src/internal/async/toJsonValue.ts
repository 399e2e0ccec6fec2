import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"

/**
 * Returns a value as JSON carries it: without the members that are undefined. Fails with the place of the first value
 * that JSON would change or drop.
 */
export const toJsonValue = (value: unknown): Result.Result<Schema.Json, string> => visit(value, "$", 0)

const maxDepth = 100

const visit = (value: unknown, place: string, depth: number): Result.Result<Schema.Json, string> => {
  if (value === null || typeof value === "string" || typeof value === "boolean") return Result.succeed(value)
  if (typeof value === "number" && Number.isFinite(value)) return Result.succeed(value)
  if (typeof value !== "object" || depth > maxDepth) return Result.fail(place)
  if (Array.isArray(value)) {
    return Result.all(value.map((item, index) => visit(item, `${place}[${index}]`, depth + 1)))
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return Result.fail(place)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Result.map(
    Result.all(members.map(([name, member]) => visit(member, `${place}.${name}`, depth + 1))),
    (values) => Object.fromEntries(members.map(([name], index) => [name, values[index]!]))
  )
}
