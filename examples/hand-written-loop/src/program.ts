/**
 * A loop over `step`. It ends as soon as a guess is right, without asking the model again, and gives a hint after two wrong
 * guesses.
 */
import { ClientSampler, Sampler, SamplingError, SamplingMessage } from "@effect-sampling/core"
import { Feature, StdioServer } from "@effect-sampling/mcp-sdk"
import { Effect, Layer, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

const Game = Toolkit.make(
  Tool.make("guess", {
    description: "Guesses the number, from 1 to 100",
    parameters: Schema.Struct({ number: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })) }),
    success: Schema.Literals(["higher", "lower", "right"])
  }).annotate(Tool.Readonly, true)
)

const secret = 42

const game = Game.toLayer({
  guess: ({ number }) => Effect.succeed(number === secret ? "right" : number < secret ? "higher" : "lower")
})

const Outcome = Schema.Struct({ won: Schema.Boolean, turns: Schema.Int })

const hint = SamplingMessage.user("A hint: it is the answer to everything.")

const Tools = Toolkit.make(
  Tool.make("play", {
    description: "Lets the model guess a number",
    success: Outcome,
    failure: SamplingError.SamplingError
  }).annotate(Tool.Readonly, true)
)

const handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler
  const services = yield* Effect.context<Tool.HandlersFor<typeof Game.tools>>()

  const play = Effect.gen(function*() {
    let prompt: ReadonlyArray<SamplingMessage.SamplingMessage> = [SamplingMessage.user("Guess my number.")]
    for (let turns = 1; turns <= 10; turns++) {
      const { history, results } = yield* sampler.step(prompt, { toolkit: Game, toolChoice: "required" })
      if (JSON.stringify(results).includes("right")) return { won: true, turns }
      prompt = turns === 2 ? [...history, hint] : history
    }
    return { won: false, turns: 10 }
  })

  return Tools.of({ play: () => Effect.provide(play, services) })
}))

export const serve = StdioServer.serve({
  name: "hand-written-loop",
  version: "1.0.0",
  features: [Feature.toolkit(Tools)]
}).pipe(Effect.provide(handlers.pipe(Layer.provide(game), Layer.provide(ClientSampler.layer))))
