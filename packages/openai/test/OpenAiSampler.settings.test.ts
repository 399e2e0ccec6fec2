import { ClientSampler, Sampler, TestSampler } from "@effect-sampling/core"
import * as Advice from "@effect-sampling/core/wire/Advice"
import { OpenAiSampler } from "@effect-sampling/openai"
import { OpenAiServer } from "@effect-sampling/openai-server"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Layer, Redacted } from "effect"
import { inspect } from "node:util"
import { key } from "./support.ts"

type Variables = Readonly<Record<string, string>>

const layerOf = (variables: Variables, options: OpenAiSampler.ConfigOptions = {}) =>
  OpenAiSampler.layerConfig(options).pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(variables)))
  )

const startError = (variables: Variables, options?: OpenAiSampler.ConfigOptions) =>
  Effect.map(Effect.flip(Effect.scoped(Layer.build(layerOf(variables, options)))), (error) => {
    assert.strictEqual(error._tag, "ConfigError")
    assert.notInclude(inspect(error, { depth: 10 }), key)
    return error.message
  })

const callError = (variables: Variables, options?: OpenAiSampler.ConfigOptions) =>
  Effect.map(
    Effect.flip(
      Sampler.sample("Hi").pipe(Effect.provide(layerOf(variables, { maxRetries: Config.succeed(0), ...options })))
    ),
    (error) => error._tag === "ProviderError" ? error : assert.fail(error.message)
  )

const advice = (error: unknown): string => Advice.of(error) ?? ""

describe("a missing key", () => {
  const mistral = { apiKey: Config.Redacted("MISTRAL_API_KEY"), baseUrl: Config.succeed("https://api.mistral.ai/v1") }
  const cases: ReadonlyArray<[what: string, Variables, OpenAiSampler.ConfigOptions, name: string]> = [
    ["is not set", {}, {}, "OPENAI_API_KEY"],
    ["is empty", { OPENAI_API_KEY: "" }, {}, "OPENAI_API_KEY"],
    ["is blank", { OPENAI_API_KEY: " \n" }, {}, "OPENAI_API_KEY"],
    ["is read by the author and not set", {}, { apiKey: Config.Redacted("OPENAI_API_KEY") }, "OPENAI_API_KEY"],
    ["is read by the author and empty", { MY_KEY: "" }, { apiKey: Config.Redacted("MY_KEY") }, "MY_KEY"],
    ["of another server is not set", {}, mistral, "MISTRAL_API_KEY"],
    ["of another server is empty", { MISTRAL_API_KEY: "" }, mistral, "MISTRAL_API_KEY"]
  ]
  for (const [what, variables, options, name] of cases) {
    it.live(`a key that ${what} fails the start with "Set ${name}, or leave the provider out"`, () =>
      Effect.gen(function*() {
        assert.include(yield* startError(variables, options), `Set ${name}, or leave the provider out`)
      }))
  }

  it.live("another required setting that is not set is named too", () =>
    Effect.gen(function*() {
      assert.include(yield* startError({}, { baseUrl: Config.String("OLLAMA_URL") }), "Set OLLAMA_URL, or leave")
    }))

  it.live("with checkAtStart nothing, a missing OPENAI_API_KEY fails the provider when it is asked", () =>
    Effect.gen(function*() {
      const error = yield* callError({}, { checkAtStart: "nothing", name: Config.succeed("mine") })
      assert.strictEqual(error.reason, "auth")
      assert.strictEqual(error.provider, "mine")
      assert.include(advice(error), "Set OPENAI_API_KEY, or leave the provider out")
    }))

  it.live("with checkAtStart nothing, a server whose client samples starts and answers without the key", () =>
    Effect.gen(function*() {
      const layer = Sampler.fallback(
        TestSampler.scripted(["from the client"]),
        layerOf({}, { checkAtStart: "nothing" })
      )
      assert.strictEqual((yield* Sampler.sample("Hi").pipe(Effect.provide(layer))).text, "from the client")
      const chosen = Sampler.fromConfig({
        client: ClientSampler.layer,
        providers: { openai: OpenAiSampler.layerConfig({ checkAtStart: "nothing" }) }
      }).pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ SAMPLING_PROVIDER: "openai" }))))
      const error = yield* Effect.flip(Sampler.sample("Hi").pipe(Effect.provide(chosen)))
      assert.propertyVal(error, "reason", "auth")
    }))

  it.live("an optional key of another server may be empty", () =>
    Effect.gen(function*() {
      const { url } = yield* OpenAiServer.OpenAiServer
      const reply = yield* Sampler.sample("Hi").pipe(
        Effect.provide(layerOf({ MY_KEY: "" }, {
          baseUrl: Config.succeed(url),
          apiKey: Config.withDefault(Config.Redacted("MY_KEY"), undefined)
        }))
      )
      assert.include(reply.text, "Hi")
    }).pipe(Effect.provide(OpenAiServer.layer())))
})

