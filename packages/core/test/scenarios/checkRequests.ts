/**
 * The rules for requests, written again and independently of the source code. No request that breaks one may be sent.
 */
import type { SamplingRequest } from "@effect-sampling/core"
import { blocksOf } from "./Scenario.ts"

/** Lists every rule that a request breaks. Source: MCP 2025-11-25, sampling, and `schema.ts`. */
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
    const rule = (text: string, holds: boolean) => holds ? [] : [`messages[${index}] breaks a rule: ${text}`]
    return [
      ...rule("a message has content", blocks.length > 0),
      ...rule("results stand alone", answered.length === 0 || answered.length === blocks.length),
      ...rule("a message answers exactly the calls of the message before it", sorted(answered) === sorted(asked)),
      ...rule("only user messages hold results", answered.length === 0 || message.role === "user"),
      ...rule("only assistant messages hold calls", own.length === 0 || message.role === "assistant"),
      ...rule("the ids of calls are unique", new Set(own).size === own.length),
      ...rule("calls are answered", own.length === 0 || index + 1 < messages.length)
    ]
  })

const sorted = (ids: ReadonlyArray<string>): string => JSON.stringify(ids.toSorted())

const definitions = ({ toolChoice, tools }: SamplingRequest.SamplingRequest): ReadonlyArray<string> => [
  ...(toolChoice !== undefined && tools === undefined ? ["toolChoice is set without tools"] : []),
  ...(tools?.length === 0 ? ["tools is empty"] : []),
  ...(new Set(tools?.map(({ name }) => name)).size === (tools?.length ?? 0) ? [] : ["two tools have the same name"]),
  ...(tools ?? []).flatMap(({ inputSchema, name }) =>
    inputSchema["type"] === "object" ? [] : [`the inputSchema of ${name} does not have the type object`]
  ),
  ...(tools ?? []).flatMap(({ inputSchema, name }) =>
    danglingRefs(inputSchema).map((ref) => `the reference ${ref} in the inputSchema of ${name} does not resolve`)
  )
]

/** Lists the references of a JSON Schema that do not resolve. */
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
