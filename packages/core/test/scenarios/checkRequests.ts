/**
 * The rules for requests, written down again and apart from the source code: what breaks them must never leave.
 */
import type { SamplingRequest } from "@effect-sampling/core"
import { blocksOf } from "./Scenario.ts"

/** Every breach of the rules in a request. Source: MCP 2025-11-25, sampling, and `schema.ts`. */
export const breaches = (request: SamplingRequest.SamplingRequest): ReadonlyArray<string> => [
  ...pairing(request),
  ...definitions(request)
]

const pairing = ({ messages }: SamplingRequest.SamplingRequest): ReadonlyArray<string> =>
  messages.flatMap((message, index) => {
    const blocks = blocksOf(message)
    const answered = blocks.flatMap((block) => block.type === "tool_result" ? [block.toolUseId] : [])
    const asked = blocksOf(messages[index - 1]).flatMap((block) => block.type === "tool_use" ? [block.id] : [])
    const own = blocks.flatMap((block) => block.type === "tool_use" ? [block.id] : [])
    const at = (problem: string, holds: boolean) => holds ? [] : [`messages[${index}]: ${problem}`]
    return [
      ...at("has content", blocks.length > 0),
      ...at("results stand alone", answered.length === 0 || answered.length === blocks.length),
      ...at("answers exactly the calls before", sorted(answered) === sorted(asked)),
      ...at("results are the user's", answered.length === 0 || message.role === "user"),
      ...at("calls are the assistant's", own.length === 0 || message.role === "assistant"),
      ...at("ids are unique", new Set(own).size === own.length),
      ...at("calls are answered", own.length === 0 || index + 1 < messages.length)
    ]
  })

const sorted = (ids: ReadonlyArray<string>): string => JSON.stringify(ids.toSorted())

const definitions = ({ toolChoice, tools }: SamplingRequest.SamplingRequest): ReadonlyArray<string> => [
  ...(toolChoice !== undefined && tools === undefined ? ["toolChoice without tools"] : []),
  ...(tools?.length === 0 ? ["no tools in tools"] : []),
  ...(new Set(tools?.map(({ name }) => name)).size === (tools?.length ?? 0) ? [] : ["two tools of one name"]),
  ...(tools ?? []).flatMap(({ inputSchema, name }) =>
    inputSchema["type"] === "object" ? [] : [`the input of ${name} is no object`]
  ),
  ...(tools ?? []).flatMap(({ inputSchema, name }) =>
    danglingRefs(inputSchema).map((ref) => `${name}: ${ref} does not resolve`)
  )
]

/** The references of a JSON Schema that lead nowhere. */
export const danglingRefs = (root: unknown): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return
    if ("$ref" in node && !resolves(root, String(node.$ref))) found.push(String(node.$ref))
    for (const inner of Object.values(node)) visit(inner)
  }
  visit(root)
  return found
}

const resolves = (root: unknown, ref: string): boolean => {
  if (!ref.startsWith("#")) return false
  let node: unknown = root
  for (const token of ref.split("/").slice(1)) {
    const key = decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~")
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, key)) return false
    node = Object.entries(node).find(([name]) => name === key)?.[1]
  }
  return typeof node === "object" && node !== null
}
