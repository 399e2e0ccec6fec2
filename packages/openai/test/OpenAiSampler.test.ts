import { ClientSampler, Sampler, SamplingMessage, TestSampler } from "@effect-sampling/core"
import { OpenAiSampler } from "@effect-sampling/openai"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Fiber, Layer, Redacted } from "effect"
import { inspect } from "node:util"
import { createMessage, key, lastBody, setup } from "./support.ts"

describe("OpenAiSampler", () => {
  it.live("a reply carries the text, source, model, stop reason and usage of the server", () =>
    Effect.gen(function*() {
      const reply = yield* Sampler.sample("Hi")
      assert.strictEqual(reply.text, "[scripted model] You said: Hi")
      assert.deepStrictEqual(reply.source, { kind: "provider", name: "openai" })
      assert.strictEqual(reply.model, OpenAiSampler.defaultModel)
      assert.strictEqual(reply.stopReason, "endTurn")
      assert.isAbove(reply.usage?.inputTokens ?? 0, 0)
      assert.isAbove(reply.usage?.outputTokens ?? 0, 0)
    }).pipe(Effect.provide(setup())))

  it.live("the sampler answers in a fallback when the client cannot", () =>
    Effect.gen(function*() {
      const server = yield* OpenAiServer.OpenAiServer
      const layer = Sampler.fallback(
        ClientSampler.layer,
        OpenAiSampler.layer({ apiKey: Redacted.make(key), baseUrl: server.url })
      )
      const reply = yield* Sampler.sample("Hi").pipe(Effect.provide(layer))
      assert.strictEqual(reply.text, "Hello")
      assert.deepStrictEqual(reply.passedOver.map(({ _tag }) => _tag), ["SamplingUnsupported"])
    }).pipe(Effect.provide(OpenAiServer.layer({ apiKey: key, reply: () => "Hello" }))))

  it.live("a fallback continues to the next source when OpenAI does not support the content", () =>
    Effect.gen(function*() {
      const { url } = yield* OpenAiServer.OpenAiServer
      const layer = Sampler.fallback(OpenAiSampler.layer({ baseUrl: url }), TestSampler.scripted(["a song"]))
      const reply = yield* Sampler.sample(
        SamplingMessage.user({ type: "audio", data: "AAAA", mimeType: "audio/ogg" })
      ).pipe(Effect.provide(layer))
      assert.strictEqual(reply.text, "a song")
      assert.propertyVal(reply.passedOver[0], "missing", "content")
    }).pipe(Effect.provide(OpenAiServer.layer())))

  it.live("a configured name appears in the source, and Sampler.always accepts the sampler as a provider", () =>
    Effect.gen(function*() {
      const { url } = yield* OpenAiServer.OpenAiServer
      const layer = Sampler.always(OpenAiSampler.layer({ name: "ollama", baseUrl: url, model: "llama3.2" }))
      const reply = yield* Sampler.sample("Hi").pipe(Effect.provide(layer))
      assert.deepStrictEqual(reply.source, { kind: "provider", name: "ollama" })
      assert.strictEqual(reply.model, "llama3.2")
    }).pipe(Effect.provide(OpenAiServer.layer())))

  it.live("the sampler declares support for tools", () =>
    Effect.gen(function*() {
      const sampler = yield* Sampler.Sampler
      assert.isTrue((yield* sampler.capabilities).tools)
    }).pipe(Effect.provide(setup())))

  it.live("interrupting the fiber aborts the HTTP request", () =>
    Effect.gen(function*() {
      const server = yield* OpenAiServer.OpenAiServer
      const fiber = yield* Effect.forkChild(Sampler.sample("Hi"))
      yield* server.nextRequest
      yield* Fiber.interrupt(fiber)
      yield* server.nextAbort
    }).pipe(Effect.provide(setup(OpenAiServer.hang))))

  it.live("interrupting the fiber aborts an HTTP request whose response body is incomplete", () =>
    Effect.gen(function*() {
      const server = yield* OpenAiServer.OpenAiServer
      const fiber = yield* Effect.forkChild(Sampler.sample("Hi"))
      yield* server.nextRequest
      yield* Fiber.interrupt(fiber)
      yield* server.nextAbort
    }).pipe(Effect.provide(setup(OpenAiServer.raw({ body: `{"choices":`, end: "hang" })))))

  it.live("concurrent requests receive their own replies", () =>
    Effect.gen(function*() {
      const replies = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, index) => index),
        (index) => Sampler.sample(`number ${index}`),
        { concurrency: "unbounded" }
      )
      replies.forEach((reply, index) => assert.strictEqual(reply.text, `[scripted model] You said: number ${index}`))
    }).pipe(Effect.provide(setup())))

  it.live("10 MB of text pass unchanged in a request and in its reply", () =>
    Effect.gen(function*() {
      const text = "0123456789".repeat(1_000_000)
      const reply = yield* Sampler.sample(text)
      assert.strictEqual(reply.text.length, 10_000_000)
      const body = yield* lastBody
      assert.isTrue(JSON.stringify(body["messages"]) === JSON.stringify([{ role: "user", content: text }]))
    }).pipe(Effect.provide(setup("x".repeat(10_000_000)))))

  it.live("a request carries the bearer token and the organization, and no header of the vendor's client", () =>
    Effect.gen(function*() {
      yield* Sampler.sample("Hi")
      const { requests } = yield* OpenAiServer.OpenAiServer
      const headers = (yield* requests)[0]!.headers
      assert.strictEqual(headers.authorization, `Bearer ${key}`)
      assert.strictEqual(headers["openai-organization"], "org-1")
      assert.deepStrictEqual(Object.keys(headers).filter((name) => name.startsWith("x-")), [])
    }).pipe(Effect.provide(setup({}, { organization: "org-1" }))))

  it.live("a request without a key has no authorization header", () =>
    Effect.gen(function*() {
      const server = yield* OpenAiServer.OpenAiServer
      yield* Sampler.sample("Hi").pipe(Effect.provide(OpenAiSampler.layer({ baseUrl: `${server.url}/` })))
      assert.isUndefined((yield* server.requests)[0]!.headers.authorization)
    }).pipe(Effect.provide(OpenAiServer.layer())))

  it.live("the query of the base URL is kept, and its fragment is dropped", () =>
    Effect.gen(function*() {
      const server = yield* OpenAiServer.OpenAiServer
      const layer = OpenAiSampler.layer({ baseUrl: new URL(`${server.url}/?api-version=1#top`), maxRetries: 0 })
      yield* Effect.flip(Sampler.sample("Hi").pipe(Effect.provide(layer)))
      assert.deepStrictEqual((yield* server.requests).map(({ path }) => path), ["/v1/chat/completions?api-version=1"])
    }).pipe(Effect.provide(OpenAiServer.layer())))

  it.live("a key that ends in a line break is trimmed", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Sampler.sample("Hi")).text, "Hello")
    }).pipe(Effect.provide(setup("Hello", { apiKey: Redacted.make(`${key}\n`) }))))

  it.live("inspecting the service or the Layer does not show the key", () =>
    Effect.gen(function*() {
      const sampler = yield* Sampler.Sampler
      assert.notInclude(inspect(sampler, { depth: 20, showHidden: true }), key)
      assert.notInclude(inspect(OpenAiSampler.layer({ apiKey: Redacted.make(key) }), { depth: 20 }), key)
    }).pipe(Effect.provide(setup())))
})

