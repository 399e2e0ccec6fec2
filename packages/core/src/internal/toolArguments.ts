import * as Predicate from "effect/Predicate"
import type { ToolUseContent } from "../Content.ts"
import { isRecord } from "./objects/jsonSchema.ts"
import { endOfValue, parseJson } from "./objects/parseJson.ts"
import { argumentsKey } from "./ownMeta.ts"
import { truncate } from "./quote.ts"

/** The name of a call that names no tool. Servers and clients refuse an empty name in the history of a conversation. */
export const unnamed = "unnamed"

type Input = ToolUseContent["input"]

/** A tool call as a model or a client wrote it. */
export interface WrittenCall {
  readonly id?: unknown
  readonly name?: unknown
  readonly arguments?: unknown
}

/**
 * Builds a call from what a model or a client wrote. Arguments that are not an object stay with the call, which then has
 * an empty input: the loop answers such a call with an error, so that the model can correct it.
 */
export const toToolUse = (call: WrittenCall, fallbackId: string): ToolUseContent => {
  const input = toInput(call.arguments)
  return {
    type: "tool_use",
    id: toId(call.id) ?? fallbackId,
    name: typeof call.name === "string" && call.name !== "" ? call.name : unnamed,
    input: input ?? {},
    ...(input === undefined && { _meta: { [argumentsKey]: toText(call.arguments) } })
  }
}

/** Works like {@link toToolUse}, for all calls of one reply. Missing and repeated ids are replaced. */
export const toToolUses = (calls: ReadonlyArray<WrittenCall>): ReadonlyArray<ToolUseContent> => {
  const taken = new Set<string>()
  return calls.map((call, index) => {
    const use = toToolUse(call, "")
    let id = use.id
    for (let number = index; id === "" || taken.has(id); number++) id = `call_${number}`
    taken.add(id)
    return { ...use, id }
  })
}

/** Returns the arguments of a call that are not a JSON object, as they were written, or undefined if they are valid. */
export const invalidArguments = ({ _meta }: ToolUseContent): string | undefined => {
  const text = _meta?.[argumentsKey]
  return typeof text === "string" ? text : undefined
}

/** Says what is wrong with arguments that are not a JSON object, for the model that wrote them. */
export const describeArguments = (text: string): string =>
  `Expected one JSON object, but ${truncate(problemOf(text), 200)}. You wrote: ${truncate(text, 500)}`

const problemOf = (text: string): string => {
  const json = text.trim()
  if (/^[[{]/.test(json) && endOfValue(json, 0) === undefined) return "its brackets do not match, or nest too deep"
  try {
    const value: unknown = JSON.parse(json)
    return `it is ${Array.isArray(value) ? "a list" : `a ${typeof value}`}`
  } catch (error) {
    return `it is not valid JSON (${error instanceof Error ? error.message : String(error)})`
  }
}

const toId = (id: unknown): string | undefined =>
  typeof id === "number" || typeof id === "bigint" ? String(id) : typeof id === "string" && id !== "" ? id : undefined

/**
 * Returns the arguments as an object, or undefined if they are none. Models write nothing, null or an empty list for a
 * tool without parameters, and some encode an object twice.
 */
const toInput = (given: unknown): Input | undefined => {
  if (isRecord(given)) return given
  if (isNothing(given)) return {}
  const once = typeof given === "string" ? parseJson(given)?.value : undefined
  if (isRecord(once)) return once
  if (once !== undefined && isNothing(once)) return {}
  const twice = typeof once === "string" ? parseJson(once)?.value : undefined
  return isRecord(twice) ? twice : undefined
}

const isNothing = (given: unknown): boolean =>
  Predicate.isNullish(given) || (Array.isArray(given) && given.length === 0) ||
  (typeof given === "string" && given.trim() === "")

const toText = (given: unknown): string => typeof given === "string" ? given : JSON.stringify(given) ?? ""
