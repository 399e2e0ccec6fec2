/**
 * The tool as users of effect-sampling write it: a toolkit whose handler uses the `Sampler`.
 */
import { Sampler, SamplingError } from "@effect-sampling/core"
import { Effect, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"
import * as Workload from "./Workload.ts"

export const Tools = Toolkit.make(
  Tool.make(Workload.toolName, {
    description: Workload.toolDescription,
    parameters: Schema.Struct({ text: Schema.String, asks: Schema.Int }),
    success: Schema.String,
    failure: SamplingError.SamplingError
  })
)

export const Handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler
  return {
    [Workload.toolName]: Effect.fnUntraced(function*({ asks, text }) {
      let summary = Workload.resultText(0)
      for (let asked = 0; asked < asks; asked++) {
        const reply = yield* sampler.sample(Workload.toPrompt(text), { maxTokens: Workload.maxTokens })
        summary = reply.text
      }
      return summary
    })
  }
}))
