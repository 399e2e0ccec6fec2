/**
 * One tool, written once, for clients that can be asked while a call waits (MCP up to 2025-11-25) and for clients that
 * cannot (2026-07-28). No code in this file knows which client is connected.
 */
import { Client, ClientSampler, Sampler } from "@effect-sampling/core"
import { Feature, StreamableHttpServer } from "@effect-sampling/mcp-sdk-v2"
import { DateTime, Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

export const Dinner = Schema.Struct({
  dish: Schema.String,
  wine: Schema.String,
  dessert: Schema.String,
  invitation: Schema.String
})

export const Tools = Toolkit.make(
  Tool.make("plan_dinner", {
    description: "Plans a dinner and writes the invitation",
    parameters: Schema.Struct({ season: Schema.String }),
    success: Dinner,
    failure: Client.ClientAskError
  }).annotate(Tool.Readonly, true)
)

const Table = Schema.Struct({ guests: Schema.Int })

export const handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler
  const ask = (prompt: string, key?: string) => Effect.map(sampler.sample(prompt, { key }), (reply) => reply.text)
  return Tools.of({
    plan_dinner: Effect.fnUntraced(function*({ season }) {
      const dish = yield* ask(`Name a dish for ${season}.`)

      // Both asks run at the same time, so one round is enough.
      const [wine, dessert] = yield* Effect.all(
        [ask(`Name a wine to go with ${dish}.`), ask(`Name a dessert after ${dish}.`)],
        { concurrency: "unbounded" }
      )

      // This asks the user, not the model.
      const { guests } = yield* Client.elicit(Table, "How many guests do you expect?", { key: "guests" })

      // The prompt is different in each run. The key finds the answer.
      const now = DateTime.formatIso(yield* DateTime.now)
      const invitation = yield* ask(`It is ${now}. Invite ${guests} guests to ${dish}.`, "invitation")

      return { dish, wine, dessert, invitation }
    })
  })
}))

/** Serves both eras at one address. */
export const server = StreamableHttpServer.layer({
  name: "both-eras",
  version: "1.0.0",
  port: 0,
  features: [Feature.toolkit(Tools)]
}).pipe(Layer.provide(handlers), Layer.provide(ClientSampler.layer))
