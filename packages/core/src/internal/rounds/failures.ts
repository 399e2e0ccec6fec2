import { ReplayMismatch, RoundsExceeded } from "../../SamplingError.ts"

/** The message for an ask that cannot be sent. */
export const notJson =
  "The request cannot be sent, because it contains a value that JSON cannot represent. Check metadata and the inputs " +
  "of tool calls."

const cure =
  "The handler runs again for each round, and must repeat its earlier asks before it makes new ones. Record every " +
  "value that differs between runs, such as the time or the answer of another system, with Rounds.once."

export const askMismatch = (expected: string, found: string): ReplayMismatch =>
  new ReplayMismatch({
    expected,
    found,
    message: `The last run made the ask ${expected} here, but this run made ${found}. ${cure}`
  })

/** Quotes the name of a once-step as its author wrote it. */
export const quoteStep = (name: string): string => JSON.stringify(name.replace(/^once /, ""))

export const stepMismatch = (name: string): ReplayMismatch =>
  new ReplayMismatch({
    expected: `the once-step ${quoteStep(name)} in the fiber that recorded it`,
    found: "the once-step in another fiber",
    message: `Another fiber recorded the once-step ${quoteStep(name)}, and has not reached it in this run. Give ` +
      "once-steps that run at the same time different names, for example with the id of what each one works on."
  })

export const roundsExceeded = (rounds: number): RoundsExceeded =>
  new RoundsExceeded({
    rounds,
    message:
      `This call has asked the client in ${rounds} rounds, and most clients stop at about that number. Send several ` +
      `asks in one round, with Effect.all(asks, { concurrency: "unbounded" }), raise Rounds.MaxRounds if your clients ` +
      "allow more, or let a provider answer the rest: Sampler.fallback(ClientSampler.layer, provider)."
  })
