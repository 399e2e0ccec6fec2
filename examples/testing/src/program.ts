/**
 * The application under test: a tool that triages tickets with at most two completions.
 */
import { Sampler, SamplingError } from "@effect-sampling/core"
import { Effect, Schema } from "effect"
import { Tool, Toolkit } from "effect/ai"

const Triage = Tool.make("triage", {
  description: "Decides how urgent a ticket is, and drafts an answer to urgent ones",
  parameters: Schema.Struct({ ticket: Schema.String }),
  success: Schema.Struct({ urgent: Schema.Boolean, draft: Schema.optionalKey(Schema.String) }),
  failure: SamplingError.SamplingError
}).annotate(Tool.Readonly, true)

export const Tools = Toolkit.make(Triage)

export const handlers = Tools.toLayer(Effect.gen(function*() {
  const sampler = yield* Sampler.Sampler

  const isUrgent = (ticket: string) =>
    sampler.sample(`Is this ticket urgent? Answer yes or no.\n\n${ticket}`, { maxTokens: 5, temperature: 0 }).pipe(
      Effect.map((reply) => /^\s*yes/i.test(reply.text)),
      // If the user does not want to share the ticket, it is still handled.
      Effect.catchTag("SamplingRejected", () => Effect.succeed(true))
    )

  return Tools.of({
    triage: Effect.fnUntraced(function*({ ticket }) {
      if (!(yield* isUrgent(ticket))) return { urgent: false }
      const draft = yield* sampler.sample(`Draft a short answer:\n\n${ticket}`).pipe(
        Effect.map((reply) => reply.text),
        Effect.orElseSucceed(() => "We are on it.")
      )
      return { urgent: true, draft }
    })
  })
}))