describe("choosing the model", () => {
  const models = [
    { name: "gpt-large", intelligence: 1, cost: 0.1, speed: 0.2 },
    { name: "gpt-small", intelligence: 0.4, cost: 1, speed: 1 },
    "o-reasoner"
  ]
  const cases = [
    { preferences: {}, model: "gpt-default" },
    { preferences: { hints: [{ name: "claude" }] }, model: "gpt-default" },
    { preferences: { hints: [{ name: "claude" }, { name: "SMALL" }] }, model: "gpt-small" },
    { preferences: { hints: [{ name: "reason" }] }, model: "o-reasoner" },
    { preferences: { hints: [{ name: "default" }, { name: "large" }] }, model: "gpt-default" },
    { preferences: { costPriority: 1 }, model: "gpt-small" },
    { preferences: { intelligencePriority: 1 }, model: "gpt-large" },
    { preferences: { hints: [{ name: "gpt-" }], intelligencePriority: 1 }, model: "gpt-large" },
    { preferences: { intelligencePriority: 0.1, speedPriority: 0.9 }, model: "gpt-small" }
  ]
  for (const { model, preferences } of cases) {
    it.live(`the preferences ${JSON.stringify(preferences)} select the model ${model}`, () =>
      Effect.gen(function*() {
        const response = yield* createMessage({ modelPreferences: preferences })
        assert.strictEqual(response.model, model)
        assert.strictEqual((yield* lastBody)["model"], model)
      }).pipe(Effect.provide(setup({}, { model: "gpt-default", models }))))
  }

  it.live("the reply carries the model that the server reports", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Sampler.sample("Hi")).model, "gpt-4.1-mini-2025-04-14")
    }).pipe(Effect.provide(setup({ content: "Hello", model: "gpt-4.1-mini-2025-04-14" }))))
})

