/**
 * A combinator over a `Sampler` Layer that writes a line to stderr for each completion. The demo reads these lines to show
 * who answered and why. Write your own cross-cutting concerns in the same way.
 */
import { Sampler, type SamplingError } from "@effect-sampling/core"
import { Console, Effect, Layer, Schema } from "effect"

/** One completion, as the server reports it. */
export const Report = Schema.Struct({
  source: Schema.String,
  model: Schema.String,
  because: Schema.String
})

export const reportPrefix = "sampling: "

export const reporting = <E, R>(layer: Layer.Layer<Sampler.Sampler, E, R>): Layer.Layer<Sampler.Sampler, E, R> =>
  Layer.effect(
    Sampler.Sampler,
    Effect.map(Sampler.Sampler, (sampler) =>
      Sampler.make({
        capabilities: sampler.capabilities,
        createMessage: (request) =>
          Effect.tap(sampler.createMessage(request), (response) =>
            report({
              source: `${response.source.kind} "${response.source.name}"`,
              model: response.model,
              because: because(response.passedOver)
            }))
      }))
  ).pipe(Layer.provide(layer))

const because = (passedOver: ReadonlyArray<SamplingError.SamplingError>): string =>
  passedOver.length === 0
    ? "it comes first"
    : passedOver.map((error) =>
      error._tag === "SamplingUnsupported" ? `the client has no ${error.missing}` : error._tag
    )
      .join(", ")

const report = (line: typeof Report.Type): Effect.Effect<void> =>
  Console.error(`${reportPrefix}${JSON.stringify(line)}`)
