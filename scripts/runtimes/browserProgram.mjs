// What browser.mjs bundles and runs: a handler that samples, on a client that answers while the call waits and on one that
// is asked in rounds, whose state is sealed, packed and opened in between.
import { ClientSampler, Sampler, TestClient, TestSampler } from "@effect-sampling/core"
import { Effect } from "effect"

const poem = Effect.gen(function*() {
  const { text: hero } = yield* Sampler.sample("Name a hero.")
  const { text } = yield* Sampler.sample(`Praise ${hero}.`)
  return `${hero}: ${text}`
}).pipe(Effect.provide(ClientSampler.layer))

const called = (protocolVersion) =>
  TestClient.call(poem, { protocolVersion, sampler: TestSampler.scripted(["Ada", "She wrote."]) }).pipe(
    Effect.map(({ runs, value }) => ({ runs, value }))
  )

export const answers = () => Effect.runPromise(Effect.forEach(["2025-11-25", "2026-07-28"], called))