describe("the setting that was used", () => {
  const refused = "http://127.0.0.1:1/v1"
  const noKey = { apiKey: Config.succeed(undefined) }

  it.live("a refused connection names the variable that baseUrl was read from", () =>
    Effect.gen(function*() {
      const own = yield* callError({ OLLAMA_URL: refused }, { ...noKey, baseUrl: Config.String("OLLAMA_URL") })
      assert.include(advice(own), "baseUrl (OLLAMA_URL) points to it")
      assert.notInclude(advice(own), "OPENAI_BASE_URL")
      assert.include(advice(yield* callError({ OPENAI_BASE_URL: refused })), "baseUrl (OPENAI_BASE_URL) points to it")
      const fixed = yield* callError({}, { ...noKey, baseUrl: Config.succeed(refused) })
      assert.include(advice(fixed), "the option baseUrl points to it")
      assert.notInclude(advice(fixed), "OPENAI")
    }))

  it.live("a wrong key, model and path name the variables that they were read from", () =>
    Effect.gen(function*() {
      const { url } = yield* OpenAiServer.OpenAiServer
      const options = {
        apiKey: Config.Redacted("MY_KEY"),
        model: Config.String("MY_MODEL"),
        baseUrl: Config.URL("MY_URL")
      }
      const wrongKey = yield* callError({ MY_KEY: "wrong", MY_MODEL: "m", MY_URL: url }, options)
      assert.include(advice(wrongKey), "Check apiKey (MY_KEY)")
      const wrongPath = yield* callError({ MY_KEY: key, MY_MODEL: "m", MY_URL: `${url}/x` }, options)
      assert.include(advice(wrongPath), "Check model (MY_MODEL) and baseUrl (MY_URL)")
    }).pipe(Effect.provide(OpenAiServer.layer({ apiKey: key }))))

  for (const baseUrl of ["localhost:11434/v1", "not a URL", "ftp://localhost/v1"]) {
    it.live(`the wrong baseUrl "${baseUrl}" of a variable fails the start and names the variable`, () =>
      Effect.gen(function*() {
        const message = yield* startError({ OPENAI_BASE_URL: baseUrl })
        assert.include(message, "baseUrl is not an http or https URL")
        assert.include(message, "baseUrl (OPENAI_BASE_URL)")
        const later = yield* callError({ OPENAI_BASE_URL: baseUrl }, { checkAtStart: "nothing" })
        assert.include(advice(later), "baseUrl (OPENAI_BASE_URL)")
      }))
  }
})

describe("checkAtStart", () => {
  const checked = (variables: Variables) => startError(variables, { checkAtStart: "server" })

  it.live("with checkAtStart server, a refused connection fails the start and names the variable", () =>
    Effect.gen(function*() {
      const message = yield* checked({ OPENAI_BASE_URL: "http://127.0.0.1:1/v1" })
      assert.include(message, "cannot be reached")
      assert.include(message, "baseUrl (OPENAI_BASE_URL)")
    }))

  it.live("with checkAtStart server, a wrong path and a wrong key fail the start", () =>
    Effect.gen(function*() {
      const { requests, url } = yield* OpenAiServer.OpenAiServer
      assert.include(
        yield* checked({ OPENAI_BASE_URL: url.replace("/v1", ""), OPENAI_API_KEY: key }),
        "baseUrl (OPENAI_BASE_URL)"
      )
      assert.include(yield* checked({ OPENAI_BASE_URL: url, OPENAI_API_KEY: "wrong" }), "apiKey (OPENAI_API_KEY)")
      assert.deepStrictEqual((yield* requests).map(({ body }) => body), ["{}", "{}"])
    }).pipe(Effect.provide(OpenAiServer.layer({ apiKey: key }))))

  it.live("with checkAtStart server, a web page in place of the API fails the start", () =>
    Effect.gen(function*() {
      const { url } = yield* OpenAiServer.OpenAiServer
      const variables = { OPENAI_BASE_URL: url, OPENAI_API_KEY: key }
      assert.include(yield* checked(variables), "not JSON")
    }).pipe(
      Effect.provide(
        OpenAiServer.layer({ otherwise: { body: "<h1>Hello</h1>", headers: { "content-type": "text/html" } } })
      )
    ))

  it.live("with checkAtStart server, a server that is there starts and asks no model", () =>
    Effect.gen(function*() {
      const { requests, url } = yield* OpenAiServer.OpenAiServer
      yield* Effect.scoped(
        Layer.build(layerOf({ OPENAI_BASE_URL: url, OPENAI_API_KEY: key }, { checkAtStart: "server" }))
      )
      assert.deepStrictEqual((yield* requests).map(({ accepted }) => accepted), [undefined])
    }).pipe(Effect.provide(OpenAiServer.layer({ apiKey: key }))))

  it.live("settings from code need no variables", () =>
    Effect.gen(function*() {
      const { url } = yield* OpenAiServer.OpenAiServer
      const layer = layerOf({}, {
        baseUrl: Config.succeed(url),
        apiKey: Config.succeed(Redacted.make(key)),
        checkAtStart: "server"
      })
      assert.include((yield* Sampler.sample("Hi").pipe(Effect.provide(layer))).text, "Hi")
    }).pipe(Effect.provide(OpenAiServer.layer({ apiKey: key }))))
})
