/**
 * The forms of elicitation: a flat object of primitives and choices, in the few keywords of JSON Schema that MCP has for
 * them. A form has texts as its choices, so other literals travel as their texts.
 *
 * Source: MCP 2025-11-25, elicitation, "Requested Schema"; `schema.ts`, `PrimitiveSchemaDefinition`.
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { definitionOf, isRecord, jsonSchemaOf } from "./jsonSchema.ts"
import type { JsonSchema } from "./jsonSchema.ts"
import { textChecks } from "./textChecks.ts"

/** A schema as a form for the user. */
export interface Form {
  readonly requestedSchema: JsonSchema
  /** Converts what the user entered to the JSON form of the schema. */
  readonly toJson: (content: Readonly<Record<string, unknown>>) => JsonSchema
}

/** Builds the form for a client, or fails with the name of the field that a form cannot have, and the reason. */
export const makeForm = (
  schema: Schema.Constraint,
  protocolVersion: string | undefined
): Result.Result<Form, string> =>
  Result.gen(function*() {
    const json = yield* Result.try({ try: () => jsonSchemaOf(schema), catch: () => "schema: It has no JSON form" })
    const { properties, required } = json
    if (json["type"] !== "object" || !isRecord(properties)) {
      return yield* Result.fail(
        "schema: Expected an object: a Schema.Struct, or an object schema such as z.object({ … })"
      )
    }
    const isOld = protocolVersion !== undefined && protocolVersion < titlesSince
    const checks = textChecks(schema)
    const fields = new Map<string, Field>()
    for (const [name, property] of Object.entries(properties)) {
      const field = toField(resolve(property, json))
      if (field === undefined) return yield* Result.fail(`schema.${name}: ${expected}`)
      if (isOld && field.isList) {
        return yield* Result.fail(
          `schema.${name}: A form of MCP ${protocolVersion} cannot take several choices; one of ${titlesSince} can`
        )
      }
      const isText = field.choices === undefined && field.keywords["type"] === "string"
      fields.set(name, isText ? { ...field, keywords: { ...field.keywords, ...checks.get(name) } } : field)
    }
    return toForm(fields, Array.isArray(required) ? required : [], isOld)
  })

const expected = "Expected a string, a number, a boolean, literals, or an array of literals"

/** The first revision whose choices have titles of their own, and whose fields take several choices. */
const titlesSince = "2025-11-25"

/** A choice, or the text that stands for it: forms know no other literals than texts. */
interface Choice {
  readonly value: unknown
  readonly text: string
  readonly title: string | undefined
}

interface Field {
  readonly keywords: JsonSchema
  readonly choices?: ReadonlyArray<Choice>
  readonly isList?: boolean
  readonly isNullable?: boolean
}

const toForm = (fields: ReadonlyMap<string, Field>, required: ReadonlyArray<unknown>, isOld: boolean): Form => {
  const names = [...fields.keys()]
  const isNull = (name: string) => required.includes(name) && fields.get(name)?.isNullable === true
  const needed = names.filter((name) => required.includes(name) && !isNull(name))
  return {
    requestedSchema: {
      type: "object",
      properties: Object.fromEntries(
        Array.from(
          fields,
          (
            [name, field]
          ) => [name, field.choices === undefined ? field.keywords : toChoice(field, field.choices, isOld)]
        )
      ),
      ...(needed.length > 0 && { required: needed })
    },
    toJson: (content) =>
      Object.fromEntries([
        // A form cannot ask for null, so a field that takes it may be left out.
        ...names.filter((name) => isNull(name) && content[name] === undefined).map((name) => [name, null] as const),
        ...Object.entries(content).map(([name, value]) => [name, valueOf(fields.get(name), value)] as const)
          .filter(([, value]) => value !== undefined)
      ])
  }
}

const valueOf = (field: Field | undefined, value: unknown): unknown =>
  Array.isArray(value)
    ? value.map((item) => valueOf(field, item))
    : field?.choices?.find(({ text }) => text === value)?.value ?? value

