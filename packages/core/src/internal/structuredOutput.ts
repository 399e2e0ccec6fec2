import * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { formatIssue } from "./issues.ts"

/** A schema as a model is asked for it. */
export interface Target<A, R> {
  /** Its root is an object: what is none stands under the key `value`. References resolve from this root. */
  readonly jsonSchema: Readonly<Record<string, unknown>>
  /** Decodes a JSON value, or says what is wrong with it. */
  readonly decode: (json: unknown) => Effect.Effect<A, string, R>
}

export const makeTarget = <S extends Schema.Constraint>(schema: S): Target<S["Type"], S["DecodingServices"]> => {
  const { root, isObject } = objectRoot(Tool.getJsonSchemaFromSchema(schema))
  const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(schema), { errors: "all" })
  return {
    jsonSchema: root,
    decode: (json) => {
      const value = !isObject && isRecord(json) && Object.keys(json).length === 1 && "value" in json
        ? json["value"]
        : json
      return Effect.mapError(decode(value), (error) => formatIssue(error.issue))
    }
  }
}

const objectRoot = (schema: Readonly<Record<string, unknown>>) => {
  const { $defs, $schema: _, ...given } = schema
  const root = resolve(given, $defs)
  const isObject = root["type"] === "object"
  const object = isObject
    ? root
    : { type: "object", properties: { value: given }, required: ["value"], additionalProperties: false }
  return { root: $defs === undefined ? object : { ...object, $defs }, isObject }
}

/** The schema that a root made of nothing but a reference stands for. */
const resolve = (
  schema: Readonly<Record<string, unknown>>,
  definitions: unknown
): Readonly<Record<string, unknown>> => {
  const name = typeof schema["$ref"] === "string" ? /^#\/\$defs\/(.+)$/.exec(schema["$ref"])?.[1] : undefined
  const target = name !== undefined && isRecord(definitions) ? definitions[name] : undefined
  return isRecord(target) ? target : schema
}

/** Decodes the JSON in a text: all of it, a fenced block, or the first value that fits among the prose. */
export const decodeText = <A, R>(target: Target<A, R>, text: string): Effect.Effect<A, string, R> =>
  Effect.suspend(() => {
    const candidates = jsonIn(text)
    if (candidates.length === 0) return Effect.fail("It holds no JSON")
    return Effect.catch(Effect.firstSuccessOf(candidates.map(target.decode)), () => target.decode(candidates[0]))
  })

/** At most this many places of a text are tried: each costs a scan. */
const maxPlaces = 16

export const jsonIn = (text: string): ReadonlyArray<unknown> => {
  const found: Array<unknown> = []
  const tryParse = (candidate: string): boolean => {
    try {
      found.push(JSON.parse(candidate))
      return true
    } catch {
      return false
    }
  }
  if (tryParse(text.trim())) return found
  for (const [, fenced] of text.matchAll(/```[a-zA-Z]*\s*\n?([\s\S]*?)```/g)) tryParse(fenced!.trim())
  let places = 0
  for (let start = text.search(/[[{]/); start !== -1 && places < maxPlaces; places++) {
    const end = endOfValue(text, start)
    const parsed = end !== undefined && tryParse(text.slice(start, end))
    const next = text.slice(parsed ? end : start + 1).search(/[[{]/)
    start = next === -1 ? -1 : (parsed ? end : start + 1) + next
  }
  return found
}

/** Where the object or array that starts at `start` ends, if its brackets match. */
const endOfValue = (text: string, start: number): number | undefined => {
  let depth = 0
  let inString = false
  for (let index = start; index < text.length; index++) {
    const character = text[index]
    if (inString) {
      if (character === "\\") index++
      else if (character === "\"") inString = false
    } else if (character === "\"") inString = true
    else if (character === "{" || character === "[") depth++
    else if ((character === "}" || character === "]") && --depth === 0) return index + 1
  }
  return undefined
}

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)
