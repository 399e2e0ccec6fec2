/**
 * A conversation with a scripted model, written once and run on every source: in memory, over stdio with the official
 * client, and with OpenAI's API.
 */
import type { Content, ProviderSampler, Sampler, SamplingRequest } from "@effect-sampling/core"
import { assert } from "@effect/vitest"
import { Effect } from "effect"

type Request = SamplingRequest.SamplingRequest

/** A scripted model. `index` counts the requests from 0. */
export type Model = (request: Request, index: number) => ProviderSampler.Reply

/** The success or failure of a run, as JSON, because the run may be in another process. */
export interface Report<A> {
  readonly ok?: A
  readonly failed?: { readonly _tag: string; readonly message: string } & Readonly<Record<string, unknown>>
}

export interface Outcome<A> {
  readonly report: Report<A>
  /** The requests that the model received, in order. */
  readonly requests: ReadonlyArray<Request>
}

export interface Scenario {
  readonly title: string
  /** Whether the scenario sends tools. If so, a source without tools must refuse it. */
  readonly needsTools: boolean
  readonly model: Model
  readonly run: Effect.Effect<Report<unknown>, never, Sampler.Sampler>
  readonly check: (outcome: Outcome<unknown>) => void
}

export const scenario = <A, E extends { readonly _tag: string; readonly message: string }>(title: string, options: {
  readonly needsTools: boolean
  readonly model: Model
  /** Its success must survive JSON. */
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
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `run` and `check` belong to one scenario, and the result of `run` survives JSON
  check: (outcome) => options.check(outcome as Outcome<A>)
})

export const json = <A>(value: A): A => JSON.parse(JSON.stringify(value))

/** Returns the success of a run, and fails the test if the run failed. */
export const ok = <A>({ report }: Outcome<A>): A => {
  assert.isUndefined(report.failed, JSON.stringify(report.failed))
  return report.ok!
}

/** Returns the failure of a run, and fails the test if the run succeeded. */
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

/** A model that gives the replies in order, and then repeats the last one. */
export const inOrder = (...replies: ReadonlyArray<ProviderSampler.Reply | Model>): Model => (request, index) => {
  const reply = replies[Math.min(index, replies.length - 1)]!
  return typeof reply === "function" ? reply(request, index) : reply
}

/** The results in the last message of a request. */
export const results = (request: Request | undefined): ReadonlyArray<Content.ToolResultContent> =>
  blocksOf(request?.messages.at(-1)).filter((block) => block.type === "tool_result")

/** The text of the first result in the last message of a request. */
export const resultText = (request: Request | undefined): string => textOf(results(request)[0]?.content ?? [])

/** Finds the tool for the final answer by its description, because a user's tool may have a similar name. */
const finalTool = (request: Request): SamplingRequest.ToolDefinition | undefined =>
  request.tools?.find(({ description }) => description?.startsWith("Call this to give your final answer"))

/** The JSON Schema of the object that a request asks for by a tool, a response format or an instruction. */
export const wantedSchema = (request: Request): Readonly<Record<string, unknown>> => {
  const inPrompt = request.systemPrompt?.split("It must fit this JSON Schema:\n")[1]
  const schema = finalTool(request)?.inputSchema ?? request.responseFormat?.schema ??
    (inPrompt === undefined ? undefined : JSON.parse(inPrompt))
  assert.isDefined(schema, "the request does not ask for an object")
  return schema
}

/** A model that returns the value in the requested way: by the final tool, or as text. */
export const gives =
  (value: unknown, ...siblings: ReadonlyArray<Content.ToolUseContent>): Model => (request, index) => {
    const schema = wantedSchema(request)
    const wraps = schema["additionalProperties"] === false && JSON.stringify(schema["required"]) === `["value"]` &&
      Object.keys(Object(schema["properties"])).length === 1
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the root of the requested schema is an object
    const input = (wraps ? { value } : value) as Record<string, unknown>
    const tool = finalTool(request)
    return tool === undefined
      ? { content: JSON.stringify(input), stopReason: "endTurn" }
      : calls(...siblings, call(`final-${index}`, tool.name, input))
  }