describe("layerConfig", () => {
  const provided = (values: (url: string) => Record<string, string>, options?: OpenAiSampler.ConfigOptions) =>
    Layer.unwrap(Effect.map(OpenAiServer.OpenAiServer, ({ url }) =>
      OpenAiSampler.layerConfig(options).pipe(
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(values(url))))
      ))).pipe(Layer.provideMerge(OpenAiServer.layer({ apiKey: key })))

  it.live("layerConfig reads the key, the base URL, the model and the organization", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Sampler.sample("Hi")).model, "gpt-x")
      const { requests } = yield* OpenAiServer.OpenAiServer
      assert.strictEqual((yield* requests)[0]!.headers["openai-organization"], "org-7")
    }).pipe(Effect.provide(provided((url) => ({
      OPENAI_API_KEY: key,
      OPENAI_BASE_URL: url,
      OPENAI_MODEL: "gpt-x",
      OPENAI_ORG_ID: "org-7"
    })))))

  it.live("layerConfig accepts every option as a Config", () =>
    Effect.gen(function*() {
      const reply = yield* Sampler.sample("Hi", { modelPreferences: "other" })
      assert.strictEqual(reply.model, "the-other-one")
      assert.strictEqual(reply.source.name, "mine")
      assert.strictEqual((yield* lastBody)["max_completion_tokens"], 512)
    }).pipe(Effect.provide(provided((url) => ({ MY_KEY: key, MY_URL: url, MY_RETRIES: "1" }), {
      apiKey: Config.Redacted("MY_KEY"),
      baseUrl: Config.URL("MY_URL"),
      name: Config.succeed("mine"),
      models: Config.succeed(["the-other-one"]),
      maxRetries: Config.Int("MY_RETRIES"),
      maxTokensParameter: Config.succeed("max_completion_tokens" as const)
    }))))

  for (const values of [{}, { OPENAI_API_KEY: "", OPENAI_BASE_URL: "" }]) {
    it.live(`layerConfig names the missing key of OpenAI in the environment ${JSON.stringify(values)}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.scoped(Layer.build(OpenAiSampler.layerConfig())).pipe(
          Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(values))),
          Effect.flip
        )
        assert.strictEqual(error._tag, "ConfigError")
        assert.include(error.message, "OPENAI_API_KEY")
      }))
  }

  it.live("layerConfig needs no key for a server other than OpenAI", () =>
    Effect.gen(function*() {
      const server = yield* OpenAiServer.OpenAiServer
      const layer = OpenAiSampler.layerConfig().pipe(
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ OPENAI_BASE_URL: server.url })))
      )
      assert.include((yield* Sampler.sample("Hi").pipe(Effect.provide(layer))).text, "[scripted model]")
    }).pipe(Effect.provide(OpenAiServer.layer())))
})

describe("the process environment", () => {
  it.live("neither the sampler nor the vendor's client reads the process environment", () =>
    Effect.gen(function*() {
      const environment = {
        OPENAI_API_KEY: "sk-environment",
        OPENAI_ADMIN_KEY: "sk-environment-admin",
        OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
        OPENAI_ORG_ID: "org-environment",
        OPENAI_PROJECT_ID: "proj-environment",
        OPENAI_CUSTOM_HEADERS: "Authorization: Bearer environment\nX-Environment: yes\nUser-Agent: environment",
        OPENAI_LOG: "debug"
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const before = { ...process.env }
          Object.assign(process.env, environment)
          return before
        }),
        (before) =>
          Effect.sync(() => {
            for (const name of Object.keys(environment)) delete process.env[name]
            Object.assign(process.env, before)
          })
      )
      const server = yield* OpenAiServer.OpenAiServer
      yield* Sampler.sample("Hi").pipe(Effect.provide(OpenAiSampler.layer({ baseUrl: server.url })))
      assert.notInclude(inspect((yield* server.requests)[0], { depth: 5 }), "environment")
    }).pipe(Effect.provide(OpenAiServer.layer())))
})
