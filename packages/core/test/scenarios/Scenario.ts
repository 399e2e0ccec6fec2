/**
 * A conversation with a scripted model, written once and held on every source: in memory, over stdio with the official
 * client, and with OpenAI's API.
 */
import type { Content, ProviderSampler, Sampler, SamplingRequest } from "@effect-sampling/core"
import { assert } from "@effect/vitest"
import { Effect } from "effect"

type Request = SamplingRequest.SamplingRequest

/** The scripted model: `index` counts the requests from 0. */
export type Model = (request: Request, index: number) => ProviderSampler.Reply

/** What came of a run, as JSON: it may come from another process. */
export interface Report<A> {
  readonly ok?: A
  readonly failed?: { readonly _tag: string; readonly message: string } & Readonly<Record<string, unknown>>
}

export interface Outcome<A> {
  readonly report: Report<A>
  /** What the model was asked, in order. */
  readonly requests: ReadonlyArray<Request>
}

export interface Scenario {
  readonly title: string
  /** Whether it sends tools: then a source that takes none must refuse it. */
  readonly needsTools: boolean
  readonly model: Model
  readonly run: Effect.Effect<Report<unknown>, never, Sampler.Sampler>
  readonly check: (outcome: Outcome<unknown>) => void
}

export const scenario = <A, E extends { readonly _tag: string; readonly message: string }>(title: string, options: {
  readonly needsTools: boolean
  readonly model: Model
  /** Gives something that JSON can hold. */
  readonly run: Effect.Effect<A, E, Sampler.Sampler>
  readonly check: (outcome: Outcome<A>) => void
}): Scenario => ({
  title,
  needsTools: options.needsTools,
  model: options.model,
  run: Effect.match(options.run, {
    onSuccess: (ok): Report<unknown> => json({ ok }),
    onFailure: (error): Report<unknown> => json({ failed: { ...error, _tag: error._tag, message: error.message } })
  }),
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `run` and `check` are of one scenario, and what `run` gives survives JSON
  check: (outcome) => options.check(outcome as Outcome<A>)
})

export const json = <A>(value: A): A => JSON.parse(JSON.stringify(value))

/** The success of a run. */
export const ok = <A>({ report }: Outcome<A>): A => {
  assert.isUndefined(report.failed, JSON.stringify(report.failed))
  return report.ok!
}

/** The failure of a run. */
export const failed = ({ report }: Outcome<unknown>): NonNullable<Report<unknown>["failed"]> => {
  assert.isDefined(report.failed, JSON.stringify(report))
  return report.failed
}

export const blocksOf = (message: Request["messages"][number] | undefined): ReadonlyArray<Content.Content> => {
  const content = message?.content ?? []
  return "type" in content ? [content] : content
}

export const textOf = (content: ReadonlyArray<{ readonly type: string }>): string =>
  content.map((block) => "text" in block ? String(block.text) : "").join("")

export const call = (id: string, name: string, input: Record<string, unknown> = {}): Content.ToolUseContent => ({
  type: "tool_use",
  id,
  name,
  input
})

/** A reply that calls tools. */
export const calls = (...content: ReadonlyArray<Content.Content>): ProviderSampler.Reply => ({
  content,
  stopReason: "toolUse"
})

/** Answers in order, and with the last one from then on. */
export const inOrder = (...replies: ReadonlyArray<ProviderSampler.Reply | Model>): Model => (request, index) => {
  const reply = replies[Math.min(index, replies.length - 1)]!
  return typeof reply === "function" ? reply(request, index) : reply
}

/** The results in the last message of a request. */
export const results = (request: Request | undefined): ReadonlyArray<Content.ToolResultContent> =>
  blocksOf(request?.messages.at(-1)).filter((block) => block.type === "tool_result")

/** The one result in the last message, as its text. */
export const resultText = (request: Request | undefined): string => textOf(results(request)[0]?.content ?? [])

/** The tool that is there for the final answer. A tool of the user may have a name like it. */
const finalTool = (request: Request): SamplingRequest.ToolDefinition | undefined =>
  request.tools?.find(({ description }) => description?.startsWith("Call this to give your final answer"))

/** The JSON Schema that a request asks an object for, however it does. */
export const wantedSchema = (request: Request): Readonly<Record<string, unknown>> => {
  const inPrompt = request.systemPrompt?.split("It must fit this JSON Schema:\n")[1]
  const schema = finalTool(request)?.inputSchema ?? request.responseFormat?.schema ??
    (inPrompt === undefined ? undefined : JSON.parse(inPrompt))
  assert.isDefined(schema, "the request does not say what object it wants")
  return schema
}

/** A reply that gives the value as it is asked for: by the final tool, or as text. */
export const gives =
  (value: unknown, ...siblings: ReadonlyArray<Content.ToolUseContent>): Model => (request, index) => {
    const schema = wantedSchema(request)
    const wraps = schema["additionalProperties"] === false && JSON.stringify(schema["required"]) === `["value"]` &&
      Object.keys(Object(schema["properties"])).length === 1
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the root of what is asked for is an object
    const input = (wraps ? { value } : value) as Record<string, unknown>
    const tool = finalTool(request)
    return tool === undefined
      ? { content: JSON.stringify(input), stopReason: "endTurn" }
      : calls(...siblings, call(`final-${index}`, tool.name, input))
  }