const toChoice = ({ isList, keywords }: Field, choices: ReadonlyArray<Choice>, isOld: boolean): JsonSchema => {
  const texts = choices.map(({ text }) => text)
  const hasTitles = choices.some(({ title }) => title !== undefined)
  const titled = choices.map(({ text, title = text }) => ({ const: text, title }))
  if (isList === true) {
    return { type: "array", ...keywords, items: hasTitles ? { anyOf: titled } : { type: "string", enum: texts } }
  }
  const oneOf = isOld ? { enum: texts, enumNames: titled.map(({ title }) => title) } : { oneOf: titled }
  return { type: "string", ...keywords, ...(hasTitles ? oneOf : { enum: texts }) }
}

/** Returns the field for a property, or undefined if a form cannot have it. */
const toField = (property: JsonSchema): Field | undefined => {
  const { type } = property
  const members = membersOf(property)
  if (members !== undefined) return toUnion(property, members)
  const choices = choicesOf(property)
  if (choices !== undefined) return withChoices(property, choices)
  if (Array.isArray(type)) return toUnion(property, type.map((type) => ({ ...property, type })))
  switch (type) {
    case "array":
      return toList(property)
    case "string":
      return { keywords: { type, ...described(property), ...texts(property) } }
    case "number":
    case "integer":
      return { keywords: { type, ...described(property), ...numbers(property, type) } }
    case "boolean":
      return { keywords: { type, ...described(property), ...defaultOf(property, "boolean") } }
    default:
      return undefined
  }
}

const toUnion = (property: JsonSchema, members: ReadonlyArray<JsonSchema>): Field | undefined => {
  const values = members.filter(({ type }) => type !== "null")
  const isNullable = values.length < members.length
  const plain = values.filter((member) => !isNonFinite(member))
  const [only] = plain
  const field = only !== undefined && plain.length === 1
    ? toField({ ...only, ...annotationsOf(property) })
    : withChoices(property, collect(values))
  return field === undefined ? undefined : { ...field, ...(isNullable && { isNullable }) }
}

/** The numbers that JSON does not have, as the JSON Schema of `Schema.Number` lists them. No form needs them. */
const isNonFinite = ({ enum: texts }: JsonSchema): boolean =>
  Array.isArray(texts) && texts.every((text) => text === "Infinity" || text === "-Infinity" || text === "NaN")

const toList = (property: JsonSchema): Field | undefined => {
  const { items, maxItems, minItems, prefixItems = [] } = property
  // The first item of a non-empty array has the schema of the others.
  const isUniform = Array.isArray(prefixItems) &&
    prefixItems.every((item) => JSON.stringify(item) === JSON.stringify(items))
  const choices = isRecord(items) && isUniform ? collect(membersOf(items) ?? [items]) : undefined
  const field = withChoices({ ...property, default: undefined }, choices)
  if (field?.choices === undefined) return undefined
  const texts = Array.isArray(property["default"])
    ? property["default"].map((value) => textOf(field.choices ?? [], value))
    : [undefined]
  return {
    choices: field.choices,
    isList: true,
    keywords: {
      ...field.keywords,
      ...(typeof minItems === "number" && { minItems }),
      ...(typeof maxItems === "number" && { maxItems }),
      ...(texts.every((text) => text !== undefined) && { default: texts })
    }
  }
}

/** Returns the field for a choice. Choices that have the same text cannot be told apart. */
const withChoices = (property: JsonSchema, choices: ReadonlyArray<Choice> | undefined): Field | undefined => {
  if (choices === undefined || new Set(choices.map(({ text }) => text)).size < choices.length) return undefined
  const text = textOf(choices, property["default"])
  return { choices, keywords: { ...described(property), ...(text !== undefined && { default: text }) } }
}

const textOf = (choices: ReadonlyArray<Choice>, value: unknown): string | undefined =>
  choices.find((choice) => choice.value === value)?.text

const collect = (members: ReadonlyArray<JsonSchema>): ReadonlyArray<Choice> | undefined => {
  const all = members.map(choicesOf)
  return all.length > 0 && all.every((choices) => choices !== undefined) ? all.flat() : undefined
}

const choicesOf = (schema: JsonSchema): ReadonlyArray<Choice> | undefined => {
  const values: unknown = "const" in schema ? [schema["const"]] : schema["enum"]
  if (!Array.isArray(values) || !values.every(isPrimitive)) return undefined
  const names: unknown = schema["enumNames"]
  return values.map((value, index) => {
    // A title beside several values is that of the field.
    const title: unknown = Array.isArray(names) ? names[index] : values.length === 1 ? schema["title"] : undefined
    return { value, text: String(value), title: typeof title === "string" ? title : undefined }
  })
}

