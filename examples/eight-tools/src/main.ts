/**
 * Calls the eight tools in four situations, on real processes, and prints who answered and why. Exits with 1 when an
 * outcome is not the expected one.
 */
import { Content, type Sampler, TestSampler } from "@effect-sampling/core"
import { OpenAiSampler } from "@effect-sampling/openai"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import type { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { Config, Console, Effect, type Layer, Option, Queue, Redacted, Schema } from "effect"
import { calls } from "./calls.ts"
import { connect } from "./connect.ts"
import { scriptedReply } from "./model.ts"
import { Report, reportPrefix } from "./report.ts"

interface Situation {
  readonly title: string
  readonly transport: "stdio" | "http"
  readonly canSample: boolean
  readonly environment: Record<string, string>
  /** The kind of source that must answer and the reason, or the text that the error must match. */
  readonly expect: { readonly source: "client" | "provider"; readonly because: string } | { readonly error: RegExp }
}

const situations: ReadonlyArray<Situation> = [
  {
    title: "A client that can sample: its model answers",
    transport: "stdio",
    canSample: true,
    environment: { SAMPLING_BEHAVIOR: "fallback", SAMPLING_PROVIDER: "openai" },
    expect: { source: "client", because: "it comes first" }
  },
  {
    title: "A client that cannot sample, with a fallback: the provider answers",
    transport: "http",
    canSample: false,
    environment: { SAMPLING_BEHAVIOR: "fallback", SAMPLING_PROVIDER: "openai" },
    expect: { source: "provider", because: "the client has no sampling" }
  },
  {
    title: "Always the provider: the client could sample, but is not asked",
    transport: "stdio",
    canSample: true,
    environment: { SAMPLING_BEHAVIOR: "always", SAMPLING_PROVIDER: "openai" },
    expect: { source: "provider", because: "it comes first" }
  },
  {
    title: "A client that cannot sample, and no provider: a clear error",
    transport: "http",
    canSample: false,
    environment: { SAMPLING_BEHAVIOR: "client" },
    expect: { error: /did not declare the capability "sampling"/ }
  }
]

class Unexpected extends Schema.TaggedError<Unexpected>("eight-tools/Unexpected")("Unexpected", {
  message: Schema.String
}) {}

const decodeReport = Schema.decodeUnknownEffect(Schema.fromJsonString(Report))

/** The server's report on the completion of the call that just ended. */
const nextReport = (lines: Queue.Queue<string>) =>
  Queue.take(lines).pipe(
    Effect.repeat({ until: (line) => line.startsWith(reportPrefix) }),
    Effect.flatMap((line) => decodeReport(line.slice(reportPrefix.length))),
    Effect.timeout("10 seconds")
  )

const callTool = Effect.fnUntraced(function*(client: Client, call: typeof calls[number]) {
  const result = yield* Effect.promise(() => client.callTool(call)).pipe(
    Effect.map((answer) => CallToolResultSchema.parse(answer))
  )
  const text = result.content.map((block) => block.type === "text" ? block.text : `[${block.type}]`).join(" ")
  return { text, isError: result.isError === true }
})

const check = (situation: Situation, tool: string, problem: string | undefined) =>
  problem === undefined
    ? Effect.void
    : Effect.fail(new Unexpected({ message: `${situation.title}: ${tool}: ${problem}` }))

const runSituation = Effect.fnUntraced(
  function*(situation: Situation, index: number, environment: Record<string, string>) {
    const { expect } = situation
    yield* Console.log(`\n${index + 1}. ${situation.title} (${situation.transport})`)
    const { client, lines } = yield* connect({
      ...situation,
      environment: { ...environment, ...situation.environment }
    })
    for (const call of calls) {
      const { isError, text } = yield* callTool(client, call)
      yield* Console.log(`   ${call.name.padEnd(22)} ${oneLine(text)}`)
      if ("error" in expect) {
        yield* check(situation, call.name, isError && expect.error.test(text) ? undefined : `expected ${expect.error}`)
        continue
      }
      yield* check(situation, call.name, isError || text === "" ? "expected an answer" : undefined)
      const report = yield* nextReport(lines)
      yield* Console.log(`${" ".repeat(25)} ← ${report.source}, model ${report.model}: ${report.because}`)
      yield* check(
        situation,
        call.name,
        report.source.startsWith(expect.source) && report.because === expect.because
          ? undefined
          : `expected ${expect.source} (${expect.because})`
      )
    }
  },
  Effect.scoped
)

const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ")
  return line.length > 130 ? `${line.slice(0, 130)}…` : line
}

/** Without a key both models are scripted: the client's, and that of a local server that speaks OpenAI's API. */
const scripted = Effect.gen(function*() {
  const server = yield* OpenAiServer.make({
    apiKey: "local",
    reply: ({ messages }) => {
      const content = messages.at(-1)?.content
      return scriptedReply(typeof content === "string" ? content : "")
    }
  })
  yield* Console.log(`No OPENAI_API_KEY: the models are scripted. The provider is ${server.url}`)
  const model: Layer.Layer<Sampler.Sampler> = TestSampler.fromFunction((request) =>
    Effect.succeed({
      content: scriptedReply(Content.text(request.messages.at(-1)!.content)),
      model: "scripted-model",
      stopReason: "endTurn"
    })
  )
  return {
    model,
    environment: { OPENAI_API_KEY: "local", OPENAI_BASE_URL: server.url, OPENAI_MODEL: "scripted-model" }
  }
})

/** With a key both the client's model and the provider are real. */
const real = Effect.fnUntraced(function*(apiKey: Redacted.Redacted) {
  yield* Console.log("OPENAI_API_KEY is set: the models are real")
  const settings = yield* Config.all({
    OPENAI_BASE_URL: Config.option(Config.String("OPENAI_BASE_URL")),
    OPENAI_MODEL: Config.option(Config.String("OPENAI_MODEL"))
  })
  const environment: Record<string, string> = { OPENAI_API_KEY: Redacted.value(apiKey) }
  for (const [name, value] of Object.entries(settings)) if (Option.isSome(value)) environment[name] = value.value
  const model: Layer.Layer<Sampler.Sampler, Config.ConfigError> = OpenAiSampler.layerConfig()
  return { model, environment }
})

const main = Effect.gen(function*() {
  const key = yield* Config.option(Config.Redacted("OPENAI_API_KEY"))
  const { environment, model } = yield* Option.isSome(key) ? real(key.value) : scripted
  for (const [index, situation] of situations.entries()) {
    yield* runSituation(situation, index, environment).pipe(Effect.provide(model))
  }
  yield* Console.log(`\nAll ${situations.length * calls.length} calls ended as expected.`)
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

NodeRuntime.runMain(main)
