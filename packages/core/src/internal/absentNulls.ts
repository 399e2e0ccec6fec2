import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { maxDepth } from "./request/nesting.ts"

const allErrors = { errors: "all" } as const

type DecodeResult<A> = (value: unknown) => Result.Result<A, Schema.SchemaError>

/**
 * Returns a decoder for objects that others wrote. Many of them write null for a member that is absent, so a null that
 * the Schema does not accept there counts as absent, at every level. A null that the Schema accepts stays.
 */
export const decodeForeign = <A>(
  schema: Schema.ConstraintDecoder<A>,
  options: SchemaAST.ParseOptions = {}
): DecodeResult<A> => {
  const decode = Schema.decodeUnknownResult(schema, options)
  const decodeAll = Schema.decodeUnknownResult(schema, allErrors)
  return (value) => {
    const decoded = decode(value)
    if (Result.isSuccess(decoded) || !holdsNull(value)) return decoded
    const problems = decodeAll(value)
    const cleaned = Result.isFailure(problems) ? withoutNulls(value, problems.failure.issue) : value
    return cleaned === value ? decoded : decode(cleaned)
  }
}

/** Works like {@link decodeForeign}, for a Schema whose decoding needs services. */
export const decodeForeignEffect = <S extends Schema.Constraint>(schema: S, defaults?: SchemaAST.ParseOptions) => {
  const decode = Schema.decodeUnknownEffect(schema, defaults)
  const clean = removeAbsentNulls(schema)
  return (
    value: unknown,
    options?: SchemaAST.ParseOptions
  ): Effect.Effect<S["Type"], Schema.SchemaError, S["DecodingServices"]> => {
    const decoded = decode(value, options)
    return holdsNull(value)
      ? Effect.catch(
        decoded,
        (error) =>
          Effect.flatMap(clean(value), (cleaned) => cleaned === value ? Effect.fail(error) : decode(cleaned, options))
      )
      : decoded
  }
}

/** Returns a function that removes the nulls that {@link decodeForeign} counts as absent, and decodes nothing. */
export const removeAbsentNulls = <S extends Schema.Constraint>(schema: S) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (value: unknown): Effect.Effect<unknown, never, S["DecodingServices"]> =>
    holdsNull(value)
      ? Effect.match(decode(value, allErrors), {
        onFailure: ({ issue }) => withoutNulls(value, issue),
        onSuccess: () => value
      })
      : Effect.succeed(value)
}

/**
 * Returns whether any member holds null. Long answers without one are not decoded again. Neither is a value of more than
 * `maxMembers` members: reporting all of its problems would take seconds, and only hostile senders write it.
 */
const holdsNull = (value: unknown): boolean => {
  let members = 0
  const visit = (outer: unknown, left: number): boolean => {
    if (typeof outer !== "object" || outer === null || left === 0 || members > maxMembers) return false
    const inner: ReadonlyArray<unknown> = Array.isArray(outer) ? outer : Object.values(outer)
    members += inner.length
    return members <= maxMembers && inner.filter((member) => member === null || visit(member, left - 1)).length > 0
  }
  return visit(value, maxDepth) && members <= maxMembers
}

const maxMembers = 20_000

/** The members that an issue points to, by name: one tree for all of its paths. */
interface Members extends Map<PropertyKey, Members> {}

/** Returns a copy of the value without the null members that an issue points to, or the value itself if it has none. */
const withoutNulls = (value: unknown, issue: SchemaIssue.Issue): unknown => {
  const members: Members = new Map()
  collect(issue, members)
  return without(value, members)
}

const collect = (issue: SchemaIssue.Issue, members: Members): void => {
  switch (issue._tag) {
    case "Pointer": {
      let inner = members
      for (const key of issue.path) {
        const known = inner.get(key) ?? new Map<PropertyKey, Members>()
        inner.set(key, known)
        inner = known
      }
      return collect(issue.issue, inner)
    }
    case "Composite":
    case "AnyOf":
      for (const inner of issue.issues) collect(inner, members)
      return
    case "Filter":
    case "Encoding":
      return collect(issue.issue, members)
    case "MissingKey":
    case "UnexpectedKey":
    case "InvalidType":
    case "InvalidValue":
    case "Forbidden":
    case "OneOf":
  }
}

const without = (value: unknown, members: Members): unknown => {
  if (typeof value !== "object" || value === null || members.size === 0) return value
  const isArray = Array.isArray(value)
  const copy: Array<unknown> | Record<PropertyKey, unknown> = isArray ? [...value] : { ...value }
  let isChanged = false
  for (const [key, inner] of members) {
    const member: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
    if (member === null && !isArray) isChanged = Reflect.deleteProperty(copy, key)
    else {
      const cleaned = without(member, inner)
      if (cleaned !== member) isChanged = Reflect.set(copy, key, cleaned)
    }
  }
  return isChanged ? copy : value
}
