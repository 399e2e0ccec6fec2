// The server that every client is driven against: the tool of the README, the tools of the examples `eight-tools` and
// `both-eras`, one tool that asks only the user, and one that asks nobody.
//
// Arguments: the adapter (`mcp-sdk`, `mcp-sdk-v2` or `mcp-effect`), the transport (`stdio` or `http`), and who answers:
// `client`, or `fallback` for the client with a provider behind it. Over HTTP, it prints its address.
import { Client, ClientSampler, ProviderSampler, Sampler } from "@effect-sampling/core"
import { NodeHttpServer, NodeRuntime, NodeStdio } from "@effect/platform-node"
import { Effect, Layer, Logger, Schema } from "effect"
import { McpProtocol, McpServer, Tool } from "effect/ai"
import { HttpRouter, HttpServer } from "effect/http"
import { createServer } from "node:http"
import * as Dinner from "../../examples/both-eras/src/program.ts"
import * as Eight from "../../examples/eight-tools/src/program.ts"

const [adapter, transport, behaviour] = process.argv.slice(2)
const server = { name: "effect-sampling", version: "1.0.0" }

const CountWords = Tool.make("count_words", {
  description: "Counts the words of a text",
  parameters: Schema.Struct({ text: Schema.String }),
  success: Schema.Struct({ words: Schema.Int })
})

const Summarise = Tool.make("summarise", {
  description: "Summarises a text",
  parameters: Schema.Struct({ text: Schema.String }),
  success: Schema.String
})

const AskGuests = Tool.make("ask_guests", {
  description: "Asks the user for the number of guests",
  success: Schema.String
})

/** The features, made by any of the adapters. */
const featuresOf = ({ tool, toolkit }) => [
  tool(CountWords, ({ text }) => Effect.succeed({ words: text.split(/\s+/).length })),
  tool(
    Summarise,
    ({ text }) => Effect.map(Sampler.sample(`Summarise:\n\n${text}`, { maxTokens: 300 }), (reply) => reply.text)
  ),
  tool(AskGuests, () =>
    Effect.map(
      Client.elicit(Schema.Struct({ guests: Schema.Int }), "How many guests do you expect?"),
      ({ guests }) => `${guests} guests`
    )),
  toolkit(Eight.EightTools),
  toolkit(Dinner.Tools)
]

const provider = ProviderSampler.layer({
  name: "house-model",
  createMessage: () => Effect.succeed("positive: by the provider")
})
const sampler = behaviour === "fallback" ? Sampler.fallback(ClientSampler.layer, provider) : ClientSampler.layer
const handlers = Layer.mergeAll(Eight.handlers, Dinner.handlers).pipe(Layer.provideMerge(sampler))

const say = (url) => Effect.sync(() => process.stdout.write(`listening on ${url}\n`))

const onSdk = ({ Feature, StdioServer, StreamableHttpServer }) => {
  const options = { ...server, features: featuresOf(Feature) }
  const serve = transport === "stdio"
    ? StdioServer.serve(options)
    : Effect.andThen(
      Effect.flatMap(StreamableHttpServer.Address, ({ url }) => say(url)),
      Effect.never
    ).pipe(Effect.provide(StreamableHttpServer.layer({ ...options, port: 0 })))
  return Effect.provide(serve, handlers)
}

const onEffect = ({ ClientExit, Feature }) => {
  const options = {
    ...server,
    protocols: [McpProtocol.v2026_07_28, McpProtocol.v2025_11_25, McpProtocol.v2025_06_18, McpProtocol.v2024_11_05],
    registrations: Layer.mergeAll(...featuresOf(Feature)).pipe(Layer.provide(handlers))
  }
  if (transport === "stdio") {
    return Layer.launch(
      McpServer.layerStdio(options).pipe(
        Layer.provide(ClientExit.layer()),
        Layer.provide(NodeStdio.layer)
      )
    )
  }
  const http = HttpRouter.serve(McpServer.layerHttp({ ...options, path: "/mcp" }), { disableListenLog: true }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
  )
  return Effect.flatMap(HttpServer.HttpServer, ({ address }) => say(`${HttpServer.formatAddress(address)}/mcp`)).pipe(
    Effect.andThen(Effect.never),
    Effect.provide(http)
  )
}

// Some clients wait only briefly for a server, so that only the adapter in use is loaded.
const programs = {
  "mcp-sdk": async () => onSdk(await import("@effect-sampling/mcp-sdk")),
  "mcp-sdk-v2": async () => onSdk(await import("@effect-sampling/mcp-sdk-v2")),
  "mcp-effect": async () => onEffect(await import("@effect-sampling/mcp-effect"))
}
const program = await programs[adapter]()

NodeRuntime.runMain(program.pipe(Effect.provideService(Logger.LogToStderr, true)))