const isPrimitive = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"

const membersOf = ({ anyOf, oneOf }: JsonSchema): ReadonlyArray<JsonSchema> | undefined => {
  const members: unknown = anyOf ?? oneOf
  return Array.isArray(members) && members.every(isRecord) ? members : undefined
}

const texts = (property: JsonSchema): JsonSchema => {
  const { format, pattern } = property
  return {
    ...pick(property, ["minLength", "maxLength"], "number"),
    ...(typeof pattern === "string" && { pattern }),
    ...(typeof format === "string" && formats.has(format) && { format }),
    ...defaultOf(property, "string")
  }
}

const formats: ReadonlySet<string> = new Set(["email", "uri", "date", "date-time"])

const numbers = (property: JsonSchema, type: "number" | "integer"): JsonSchema => {
  const { exclusiveMaximum, exclusiveMinimum } = property
  return {
    // Whole numbers above 0 are those from 1 on. A form has no words for the other limits that exclude their number.
    ...(type === "integer" && typeof exclusiveMinimum === "number" && { minimum: Math.floor(exclusiveMinimum) + 1 }),
    ...(type === "integer" && typeof exclusiveMaximum === "number" && { maximum: Math.ceil(exclusiveMaximum) - 1 }),
    ...pick(property, ["minimum", "maximum"], "number"),
    ...defaultOf(property, "number")
  }
}

/** The title and the description, which also says what the form has no keyword for. The answer is checked for it. */
const described = (property: JsonSchema): JsonSchema => {
  const { description, exclusiveMaximum, exclusiveMinimum, format, multipleOf, type } = property
  const isNumber = type === "number"
  const conditions = [
    isNumber && typeof exclusiveMinimum === "number" ? `more than ${exclusiveMinimum}` : "",
    isNumber && typeof exclusiveMaximum === "number" ? `less than ${exclusiveMaximum}` : "",
    typeof multipleOf === "number" ? `a multiple of ${multipleOf}` : "",
    typeof format === "string" && !formats.has(format) ? `format ${format}` : ""
  ].filter((condition) => condition !== "")
  const said = typeof description === "string" ? description : ""
  const text = conditions.length === 0 ? said : `${said} (${conditions.join(", ")})`.trimStart()
  return { ...pick(property, ["title"], "string"), ...(text !== "" && { description: text }) }
}

const annotationsOf = (property: JsonSchema): JsonSchema => ({
  ...pick(property, ["title", "description"], "string"),
  ...("default" in property && { default: property["default"] })
})

const defaultOf = (property: JsonSchema, type: string): JsonSchema => pick(property, ["default"], type)

const pick = (property: JsonSchema, keywords: ReadonlyArray<string>, type: string): JsonSchema =>
  Object.fromEntries(
    keywords.filter((keyword) => typeof property[keyword] === type && !isSafeBound(property[keyword]))
      .map((keyword) => [keyword, property[keyword]])
  )

/** The limits of safe integers come from the number type, not from the author, so a form should not show them. */
const isSafeBound = (value: unknown): boolean =>
  typeof value === "number" && Math.abs(value) === Number.MAX_SAFE_INTEGER

/** Replaces references, and joins what stands under `allOf`, at every level of a form. */
const resolve = (schema: unknown, root: JsonSchema, left = 8): JsonSchema => {
  if (!isRecord(schema) || left === 0) return {}
  const inner = (value: unknown): unknown =>
    Array.isArray(value) ? value.map((item) => resolve(item, root, left - 1)) : resolve(value, root, left - 1)
  const { $ref, allOf, ...rest } = schema
  const parts = [
    typeof $ref === "string" ? definitionOf(root, $ref) : undefined,
    ...(Array.isArray(allOf) ? allOf : [])
  ]
  const joined: JsonSchema = Object.assign({}, ...parts.map((part) => resolve(part, root, left - 1)), rest)
  return Object.fromEntries(
    Object.entries(joined).map(([keyword, value]) => [keyword, nested.has(keyword) ? inner(value) : value])
  )
}

const nested: ReadonlySet<string> = new Set(["anyOf", "oneOf", "items", "prefixItems"])
