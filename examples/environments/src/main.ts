/**
 * Runs the application in three environments, and shows the error for a wrong environment.
 */
import { OpenAiServer } from "@effect-sampling/openai-server"
import { NodeRuntime } from "@effect/platform-node"
import { ConfigProvider, Console, Effect, Layer } from "effect"
import * as Assert from "node:assert"
import { sampler, slogan } from "./program.ts"

const runIn = (environment: Record<string, string>) =>
  slogan("Effect").pipe(
    Effect.provide(Layer.provide(sampler, ConfigProvider.layer(ConfigProvider.fromUnknown(environment)))),
    Effect.tap((result) => Console.log(`${environment["SAMPLING_PROVIDER"]}: ${JSON.stringify(result)}`))
  )

const main = Effect.gen(function*() {
  const development = yield* runIn({ SAMPLING_PROVIDER: "offline", SAMPLING_BEHAVIOR: "always" })
  Assert.strictEqual(development.by, "offline")

  const { url } = yield* OpenAiServer.make({ reply: () => "[scripted model] Effects, honestly typed." })
  const staging = yield* runIn({ SAMPLING_PROVIDER: "local", SAMPLING_BEHAVIOR: "always", LOCAL_MODEL_URL: url })
  Assert.strictEqual(staging.by, "local")

  // No client is connected here, so the fallback answers.
  const production = yield* runIn({ SAMPLING_PROVIDER: "openai", OPENAI_API_KEY: "key", OPENAI_BASE_URL: url })
  Assert.strictEqual(production.by, "openai")

  const wrong = yield* Effect.flip(runIn({ SAMPLING_BEHAVIOR: "always" }))
  yield* Console.log(`without a provider: ${wrong.message}`)
  Assert.match(wrong.message, /SAMPLING_PROVIDER/)
}).pipe(Effect.scoped)

NodeRuntime.runMain(main)
