import * as SchemaIssue from "effect/SchemaIssue"
import { truncate } from "./quote.ts"

const toIssues = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * At most this many problems are shown, each with at most `maxLength` characters: the input may be hostile and large.
 */
const maxIssues = 8
const maxLength = 200

/**
 * Formats an issue as `messages[0].content.text: Expected string; maxTokens: Missing key`, without the rejected values.
 */
export const formatIssue = (issue: SchemaIssue.Issue): string => {
  const { issues } = toIssues(issue)
  const lines = issues.slice(0, maxIssues).map(({ message, path }) => {
    const place = formatPath(path ?? [])
    return truncate(place === "" ? message : `${place}: ${message}`, maxLength)
  })
  if (issues.length > maxIssues) lines.push(`and ${issues.length - maxIssues} more`)
  return lines.join("; ")
}

const formatPath = (path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>): string => {
  let out = ""
  for (const segment of path) {
    const key = typeof segment === "object" ? segment.key : segment
    out += typeof key === "number" || /^\d+$/.test(String(key))
      ? `[${String(key)}]`
      : out === ""
      ? String(key)
      : `.${String(key)}`
  }
  return out
}
