/**
 * The naive design that has the weaknesses, as small as possible. A scenario about a weakness must fail on it: one that
 * passes shows nothing.
 */
import { Sampler, SamplingError, type SamplingMessage, type SamplingRequest } from "@effect-sampling/core"
import type { Scenario } from "@effect-sampling/scenarios/Scenario"
import { blocksOf, json, textOf } from "@effect-sampling/scenarios/Scenario"
import { toolsOf } from "@effect-sampling/scenarios/toolkit"
import { Effect, Layer, Schema, SchemaAST } from "effect"
import { Tool, type Toolkit } from "effect/ai"
import { inputSchema } from "../../src/internal/objects/jsonSchema.ts"

type Request = SamplingRequest.SamplingRequest
type Messages = ReadonlyArray<SamplingMessage.SamplingMessage>

interface Options {
  readonly toolkit?: Toolkit.Toolkit<Record<string, Tool.Any>>
  readonly toolChoice?: string
}

/**
 * Converts a message for a provider. Results next to text are lost, errors are not flagged, and a result answers the
 * tool that its id seems to name. Ids without "_" are the provider's own, so they are known.
 */
const toProvider = (message: Messages[number]): Messages[number] => {
  const blocks = blocksOf(message)
  const hasText = blocks.some(({ type }) => type === "text")
  return {
    role: message.role,
    content: blocks.flatMap((block): ReadonlyArray<typeof block> => {
      if (block.type !== "tool_result") return [block]
      if (hasText) return []
      const { isError: _, ...result } = block
      return [{ ...result, toolUseId: result.toolUseId.replace(/_[^_]*$/, "") }]
    })
  }
}

/** Calls the handler with the model's arguments unchecked, and without the services of its layer. */
const runTool = (tool: Tool.Any, input: unknown): Effect.Effect<unknown, unknown> =>
  Effect.contextWith((context) => {
    const handler: Tool.Handler<string> | undefined = context.mapUnsafe.get(tool.id)
    return handler === undefined
      ? Effect.die("no handler")
      : handler.handler(input, { toolCallId: undefined, preliminary: () => Effect.void })
  })

/** Takes one turn, and decides by the stop reason alone whether there are calls. */
const turn = (
  ask: (request: Request) => { readonly content: unknown; readonly stopReason?: string },
  messages: Messages,
  options: Options,
  final: Record<string, unknown> | undefined
) =>
  Effect.gen(function*() {
    const given = options.toolkit === undefined ? [] : toolsOf(options.toolkit)
    const tools = given.map((tool) => ({
      name: tool.name,
      inputSchema: inputSchema(tool)
    }))
    const reply = ask({
      messages: messages.map(toProvider),
      maxTokens: 512,
      tools: final === undefined ? tools : [
        ...tools,
        { name: "final_answer", description: "Call this to give your final answer", inputSchema: final }
      ],
      ...(final !== undefined && { toolChoice: { mode: "required" as const } }),
      ...(options.toolChoice !== undefined && { toolChoice: { mode: "required" as const } })
    })
    const content = typeof reply.content === "string" ? [{ type: "text" as const, text: reply.content }] : reply.content
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the scripted models return content blocks
    const blocks = blocksOf({ role: "assistant", content: content as Messages[number]["content"] })
    const history: Messages = [...messages, { role: "assistant", content: blocks }]
    const isToolUse = reply.stopReason === "toolUse"
    const calls = isToolUse ? blocks.filter((block) => block.type === "tool_use") : []
    const results = []
    for (const call of calls) {
      const tool = call.name === "final_answer" ? undefined : given.findLast(({ name }) => name === call.name)
      const outcome = yield* (tool === undefined ? Effect.succeed(call.input) : runTool(tool, call.input)).pipe(
        Effect.map((value) => ({ text: String(value) })),
        Effect.catchCause((cause) => Effect.succeed({ text: `Error executing tool: ${String(cause)}`, isError: true }))
      )
      results.push({
        type: "tool_result" as const,
        toolUseId: call.id,
        content: [{ type: "text" as const, text: outcome.text }],
        ...("isError" in outcome && { isError: true })
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

/** Returns the name of a type: that of a class, or else that of its kind. Throws for a union, which has no name. */
const typeName = ({ ast }: Schema.Constraint): string => {
  if (SchemaAST.isUnion(ast)) throw new TypeError("the type has no name")
  return SchemaAST.resolveIdentifier(ast) ?? ast._tag
}

const naive = (ask: Parameters<typeof turn>[0]) => ({
  sample: Effect.fnUntraced(function*(prompt: unknown, options: Options = {}) {
    let messages: Messages = typeof prompt === "string"
      ? [{ role: "user", content: { type: "text", text: prompt } }]
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the naive design checks nothing
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
    let problem = ""
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
      problem = String(decoded.cause)
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
    return yield* new SamplingError.InvalidResponse({
      message: `Structured output validation failed for type ${typeName(schema)}: ${problem}`
    })
  })
})

/** Runs a scenario on the naive design. */
export const runNaive = (scenario: Scenario) =>
  Effect.suspend(() => {
    const requests: Array<Request> = []
    const methods = naive((request) => {
      const reply = scenario.model(request, requests.push(json(request)) - 1)
      return typeof reply === "string"
        ? { content: reply, stopReason: "endTurn" }
        : { content: reply.content, ...(reply.stopReason !== undefined && { stopReason: reply.stopReason }) }
    })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the scenarios call only these methods
    const sampler = { ...methods, step: methods.sample } as unknown as Sampler.Sampler["Service"]
    return Effect.map(
      Effect.provide(scenario.run, Layer.succeed(Sampler.Sampler, sampler), { local: true }),
      (report) => ({ report, requests })
    )
  })
