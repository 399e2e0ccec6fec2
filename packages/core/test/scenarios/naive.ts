/**
 * The design that the weaknesses are of, as small as it can be: what a scenario about a weakness is worth shows here,
 * where it must fail.
 */
import { Sampler, SamplingError, type SamplingMessage, type SamplingRequest, ToolDispatch } from "@effect-sampling/core"
import { Effect, Layer, Schema } from "effect"
import { Tool, type Toolkit } from "effect/ai"
import { inputSchema } from "../../src/internal/jsonSchema.ts"
import type { Scenario } from "./Scenario.ts"
import { blocksOf, json, textOf } from "./Scenario.ts"

type Request = SamplingRequest.SamplingRequest
type Messages = ReadonlyArray<SamplingMessage.SamplingMessage>

interface Options {
  readonly toolkit?: Toolkit.Toolkit<Record<string, Tool.Any>>
  readonly toolChoice?: string
}

/** Asks, and decides by the stop reason alone. */
const turn = (
  ask: (request: Request) => { readonly content: unknown; readonly stopReason?: string },
  messages: Messages,
  options: Options,
  final: Record<string, unknown> | undefined
) =>
  Effect.gen(function*() {
    const tools = Object.values(options.toolkit?.tools ?? {}).map((tool) => ({
      name: tool.name,
      inputSchema: inputSchema(tool)
    }))
    const reply = ask({
      messages,
      maxTokens: 512,
      tools: final === undefined ? tools : [
        ...tools,
        { name: "final_answer", description: "Call this to give your final answer", inputSchema: final }
      ],
      ...(final !== undefined && { toolChoice: { mode: "required" as const } }),
      ...(options.toolChoice !== undefined && { toolChoice: { mode: "required" as const } })
    })
    const content = typeof reply.content === "string" ? [{ type: "text" as const, text: reply.content }] : reply.content
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the scripted models give content blocks
    const blocks = blocksOf({ role: "assistant", content: content as Messages[number]["content"] })
    const history: Messages = [...messages, { role: "assistant", content: blocks }]
    const isToolUse = reply.stopReason === "toolUse"
    const calls = isToolUse ? blocks.filter((block) => block.type === "tool_use") : []
    const dispatch = options.toolkit === undefined ? undefined : yield* ToolDispatch.make(options.toolkit)
    const results = []
    for (const call of calls) {
      const value = call.name === "final_answer" || dispatch === undefined
        ? call.input
        : yield* Effect.map(
          dispatch.call(call.name, call.input),
          ({ result }) => result
        ).pipe(Effect.catchCause((cause) => Effect.succeed(`Error executing tool: ${String(cause)}`)))
      results.push({
        type: "tool_result" as const,
        toolUseId: call.id,
        content: [{ type: "text" as const, text: String(value) }]
      })
    }
    const first = blocks.find((block) => block.type === "text")
    return {
      isToolUse,
      calls,
      text: first === undefined ? "" : textOf([first]),
      history: results.length === 0 ? history : [...history, { role: "user" as const, content: results }]
    }
  })

const nested = (schema: Schema.Constraint): Record<string, unknown> => {
  const given = Tool.getJsonSchemaFromSchema(schema)
  return given["type"] === "object"
    ? given
    : { type: "object", properties: { value: given }, required: ["value"], additionalProperties: false }
}

const naive = (ask: Parameters<typeof turn>[0]) => ({
  sample: Effect.fnUntraced(function*(prompt: unknown, options: Options = {}) {
    let messages: Messages = typeof prompt === "string"
      ? [{ role: "user", content: { type: "text", text: prompt } }]
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing is checked
      : prompt as Messages
    for (let index = 1; index <= 30; index++) {
      const done = yield* turn(ask, messages, options, undefined)
      messages = done.history
      if (!done.isToolUse) return { text: done.text, history: messages, turns: index }
    }
    return yield* new SamplingError.InvalidResponse({ message: "Sampling exceeded maximum iterations" })
  }),
  sampleObject: Effect.fnUntraced(function*(schema: Schema.Codec<unknown>, prompt: string, options: Options = {}) {
    let messages: Messages = [{ role: "user", content: { type: "text", text: prompt } }]
    let consecutive = 0
    for (let index = 1; index <= 30 && consecutive < 3; index++) {
      const done = yield* turn(ask, messages, options, nested(schema))
      messages = done.history
      const final = done.calls.find((call) => call.name === "final_answer")
      if (final === undefined) {
        consecutive = 0
        continue
      }
      const input = "value" in final.input ? final.input["value"] : final.input
      const decoded = yield* Effect.exit(Schema.decodeUnknownEffect(schema)(input))
      if (decoded._tag === "Success") return { value: decoded.value, history: messages, turns: index }
      consecutive++
      messages = [...messages, {
        role: "user",
        content: [{
          type: "tool_result",
          toolUseId: final.id,
          isError: true,
          content: [{ type: "text", text: "Validation error. Please try again with valid data." }]
        }]
      }]
    }
    return yield* new SamplingError.InvalidResponse({ message: "Structured output validation failed" })
  })
})

/** Holds a scenario on the naive design. */
export const runNaive = (scenario: Scenario) =>
  Effect.suspend(() => {
    const requests: Array<Request> = []
    const methods = naive((request) => {
      const reply = scenario.model(request, requests.push(json(request)) - 1)
      return typeof reply === "string"
        ? { content: reply, stopReason: "endTurn" }
        : { content: reply.content, ...(reply.stopReason !== undefined && { stopReason: reply.stopReason }) }
    })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the methods that the scenarios call
    const sampler = { ...methods, step: methods.sample } as unknown as Sampler.Sampler["Service"]
    return Effect.map(
      Effect.provide(scenario.run, Layer.succeed(Sampler.Sampler, sampler), { local: true }),
      (report) => ({ report, requests })
    )
  })
