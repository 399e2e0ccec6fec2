import type { SamplingRequest } from "@effect-sampling/core"
import { Sampler } from "@effect-sampling/core"
import { OpenAiSampler } from "@effect-sampling/openai"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { Effect, Layer, Redacted } from "effect"

export const key = "sk-test-SECRET-4711"

type Server = OpenAiServer.Options | OpenAiServer.Reply | ReadonlyArray<OpenAiServer.Reply>

/** Provides the scripted server and a sampler that asks it. */
export const setup = (server: Server = {}, options: OpenAiSampler.Options = {}) =>
  Layer.unwrap(
    Effect.map(OpenAiServer.OpenAiServer, ({ url }) =>
      OpenAiSampler.layer({ apiKey: Redacted.make(key), baseUrl: url, maxRetries: 0, ...options }))
  ).pipe(
    Layer.provideMerge(OpenAiServer.layer(toOptions(server)))
  )

const toOptions = (server: Server): OpenAiServer.Options => {
  if (isReplies(server)) return { apiKey: key, reply: OpenAiServer.inOrder(server) }
  return isOptions(server) ? { apiKey: key, ...server } : { apiKey: key, reply: () => server }
}

const isReplies = (server: Server): server is ReadonlyArray<OpenAiServer.Reply> => Array.isArray(server)

const optionNames = new Set([
  "reply",
  "apiKey",
  "maxTokensParameter",
  "responseFormat",
  "otherwise",
  "systemRole",
  "unknownParameters",
  "userAfterTool"
])

const isOptions = (server: OpenAiServer.Options | OpenAiServer.Reply): server is OpenAiServer.Options =>
  typeof server === "object" && Object.keys(server).every((name) => optionNames.has(name))

/** Returns the parsed body of the last request. */
export const lastBody: Effect.Effect<Record<string, unknown>, never, OpenAiServer.OpenAiServer> = Effect.flatMap(
  OpenAiServer.OpenAiServer,
  ({ requests }) => Effect.map(requests, (all) => JSON.parse(all.at(-1)?.body ?? "null"))
)

export const createMessage = (request: Partial<SamplingRequest.SamplingRequest>) =>
  Effect.flatMap(Sampler.Sampler, (sampler) =>
    sampler.createMessage({
      messages: [{ role: "user", content: { type: "text", text: "Hi" } }],
      maxTokens: 100,
      ...request
    }))
